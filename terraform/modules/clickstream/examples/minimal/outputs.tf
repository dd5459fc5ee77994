output "delivery_stream_name" {
  description = "Where clients send events."
  value       = module.clickstream.delivery_stream_name
}

output "database_name" {
  description = "Where to query them."
  value       = module.clickstream.database_name
}
