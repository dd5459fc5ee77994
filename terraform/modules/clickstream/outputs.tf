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

output "delivery_stream_arn" {
  description = "The delivery stream's ARN."
  value       = aws_kinesis_firehose_delivery_stream.events.arn
}

output "s3_bucket_arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.lake.arn
}

output "failure_queue_url" {
  description = "The queue of the invocations that failed for good."
  value       = aws_sqs_queue.failures.url
}

output "role_arns" {
  description = "The roles of the delivery stream and of the function."
  value       = { delivery_stream = aws_iam_role.firehose.arn, function = aws_iam_role.processor.arn }
}

output "named_queries" {
  description = "The saved queries: their ids by their names."
  value       = { for query in aws_athena_named_query.first_answers : query.name => query.id }
}

output "producer_policy" {
  description = "The IAM policy, as JSON, that a sender of events needs, and nothing else."
  value       = local.producer_policy
}

output "kms_key_arn" {
  description = "The key that encrypts the lake; null with encryption = \"sse-s3\"."
  value       = local.key_arn
}

output "key_policy_statements" {
  description = "What the policy of a given key must say, as JSON: the account may use it through IAM, and so may logs, alarms and budgets."
  value       = jsonencode(local.key_statements)
}

output "alarm_topic_arn" {
  description = "The topic that alarms and the budget are announced to; null without them."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "collector_url" {
  description = "Where browsers and servers send events, each dialect at its own path below; null without enable_collector."
  value       = one(aws_apigatewayv2_api.collector[*].api_endpoint)
}

output "collector_api_id" {
  description = "The HTTP API's id, for a domain name of your own or a distribution before it; null without enable_collector."
  value       = one(aws_apigatewayv2_api.collector[*].id)
}
