output "s3_bucket_name" {
  description = "The lake's bucket."
  value       = aws_s3_bucket.lake.bucket
}

output "delivery_stream_name" {
  description = "The delivery stream that clients send events to."
  value       = aws_kinesis_firehose_delivery_stream.events.name
}

output "function_name" {
  description = "The processor."
  value       = aws_lambda_function.processor.function_name
}

output "database_name" {
  description = "The Glue database."
  value       = aws_glue_catalog_database.lake.name
}

output "table_names" {
  description = "The tables: events, failed, ledger."
  value       = { for key, table in aws_glue_catalog_table.lake : key => table.name }
}

output "unique_view_name" {
  description = "The view of the events without repeats."
  value       = aws_glue_catalog_table.unique.name
}

output "workgroup_name" {
  description = "The Athena workgroup."
  value       = aws_athena_workgroup.lake.name
}
