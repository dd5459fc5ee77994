output "delivery_stream_arn" {
  description = "Where clients send events."
  value       = module.clickstream.delivery_stream_arn
}

output "producer_policy_arn" {
  description = "What a role needs that sends events."
  value       = aws_iam_policy.producer.arn
}

output "collector_url" {
  description = "Where browsers send events; the origin of /collect/* in the shop's distribution."
  value       = module.clickstream.collector_url
}

output "alarm_topic_arn" {
  description = "Where alarms and the budget are announced."
  value       = module.clickstream.alarm_topic_arn
}
