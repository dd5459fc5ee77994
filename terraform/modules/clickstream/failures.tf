# An invocation that failed for good is not lost: Lambda puts its event and the error into this queue.

resource "aws_lambda_function_event_invoke_config" "processor" {
  function_name                = aws_lambda_function.processor.function_name
  maximum_retry_attempts       = local.pipeline.function.maximum_retry_attempts
  maximum_event_age_in_seconds = local.pipeline.function.maximum_event_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}

resource "aws_sqs_queue" "failures" {
  name                      = local.names.failure_queue
  message_retention_seconds = 14 * 24 * 3600 # SQS's longest
  tags                      = var.tags

  # SQS takes one of the two.
  sqs_managed_sse_enabled = local.has_key ? null : true
  kms_master_key_id       = local.key_arn

  # Here and not in a resource of its own: the provider waits 25 s for each of the two.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "sqs:*"
      Resource  = local.queue_arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
