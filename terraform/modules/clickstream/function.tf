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
  tags             = var.tags

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  environment {
    variables = merge(
      { CLICKLAKE_ENVIRONMENT = var.environment },
      # The table's, even if the package was built with another file, or before `clicklake rebuild`.
      { CLICKLAKE_PROCESSED_FORMAT = local.pipeline.processed_format },
      var.user_key_parameter == null ? {} : { CLICKLAKE_USER_KEY_PARAMETER = var.user_key_parameter },
      var.geo_database == null ? {} : { CLICKLAKE_GEO_DATABASE = var.geo_database },
    )
  }

  tracing_config {
    mode = "Active"
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
  kms_key_id        = local.key_arn
  tags              = var.tags
}
