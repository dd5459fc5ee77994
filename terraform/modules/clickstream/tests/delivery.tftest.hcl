# No event is lost silently, and no mistake is dear: what waits, what failed, what is kept and what is bounded.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "the_stream_delivers_to_raw_by_day_of_arrival" {
  command = plan

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].prefix == "raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
    error_message = "The key is the contract; the processor reads the day from it."
  }

  assert {
    condition = (
      startswith(aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].error_output_prefix, "firehose-errors/")
      && strcontains(aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].error_output_prefix, "!{firehose:error-output-type}")
    )
    error_message = "What Firehose can't deliver is set aside, by the kind of error."
  }

  assert {
    condition = (
      aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].compression_format == "GZIP"
      && aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].processing_configuration[0].enabled
      && aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].processing_configuration[0].processors[*].type == tolist(["AppendDelimiterToRecord"])
    )
    error_message = "gzip, and each record on a line of its own."
  }

  assert {
    condition = (
      aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].buffering_size == 128
      && aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].buffering_interval == 300
    )
    error_message = "Few large objects: each one costs a PUT, an invocation and a GET for every query."
  }

  assert {
    condition = (
      aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].cloudwatch_logging_options[0].enabled
      && aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].cloudwatch_logging_options[0].log_group_name == "/aws/kinesisfirehose/clickstream-firehose-dev"
      && aws_kinesis_firehose_delivery_stream.events.extended_s3_configuration[0].cloudwatch_logging_options[0].log_stream_name == "DestinationDelivery"
    )
    error_message = "Why a delivery failed stands in a log."
  }
}

run "a_failed_invocation_is_kept" {
  command = plan

  assert {
    condition     = aws_lambda_function_event_invoke_config.processor.maximum_retry_attempts == 2 && aws_lambda_function_event_invoke_config.processor.maximum_event_age_in_seconds == 21600
    error_message = "Tried three times, or for six hours of throttling."
  }

  assert {
    condition     = aws_sqs_queue.failures.name == "clickstream-failed-invocations-dev" && aws_sqs_queue.failures.message_retention_seconds == 1209600
    error_message = "Two weeks, SQS's longest, to see to it."
  }

  assert {
    condition     = aws_lambda_function.processor.tracing_config[0].mode == "Active" && aws_lambda_function.processor.reserved_concurrent_executions == -1
    error_message = "Traced; nothing reserved, for a new account has 10 in all."
  }
}

run "queries_and_logs_are_bounded" {
  command = plan

  assert {
    condition     = aws_athena_workgroup.lake.configuration[0].enforce_workgroup_configuration && aws_athena_workgroup.lake.configuration[0].bytes_scanned_cutoff_per_query == 107374182400
    error_message = "No query reads more than 100 GiB, whatever the client asks for."
  }

  assert {
    condition = (
      aws_athena_workgroup.lake.configuration[0].engine_version[0].selected_engine_version == "Athena engine version 3"
      && aws_athena_workgroup.lake.configuration[0].publish_cloudwatch_metrics_enabled
      && aws_athena_workgroup.lake.configuration[0].result_configuration[0].output_location == "s3://acme-clickstream/athena-results/"
    )
    error_message = "The engine that the queries are written for; results lie where they expire."
  }

  assert {
    condition     = [aws_cloudwatch_log_group.processor.name, aws_cloudwatch_log_group.firehose.name] == ["/aws/lambda/clickstream-raw-to-processed-dev", "/aws/kinesisfirehose/clickstream-firehose-dev"]
    error_message = "Lambda and Firehose would make log groups that are kept for ever."
  }

  assert {
    condition     = aws_cloudwatch_log_group.processor.retention_in_days == 30 && aws_cloudwatch_log_group.firehose.retention_in_days == 30
    error_message = "Logs go after 30 days."
  }

  assert {
    condition     = { for query in aws_athena_named_query.first_answers : "${query.name}.sql" => query.query } == { for file in fileset("../../../src/clicklake/queries", "*.sql") : file => file("../../../src/clicklake/queries/${file}") }
    error_message = "Each file of queries/ is a saved query."
  }
}

run "saved_queries_read_the_tables_that_the_pipeline_file_names" {
  command = plan

  variables {
    pipeline_file = "tests/pipelines/own_names.json"
  }

  assert {
    condition     = toset(flatten([for query in aws_athena_named_query.first_answers : regexall("acme_[a-z]+|clickstream_[a-z]+", query.query)])) == toset(["acme_events", "acme_failed", "acme_ledger", "acme_once"])
    error_message = "acme_events, acme_failed, acme_ledger and acme_once are what this file calls them."
  }
}
