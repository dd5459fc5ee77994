# With encryption = "own-key" or "given-key" this key encrypts the bucket, the stream's buffer, the queue, the logs and the
# alarms' topic; by default keys of AWS's do, which cost nothing. The function's environment has names only, no secrets.

locals {
  has_key = var.encryption != "sse-s3"
  key_arn = {
    "sse-s3"    = null
    "own-key"   = one(aws_kms_key.lake[*].arn)
    "given-key" = var.kms_key_arn
  }[var.encryption]

  # The services through which the roles use the key, as kms:ViaService has them.
  region_suffix = "${data.aws_region.current.id}.${data.aws_partition.current.dns_suffix}"
  via_service   = { for service in ["s3", "sqs", "ssm"] : service => "${service}.${local.region_suffix}" }

  log_group_arns = [
    for name in concat(
      ["/aws/lambda/${local.names.function}", "/aws/kinesisfirehose/${local.names.delivery_stream}"],
      var.enable_collector ? ["/aws/lambda/${local.collector}", "/aws/vendedlogs/${local.collector}"] : [],
    ) : "${local.aws}:logs:${local.here}:log-group:${name}"
  ]
}

resource "aws_kms_key" "lake" {
  count = var.encryption == "own-key" ? 1 : 0

  description             = "The clickstream lake ${local.stack}."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.key_statements
  })
}

resource "aws_kms_alias" "lake" {
  count = var.encryption == "own-key" ? 1 : 0

  name          = "alias/${local.stack}"
  target_key_id = aws_kms_key.lake[0].key_id
}

# What the policy of a given key must say, too; the output key_policy_statements has it.
locals {
  key_statements = [
    {
      # Who may use the key is up to IAM: docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html.
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "${local.aws}:iam::${local.account}:root" }
      Action    = "kms:*"
      Resource  = "*"
    },
    {
      # docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
      Sid       = "Logs"
      Effect    = "Allow"
      Principal = { Service = "logs.${local.region_suffix}" }
      Action = [
        "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey",
        "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
      ]
      Resource  = "*"
      Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = local.log_group_arns } }
    },
    {
      # An alarm or budget can't publish to an encrypted topic otherwise, and says so nowhere:
      # docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
      Sid       = "Alarms"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    },
  ]
}
