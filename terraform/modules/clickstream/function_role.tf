# What the function may do: exact actions, each on the zones that it works in. src/clicklake/roles.py says the same.

resource "aws_iam_role" "processor" {
  name                 = local.names.function
  description          = "What the processor may do."
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

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
    Version = "2012-10-17"
    Statement = concat(
      local.processor_statements,
      var.user_key_parameter == null ? [] : [local.user_key_statement],
      local.has_key ? [local.processor_key_statement] : [],
    )
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
    {
      # Lambda reports an invocation that failed for good in the function's name.
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = [local.queue_arn]
    },
    {
      # X-Ray has no resources: docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html.
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      Resource = ["*"]
    },
  ]

  user_key_statement = {
    Effect   = "Allow"
    Action   = ["ssm:GetParameter"]
    Resource = ["${local.aws}:ssm:${local.here}:parameter${coalesce(var.user_key_parameter, "/none")}"]
  }

  processor_key_statement = {
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [local.key_arn]
    Condition = { StringEquals = { "kms:ViaService" = [
      for service, name in local.via_service : name if service != "ssm" || var.user_key_parameter != null
    ] } }
  }
}
