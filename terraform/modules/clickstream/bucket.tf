# The lake: raw/, processed/, failed/, ledger/, athena-results/ and firehose-errors/ in one bucket.

resource "aws_s3_bucket" "lake" {
  bucket        = var.s3_bucket_name
  force_destroy = local.force_destroy
  tags          = var.tags

  # So the key goes after the bucket: one that can't be destroyed, for it has objects, keeps the key that they need.
  depends_on = [aws_kms_key.lake]
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = local.has_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.key_arn
    }

    # One data key for many objects, or every PUT and GET would be a call of KMS that is paid for.
    bucket_key_enabled = local.has_key
  }
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

# A replay overwrites, so old versions go after a month.
resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket     = aws_s3_bucket.lake.id
  depends_on = [aws_s3_bucket_versioning.lake]

  dynamic "rule" {
    for_each = local.retention_days

    content {
      id     = "expire-${rule.key}"
      status = "Enabled"

      filter {
        prefix = local.zones[rule.key]
      }

      expiration {
        days = rule.value
      }
    }
  }

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {
      prefix = ""
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    # What is left of an object once its versions are gone.
    expiration {
      expired_object_delete_marker = true
    }
  }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket     = aws_s3_bucket.lake.id
  depends_on = [aws_s3_bucket_public_access_block.lake]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# Who read what, where that has to be known.
resource "aws_s3_bucket_logging" "lake" {
  count = var.access_logs == null ? 0 : 1

  bucket        = aws_s3_bucket.lake.id
  target_bucket = var.access_logs.bucket
  target_prefix = var.access_logs.prefix
}

# Only raw objects start the function; what it writes itself lies in other zones, so it can't start itself again.
# Whatever an invocation needs is there before the first one, and goes after the last: the tables that it asks for, and the
# queue for what failed. With Lambda's own settings an event that failed three times would be gone.
resource "aws_s3_bucket_notification" "lake" {
  bucket     = aws_s3_bucket.lake.id
  depends_on = [aws_lambda_permission.s3, aws_lambda_function_event_invoke_config.processor, aws_glue_catalog_table.lake]

  lambda_function {
    id                  = "raw"
    lambda_function_arn = aws_lambda_function.processor.arn
    events              = ["s3:ObjectCreated:*"]
    filter_prefix       = local.zones.raw
    filter_suffix       = ".gz"
  }

  lifecycle {
    precondition {
      condition = alltrue([
        for zone, prefix in local.zones : zone == "raw" || !(startswith(prefix, local.zones.raw) || startswith(local.zones.raw, prefix))
      ])
      error_message = "The pipeline file has another zone inside of ${local.zones.raw}, or around it: the function would start itself."
    }
  }
}
