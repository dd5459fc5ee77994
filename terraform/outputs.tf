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

output "delivery_stream_arn" {
  description = "The delivery stream's ARN."
  value       = module.clickstream.delivery_stream_arn
}

output "s3_bucket_arn" {
  description = "The bucket's ARN."
  value       = module.clickstream.s3_bucket_arn
}

output "failure_queue_url" {
  description = "The queue of the invocations that failed for good."
  value       = module.clickstream.failure_queue_url
}

output "role_arns" {
  description = "The roles of the delivery stream and of the function."
  value       = module.clickstream.role_arns
}

output "named_queries" {
  description = "The saved queries: their ids by their names."
  value       = module.clickstream.named_queries
}

output "producer_policy" {
  description = "The IAM policy, as JSON, that a sender of events needs, and nothing else."
  value       = module.clickstream.producer_policy
}

output "kms_key_arn" {
  description = "The key that encrypts the lake; null with encryption = \"sse-s3\"."
  value       = module.clickstream.kms_key_arn
}

output "key_policy_statements" {
  description = "What the policy of a given key must say, as JSON: the account may use it through IAM, and so may logs, alarms and budgets."
  value       = module.clickstream.key_policy_statements
}

output "alarm_topic_arn" {
  description = "The topic that alarms and the budget are announced to; null without them."
  value       = module.clickstream.alarm_topic_arn
}

output "collector_url" {
  description = "Where browsers and servers send events, each dialect at its own path below; null without enable_collector."
  value       = module.clickstream.collector_url
}

output "collector_api_id" {
  description = "The HTTP API's id, for a domain name of your own or a distribution before it; null without enable_collector."
  value       = module.clickstream.collector_api_id
}
