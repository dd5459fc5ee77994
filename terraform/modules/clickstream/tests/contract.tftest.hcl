# What README and DESIGN.md promise of the stack: names, keys, columns. With nothing given but what must be.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "names_are_the_contract" {
  command = plan

  assert {
    condition = [output.s3_bucket_name, output.delivery_stream_name, output.function_name, output.database_name, output.unique_view_name, output.workgroup_name] == [
      "acme-clickstream", "clickstream-firehose-dev", "clickstream-raw-to-processed-dev", "clickstream_db", "clickstream_events_unique", "clickstream-dev",
    ]
    error_message = "README's names."
  }

  assert {
    condition     = output.table_names == { events = "clickstream_events", failed = "clickstream_failed", ledger = "clickstream_ledger" }
    error_message = "Three tables."
  }

  assert {
    condition = [for table in aws_glue_catalog_table.lake : table.storage_descriptor[0].location] == [
      "s3://acme-clickstream/processed/", "s3://acme-clickstream/failed/", "s3://acme-clickstream/ledger/",
    ]
    error_message = "Each table lies in its zone."
  }

  assert {
    condition = alltrue([
      for key, table in jsondecode(file("../../../src/clicklake/pipeline.json")).tables : jsonencode([
        for column in aws_glue_catalog_table.lake[key].storage_descriptor[0].columns : [column.name, column.type, column.comment]
      ]) == jsonencode([for column in table.columns : [column.name, column.type, column.comment]])
    ])
    error_message = "The tables have the pipeline file's columns, in its order, with its comments."
  }

  assert {
    condition     = alltrue([for table in aws_glue_catalog_table.lake : join(" ", table.partition_keys[*].name) == "year month day"])
    error_message = "The UTC day of arrival is the partition."
  }

  assert {
    condition     = alltrue([for table in aws_glue_catalog_table.lake : table.table_type == "EXTERNAL_TABLE" && table.parameters.EXTERNAL == "TRUE"])
    error_message = "Athena must not delete what it reads."
  }

  assert {
    condition = jsondecode(base64decode(split(" ", aws_glue_catalog_table.unique.view_original_text)[3])).originalSql == join(" ", [
      "SELECT \"${join("\", \"", aws_glue_catalog_table.unique.storage_descriptor[0].columns[*].name)}\" FROM (SELECT *, row_number() OVER",
      "(PARTITION BY year, month, day, app_id, event_id ORDER BY received_ts, raw_key, record_index) AS copy",
      "FROM clickstream_db.clickstream_events) WHERE copy = 1",
    ])
    error_message = "The view has the first of each event id, day by day."
  }

  assert {
    condition = alltrue([
      for column in jsondecode(base64decode(split(" ", aws_glue_catalog_table.unique.view_original_text)[3])).columns :
      contains(["varchar", "timestamp(3)", "date", "bigint", "double"], column.type)
    ])
    error_message = "In a view types are Trino's."
  }

  assert {
    condition     = length(aws_glue_catalog_table.unique.storage_descriptor[0].ser_de_info) == 1
    error_message = "Athena can't read a view without SerDe info."
  }

  assert {
    condition = [aws_lambda_function.processor.handler, aws_lambda_function.processor.runtime, aws_lambda_function.processor.architectures] == [
      "clicklake.processor.handler", "python3.13", tolist(["arm64"]),
    ]
    error_message = "The function is what the package was built for."
  }

  assert {
    condition = aws_lambda_function.processor.environment[0].variables == tomap({
      CLICKLAKE_ENVIRONMENT      = "dev"
      CLICKLAKE_PROCESSED_FORMAT = "parquet"
    })
    error_message = "The function's settings are names, never secrets."
  }

  assert {
    condition     = aws_lambda_function.processor.memory_size == 1024 && aws_lambda_function.processor.timeout == 300
    error_message = "Memory and time are the pipeline file's."
  }

  assert {
    condition     = aws_lambda_function.processor.source_code_hash == filebase64sha256("tests/package.zip")
    error_message = "A new package is deployed."
  }
}

run "another_environment_has_other_names" {
  command = plan

  variables {
    environment = "staging-2"
  }

  assert {
    condition = [output.delivery_stream_name, output.function_name, output.database_name, output.workgroup_name] == [
      "clickstream-firehose-staging-2", "clickstream-raw-to-processed-staging-2", "clickstream_db_staging_2", "clickstream-staging-2",
    ]
    error_message = "Two environments share no name, and Athena takes no hyphen in a database's."
  }

  assert {
    condition     = aws_sqs_queue.failures.name == "clickstream-failed-invocations-staging-2"
    error_message = "Nor a queue."
  }
}

run "another_partition_has_other_arns" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  assert {
    condition = alltrue([
      for policy in [aws_iam_role_policy.processor.policy, aws_iam_role_policy.firehose.policy, aws_s3_bucket_policy.lake.policy, output.producer_policy] :
      strcontains(policy, "arn:aws-cn:") && !strcontains(policy, "arn:aws:")
    ])
    error_message = "In China an ARN begins with arn:aws-cn."
  }
}

run "a_missing_package_is_refused" {
  command = plan

  variables {
    lambda_package = "tests/none.zip"
  }

  expect_failures = [aws_lambda_function.processor]
}
