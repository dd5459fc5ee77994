# Everything is encrypted in each of the three modes, and the key's users may use it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "by_default_with_keys_of_aws" {
  command = plan

  assert {
    condition     = length(aws_kms_key.lake) + length(aws_kms_alias.lake) == 0 && output.kms_key_arn == null
    error_message = "No key, no cost."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_server_side_encryption_configuration.lake.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm] == ["AES256"]
    error_message = "The bucket: SSE-S3."
  }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.events.server_side_encryption[0].enabled && aws_kinesis_firehose_delivery_stream.events.server_side_encryption[0].key_type == "AWS_OWNED_CMK"
    error_message = "The stream's buffer: a key of Firehose's own."
  }

  assert {
    condition     = aws_sqs_queue.failures.sqs_managed_sse_enabled
    error_message = "The queue: SSE-SQS."
  }
}

run "own_key_encrypts_everything" {
  command = plan

  variables {
    encryption = "own-key"
  }

  override_resource {
    target          = aws_kms_key.lake
    override_during = plan
    values          = { arn = "arn:aws:kms:eu-central-1:123456789012:key/own" }
  }

  assert {
    condition     = aws_kms_key.lake[0].enable_key_rotation && aws_kms_key.lake[0].deletion_window_in_days == 30 && aws_kms_alias.lake[0].name == "alias/clickstream-dev"
    error_message = "It is rotated each year, and a month remains to change one's mind."
  }

  assert {
    condition = distinct([
      one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).apply_server_side_encryption_by_default[0].kms_master_key_id,
      aws_kinesis_firehose_delivery_stream.events.server_side_encryption[0].key_arn,
      aws_sqs_queue.failures.kms_master_key_id,
      aws_cloudwatch_log_group.processor.kms_key_id,
      aws_cloudwatch_log_group.firehose.kms_key_id,
    ]) == tolist(["arn:aws:kms:eu-central-1:123456789012:key/own"])
    error_message = "Bucket, buffer, queue and logs are encrypted with it."
  }

  assert {
    condition = (
      one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
      && one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).bucket_key_enabled
      && aws_kinesis_firehose_delivery_stream.events.server_side_encryption[0].key_type == "CUSTOMER_MANAGED_CMK"
    )
    error_message = "With a bucket key, or each object would be a call of KMS."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_kms_key.lake[0].policy).Statement : statement.Sid => jsonencode(statement.Principal)
      } == {
      Account = jsonencode({ AWS = "arn:aws:iam::123456789012:root" })
      Logs    = jsonencode({ Service = "logs.eu-central-1.amazonaws.com" })
      Alarms  = jsonencode({ Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] })
    }
    error_message = "A service that may not use the key fails silently: logs, alarms and budgets."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.lake[0].policy).Statement : can(statement.Condition) if can(statement.Principal.Service)
    ])
    error_message = "A service uses it for this account's resources only."
  }
}

run "a_given_key_encrypts_everything" {
  command = plan

  variables {
    encryption         = "given-key"
    kms_key_arn        = "arn:aws:kms:eu-central-1:210987654321:key/theirs"
    user_key_parameter = "/acme/user-key"
  }

  assert {
    condition     = length(aws_kms_key.lake) == 0
    error_message = "No second key."
  }

  assert {
    condition = distinct([
      one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).apply_server_side_encryption_by_default[0].kms_master_key_id,
      aws_kinesis_firehose_delivery_stream.events.server_side_encryption[0].key_arn,
      aws_sqs_queue.failures.kms_master_key_id,
      aws_cloudwatch_log_group.processor.kms_key_id,
      aws_cloudwatch_log_group.firehose.kms_key_id,
    ]) == tolist([var.kms_key_arn])
    error_message = "Bucket, buffer, queue and logs are encrypted with it."
  }

  assert {
    condition = jsonencode({
      for who, policy in { function = aws_iam_role_policy.processor.policy, producer = output.producer_policy, stream = aws_iam_role_policy.firehose.policy } : who => [
        for statement in jsondecode(policy).Statement : [statement.Action, statement.Resource, statement.Condition] if startswith(statement.Action[0], "kms:")
      ]
      }) == jsonencode({
      function = [[["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], { StringEquals = {
        "kms:ViaService" = ["s3.eu-central-1.amazonaws.com", "sqs.eu-central-1.amazonaws.com", "ssm.eu-central-1.amazonaws.com"]
      } }]]
      producer = [[["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], { StringEquals = { "kms:ViaService" = "firehose.eu-central-1.amazonaws.com" } }]]
      stream   = [[["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], { StringEquals = { "kms:ViaService" = "s3.eu-central-1.amazonaws.com" } }]]
    })
    error_message = "The roles and senders use this key, through the services that they work with."
  }
}
