# What the account may cost in a month before somebody is told. Two budgets of an account are free.

resource "aws_budgets_budget" "monthly" {
  count      = var.monthly_budget_usd == null ? 0 : 1
  depends_on = [aws_sns_topic_policy.alarms]

  name         = local.stack
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  tags         = var.tags

  dynamic "cost_filter" {
    for_each = var.budget_tag == null ? [] : [var.budget_tag]

    content {
      name   = "TagKeyValue"
      values = [format("user:%s$%s", cost_filter.value.key, cost_filter.value.value)] # "$${" would be an escape
    }
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = aws_sns_topic.alarms[*].arn
    }
  }
}
