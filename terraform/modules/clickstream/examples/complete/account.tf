# What an organisation has already: a bucket for access logs, and a boundary for what its roles may do.

resource "aws_s3_bucket" "logs" {
  bucket        = "${var.s3_bucket_name}-logs"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccessLogs"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.logs.arn}/s3-access/*"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_policy" "boundary" {
  name        = "clickstream-${var.environment}-boundary"
  description = "The most that the clickstream's roles may ever do."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:*", "firehose:PutRecordBatch", "glue:*", "logs:*", "sqs:SendMessage", "ssm:GetParameter", "kms:Decrypt", "kms:GenerateDataKey", "xray:Put*"]
      Resource = "*"
    }]
  })
}
