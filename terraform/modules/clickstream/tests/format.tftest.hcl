# processed/ is Parquet or JSON, the table and the function agree, and a lake with data does not change from one to the other.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "a_table_in_json_is_read_as_json" {
  command = plan

  variables {
    pipeline_file = "tests/pipelines/json.json"
  }

  assert {
    condition = (
      aws_glue_catalog_table.lake["events"].parameters == tomap({ EXTERNAL = "TRUE", classification = "json", compressionType = "gzip" })
      && aws_glue_catalog_table.lake["events"].storage_descriptor[0].ser_de_info[0].serialization_library == "org.openx.data.jsonserde.JsonSerDe"
      && aws_glue_catalog_table.lake["events"].storage_descriptor[0].input_format == "org.apache.hadoop.mapred.TextInputFormat"
    )
    error_message = "processed_format = json."
  }

  assert {
    condition     = aws_lambda_function.processor.environment[0].variables.CLICKLAKE_PROCESSED_FORMAT == "json"
    error_message = "The function writes what the table reads."
  }
}

# A data source is read during a plan only when what it depends on exists.
run "a_lake_in_parquet" {
  assert {
    condition = (
      aws_glue_catalog_table.lake["events"].parameters == tomap({ EXTERNAL = "TRUE", classification = "parquet" })
      && endswith(aws_glue_catalog_table.lake["events"].storage_descriptor[0].ser_de_info[0].serialization_library, "ParquetHiveSerDe")
      && endswith(aws_glue_catalog_table.lake["events"].storage_descriptor[0].input_format, "MapredParquetInputFormat")
    )
    error_message = "processed_format = parquet, the default."
  }
}

run "a_switch_of_the_format_is_refused_on_a_lake_with_data" {
  command = plan

  override_data {
    target = data.aws_s3_objects.processed
    values = { keys = ["processed/year=2025/month=11/day=26/a.json.gz"] }
  }

  expect_failures = [aws_glue_catalog_table.lake["events"]]
}
