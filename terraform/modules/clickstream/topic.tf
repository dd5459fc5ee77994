# Where alarms and the budget are announced. A subscriber by e-mail has to confirm.

locals {
  has_topic     = var.alarms || var.monthly_budget_usd != null
  topic_arn     = "${local.aws}:sns:${local.here}:${local.stack}-alarms"
  alarm_actions = concat(aws_sns_topic.alarms[*].arn, var.alarm_actions)
}

resource "aws_sns_topic" "alarms" {
  count = local.has_topic ? 1 : 0

  name              = "${local.stack}-alarms"
  kms_master_key_id = local.key_arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "alarms" {
  count = local.has_topic ? 1 : 0

  arn = aws_sns_topic.alarms[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
        Sid       = "Announce"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = local.has_topic ? var.alarm_emails : []

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}
