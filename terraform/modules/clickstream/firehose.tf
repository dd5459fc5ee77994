# Clients send events to the delivery stream; it writes them to raw/ by the UTC day of arrival.

resource "aws_kinesis_firehose_delivery_stream" "events" {
  name        = local.names.delivery_stream
  destination = "extended_s3"
  depends_on  = [aws_iam_role_policy.firehose]

  extended_s3_configuration {
    role_arn            = aws_iam_role.firehose.arn
    bucket_arn          = aws_s3_bucket.lake.arn
    prefix              = local.pipeline.delivery.prefix
    error_output_prefix = local.pipeline.delivery.error_prefix
    buffering_size      = local.buffering.mib
    buffering_interval  = local.buffering.seconds
    compression_format  = "GZIP"

    processing_configuration {
      enabled = true

      # Firehose puts nothing between records; a line each is what every other reader of raw/ expects.
      processors {
        type = "AppendDelimiterToRecord"
      }
    }
  }
}

resource "aws_iam_role" "firehose" {
  name = local.names.delivery_stream

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "firehose" {
  name = local.names.delivery_stream
  role = aws_iam_role.firehose.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = [local.zone_arns.raw, local.zone_arns.delivery_errors]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        Resource = [local.bucket_arn]
      },
    ]
  })
}
