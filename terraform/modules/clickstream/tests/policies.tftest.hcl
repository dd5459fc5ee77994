# Least privilege: who may do what, word for word. A policy is known when it is planned, for its ARNs are made of names.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name     = "acme-clickstream"
  lambda_package     = "tests/package.zip"
  user_key_parameter = "/acme/user-key"
}

run "roles_may_do_what_they_must_and_no_more" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.processor.policy).Statement :
      "${statement.Effect} ${join(" ", sort(statement.Action))}" => join(" ", sort(statement.Resource))
      } == {
      "Allow s3:GetObject"                           = "arn:aws:s3:::acme-clickstream/raw/*"
      "Allow s3:ListBucket"                          = "arn:aws:s3:::acme-clickstream"
      "Allow s3:PutObject"                           = join(" ", [for zone in ["failed", "ledger", "processed"] : "arn:aws:s3:::acme-clickstream/${zone}/*"])
      "Allow s3:DeleteObject"                        = join(" ", [for zone in ["failed", "processed"] : "arn:aws:s3:::acme-clickstream/${zone}/*"])
      "Deny s3:DeleteObject s3:PutObject"            = "arn:aws:s3:::acme-clickstream/raw/*"
      "Allow ssm:GetParameter"                       = "arn:aws:ssm:eu-central-1:123456789012:parameter/acme/user-key"
      "Allow sqs:SendMessage"                        = "arn:aws:sqs:eu-central-1:123456789012:clickstream-failed-invocations-dev"
      "Allow logs:CreateLogStream logs:PutLogEvents" = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/clickstream-raw-to-processed-dev:*"
      # X-Ray knows no resources.
      "Allow xray:PutTelemetryRecords xray:PutTraceSegments" = "*"
      "Allow glue:CreatePartition glue:GetPartition glue:GetTable glue:UpdatePartition" = join(" ", [
        for resource in ["catalog", "database/clickstream_db", "table/clickstream_db/clickstream_events", "table/clickstream_db/clickstream_failed", "table/clickstream_db/clickstream_ledger"] :
        "arn:aws:glue:eu-central-1:123456789012:${resource}"
      ])
    }
    error_message = "The function reads raw/, writes and tidies its own zones, registers partitions, and never touches raw/."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.firehose.policy).Statement :
      "${statement.Effect} ${join(" ", sort(statement.Action))}" => join(" ", sort(statement.Resource))
      } == {
      "Allow s3:AbortMultipartUpload s3:GetObject s3:PutObject"                = join(" ", [for zone in ["firehose-errors", "raw"] : "arn:aws:s3:::acme-clickstream/${zone}/*"])
      "Allow s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads" = "arn:aws:s3:::acme-clickstream"
      "Allow logs:PutLogEvents"                                                = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/kinesisfirehose/clickstream-firehose-dev:log-stream:DestinationDelivery"
    }
    error_message = "The delivery stream writes raw/ and firehose-errors/, and nothing else."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.processor.assume_role_policy).Statement) == jsonencode([{
      Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole"
    }])
    error_message = "Only Lambda takes on the function's role."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.firehose.assume_role_policy).Statement) == jsonencode([{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = "123456789012" } }
    }])
    error_message = "Only Firehose, for a stream of this account, takes on the stream's role."
  }

  assert {
    condition = jsonencode(jsondecode(output.producer_policy).Statement) == jsonencode([{
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = ["arn:aws:firehose:eu-central-1:123456789012:deliverystream/clickstream-firehose-dev"]
    }])
    error_message = "A producer puts records into this stream, and nothing else."
  }

  assert {
    condition     = aws_lambda_function.processor.environment[0].variables.CLICKLAKE_USER_KEY_PARAMETER == "/acme/user-key"
    error_message = "The function knows its key by its name."
  }
}

run "without_a_user_key_no_parameter_is_read" {
  command = plan

  variables {
    user_key_parameter = null
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.processor.policy, "ssm:")
    error_message = "What is not needed is not allowed."
  }
}

run "a_boundary_bounds_both_roles" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/bound"
  }

  assert {
    condition     = [aws_iam_role.processor.permissions_boundary, aws_iam_role.firehose.permissions_boundary] == [var.permissions_boundary, var.permissions_boundary]
    error_message = "An organisation's boundary holds for both."
  }
}
