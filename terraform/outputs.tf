output "s3_bucket_name" {
  description = "The lake's bucket."
  value       = module.clickstream.s3_bucket_name
}

output "delivery_stream_name" {
  description = "Where clients send events: aws firehose put-record --delivery-stream-name."
  value       = module.clickstream.delivery_stream_name
}

output "function_name" {
  description = "The processor, which makes processed/ of raw/."
  value       = module.clickstream.function_name
}

output "database_name" {
  description = "The Glue database with the tables and the view."
  value       = module.clickstream.database_name
}

output "table_names" {
  description = "The tables: good events, failed records, and the ledger of what became of each raw object."
  value       = module.clickstream.table_names
}

output "unique_view_name" {
  description = "The view of the events without repeats."
  value       = module.clickstream.unique_view_name
}

output "workgroup_name" {
  description = "The Athena workgroup whose settings and result location queries use."
  value       = module.clickstream.workgroup_name
}

output "first_query" {
  description = "A query to begin with."
  value       = "SELECT event_type, COUNT(*) FROM ${module.clickstream.database_name}.${module.clickstream.table_names.events} GROUP BY event_type;"
}
