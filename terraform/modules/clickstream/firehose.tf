# Clients send events to the delivery stream; it writes them to raw/ by the UTC day of arrival.

resource "aws_kinesis_firehose_delivery_stream" "events" {
  name        = local.names.delivery_stream
  destination = "extended_s3"
  # S3 tells nobody of an object that was there before its notification: that would wait in raw/ for a replay.
  depends_on = [aws_iam_role_policy.firehose, aws_s3_bucket_notification.lake]
  tags       = var.tags

  # What waits in the buffer; delivered objects are encrypted as the bucket says.
  server_side_encryption {
    enabled  = true
    key_type = local.has_key ? "CUSTOMER_MANAGED_CMK" : "AWS_OWNED_CMK"
    key_arn  = local.key_arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.firehose.arn
    bucket_arn          = aws_s3_bucket.lake.arn
    prefix              = local.pipeline.delivery.prefix
    error_output_prefix = local.pipeline.delivery.error_prefix
    buffering_size      = local.buffering.mib
    buffering_interval  = local.buffering.seconds
    compression_format  = "GZIP"

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose.name
      log_stream_name = aws_cloudwatch_log_stream.firehose.name
    }

    processing_configuration {
      enabled = true

      # Firehose puts nothing between records; a line each is what every other reader of raw/ expects.
      processors {
        type = "AppendDelimiterToRecord"
      }
    }
  }
}

# Why a delivery failed. The names are those that Firehose's console chooses.
resource "aws_cloudwatch_log_group" "firehose" {
  name              = "/aws/kinesisfirehose/${local.names.delivery_stream}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_stream" "firehose" {
  name           = "DestinationDelivery"
  log_group_name = aws_cloudwatch_log_group.firehose.name
}

resource "aws_iam_role" "firehose" {
  name                 = local.names.delivery_stream
  description          = "What the delivery stream may do."
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # Firehose says for whom it comes as the external id: controlling-access.html#firehose-assume-role. Nothing there says
      # that it sends aws:SourceAccount, and a condition on a key that does not come is never met.
      Condition = { StringEquals = { "sts:ExternalId" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "firehose" {
  name = local.names.delivery_stream
  role = aws_iam_role.firehose.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.firehose_statements, local.has_key ? [local.firehose_key_statement] : [])
  })
}

# The actions that docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3 lists, those of objects on
# the stream's own zones only.
locals {
  firehose_statements = [
    {
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"]
      Resource = [local.zone_arns.raw, local.zone_arns.delivery_errors]
    },
    {
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      Resource = [local.bucket_arn]
    },
    {
      Effect   = "Allow"
      Action   = ["logs:PutLogEvents"]
      Resource = ["${local.aws}:logs:${local.here}:log-group:/aws/kinesisfirehose/${local.names.delivery_stream}:log-stream:DestinationDelivery"]
    },
  ]

  firehose_key_statement = {
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = [local.key_arn]
    Condition = { StringEquals = { "kms:ViaService" = local.via_service.s3 } }
  }
}

# Who sends: docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#access-to-firehose.
locals {
  producer_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.producer_statements, local.has_key ? [local.producer_key_statement] : [])
  })

  producer_statements = [{
    Effect   = "Allow"
    Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
    Resource = [local.stream_arn]
  }]

  # A stream with a key of a customer's, made after 20 April 2026, refuses who may not use the key. What AWS announced is quoted
  # in github.com/ministryofjustice/modernisation-platform/issues/12960; the policy of WAF's own role has the same statement.
  producer_key_statement = {
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = [local.key_arn]
    Condition = { StringEquals = { "kms:ViaService" = "firehose.${local.region_suffix}" } }
  }
}
