# The processor: started by each raw object, it writes processed/, failed/ and ledger/ and registers the partition.

resource "aws_lambda_function" "processor" {
  function_name = local.names.function
  role          = aws_iam_role.processor.arn
  depends_on    = [aws_iam_role_policy.processor, aws_cloudwatch_log_group.processor]

  filename         = var.lambda_package
  source_code_hash = fileexists(var.lambda_package) ? filebase64sha256(var.lambda_package) : null
  handler          = local.pipeline.function.handler
  runtime          = local.pipeline.function.runtime
  architectures    = [local.pipeline.function.architecture]
  memory_size      = local.pipeline.function.memory_mib
  timeout          = local.pipeline.function.timeout_seconds
  layers           = var.lambda_layers

  environment {
    variables = merge(
      { CLICKLAKE_ENVIRONMENT = var.environment },
      # The table's, even if the package was built with another file, or before `clicklake rebuild`.
      { CLICKLAKE_PROCESSED_FORMAT = local.pipeline.processed_format },
      var.user_key_parameter == null ? {} : { CLICKLAKE_USER_KEY_PARAMETER = var.user_key_parameter },
      var.geo_database == null ? {} : { CLICKLAKE_GEO_DATABASE = var.geo_database },
    )
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.lambda_package)
      error_message = "There is no ${var.lambda_package}; run: make package"
    }
  }
}

resource "aws_lambda_permission" "s3" {
  statement_id   = "AllowS3"
  function_name  = aws_lambda_function.processor.function_name
  action         = "lambda:InvokeFunction"
  principal      = "s3.amazonaws.com"
  source_arn     = local.bucket_arn
  source_account = local.account
}

# Made here and not by the first invocation, so that it has a retention and goes with the stack.
resource "aws_cloudwatch_log_group" "processor" {
  name              = "/aws/lambda/${local.names.function}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "processor" {
  name = local.names.function

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "processor" {
  name = local.names.function
  role = aws_iam_role.processor.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.processor_statements, var.user_key_parameter == null ? [] : [local.user_key_statement])
  })
}

locals {
  processor_statements = [
    {
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [local.zone_arns.raw]
    },
    {
      # Without it S3 says AccessDenied, not NoSuchKey, of a raw object that is gone.
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [local.bucket_arn]
    },
    {
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [local.zone_arns.processed, local.zone_arns.failed, local.zone_arns.ledger]
    },
    {
      # A run removes what an earlier version wrote of the same raw object and it does not.
      Effect   = "Allow"
      Action   = ["s3:DeleteObject"]
      Resource = [local.zone_arns.processed, local.zone_arns.failed]
    },
    {
      Effect   = "Deny"
      Action   = ["s3:PutObject", "s3:DeleteObject"]
      Resource = [local.zone_arns.raw]
    },
    {
      # A partition keeps the columns of the day it was made; when the table gets one more, the day's partition follows.
      Effect = "Allow"
      Action = ["glue:GetTable", "glue:CreatePartition", "glue:GetPartition", "glue:UpdatePartition"]
      Resource = concat(
        ["${local.aws}:glue:${local.here}:catalog", "${local.aws}:glue:${local.here}:database/${local.database}"],
        [for table in local.pipeline.tables : "${local.aws}:glue:${local.here}:table/${local.database}/${table.name}"],
      )
    },
    {
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${local.aws}:logs:${local.here}:log-group:/aws/lambda/${local.names.function}:*"]
    },
  ]

  user_key_statement = {
    Effect   = "Allow"
    Action   = ["ssm:GetParameter"]
    Resource = ["${local.aws}:ssm:${local.here}:parameter${coalesce(var.user_key_parameter, "/none")}"]
  }
}
