# The lake is private, encrypted, kept as long as it should be, and its own output never starts the function.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "the_bucket_is_private" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.lake.block_public_acls,
      aws_s3_bucket_public_access_block.lake.block_public_policy,
      aws_s3_bucket_public_access_block.lake.ignore_public_acls,
      aws_s3_bucket_public_access_block.lake.restrict_public_buckets,
    ])
    error_message = "Nothing of the lake can be made public."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.lake.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Who writes an object does not own it, and there are no access lists."
  }

  assert {
    condition = jsonencode(jsondecode(aws_s3_bucket_policy.lake.policy).Statement) == jsonencode([{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::acme-clickstream", "arn:aws:s3:::acme-clickstream/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }])
    error_message = "Without TLS nobody may do anything, and the bucket's policy allows nobody anything."
  }

  assert {
    condition = jsonencode(jsondecode(aws_sqs_queue.failures.policy).Statement) == jsonencode([{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "sqs:*"
      Resource  = "arn:aws:sqs:eu-central-1:123456789012:clickstream-failed-invocations-dev"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }])
    error_message = "Nor with the queue."
  }
}

run "only_raw_objects_start_the_function" {
  command = plan

  assert {
    condition = [
      for target in aws_s3_bucket_notification.lake.lambda_function : [target.filter_prefix, target.filter_suffix, tolist(target.events)]
    ] == [["raw/", ".gz", tolist(["s3:ObjectCreated:*"])]]
    error_message = "S3 tells the function of raw/*.gz alone, however they were put."
  }

  assert {
    condition = (
      aws_lambda_permission.s3.principal == "s3.amazonaws.com" && aws_lambda_permission.s3.action == "lambda:InvokeFunction"
      && aws_lambda_permission.s3.source_arn == "arn:aws:s3:::acme-clickstream" && aws_lambda_permission.s3.source_account == "123456789012"
    )
    error_message = "Only this bucket, and only as long as it is ours: a bucket's name can be taken by others."
  }

  assert {
    condition = alltrue([
      for table in aws_glue_catalog_table.lake : !startswith(table.storage_descriptor[0].location, "s3://acme-clickstream/raw/")
    ])
    error_message = "What the function writes is not under raw/."
  }
}

run "a_zone_inside_of_raw_is_refused" {
  command = plan

  variables {
    pipeline_file = "tests/pipelines/nested_zones.json"
  }

  expect_failures = [aws_s3_bucket_notification.lake]
}

run "each_zone_is_kept_as_long_as_the_pipeline_file_says" {
  command = plan

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.filter[0].prefix => rule.expiration[0].days if rule.id != "tidy"
    } == { "raw/" = 90, "failed/" = 30, "athena-results/" = 7 }
    error_message = "raw 90 days, failed 30, results 7, and processed for ever."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.status == "Enabled"])
    error_message = "A rule that is off keeps everything."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : [
        rule.filter[0].prefix, rule.abort_incomplete_multipart_upload[0].days_after_initiation,
        rule.noncurrent_version_expiration[0].noncurrent_days, rule.expiration[0].expired_object_delete_marker,
      ] if rule.id == "tidy"
    ] == [["", 7, 30, true]]
    error_message = "What nobody sees, and everybody pays: parts, old versions, delete markers."
  }

  assert {
    condition     = aws_s3_bucket_versioning.lake.versioning_configuration[0].status == "Enabled"
    error_message = "What is overwritten or deleted can be had back for a month."
  }
}

run "retention_can_be_chosen" {
  command = plan

  variables {
    retention_days = { raw = 365, query_results = 0 }
  }

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.filter[0].prefix => rule.expiration[0].days if rule.id != "tidy"
    } == { "raw/" = 365, "failed/" = 30 }
    error_message = "0 means for ever, and a zone that is not named keeps its days."
  }
}

run "only_dev_is_destroyed_with_its_data" {
  command = plan

  assert {
    condition     = aws_s3_bucket.lake.force_destroy && aws_athena_workgroup.lake.force_destroy
    error_message = "The seed's terraform destroy works in dev."
  }
}

run "prod_is_not" {
  command = plan

  variables {
    environment = "prod"
    access_logs = { bucket = "acme-access-logs" }
  }

  assert {
    condition     = aws_s3_bucket_logging.lake[0].target_bucket == "acme-access-logs" && aws_s3_bucket_logging.lake[0].target_prefix == "s3-access/"
    error_message = "Who read what is kept where it is wanted."
  }

  assert {
    condition     = !aws_s3_bucket.lake.force_destroy && !aws_athena_workgroup.lake.force_destroy
    error_message = "terraform destroy must not delete production's data."
  }
}
