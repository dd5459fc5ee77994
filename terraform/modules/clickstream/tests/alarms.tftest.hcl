# What watches the pipeline: nothing by default, for it costs something; everything when it is asked for.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "a_stack_at_rest_costs_nothing" {
  command = plan

  assert {
    condition = 0 == sum([
      length(aws_cloudwatch_metric_alarm.stack), length(aws_cloudwatch_metric_alarm.quota), length(aws_cloudwatch_metric_alarm.failed_records),
      length(aws_cloudwatch_log_metric_filter.records), length(aws_sns_topic.alarms), length(aws_sns_topic_policy.alarms),
      length(aws_sns_topic_subscription.alarms), length(aws_cloudwatch_dashboard.lake), length(aws_budgets_budget.monthly), length(aws_kms_key.lake),
    ])
    error_message = "Alarms, topic, dashboard, budget and key are made only when they are asked for."
  }
}

run "all_alarms" {
  command = plan

  variables {
    alarms       = true
    alarm_emails = ["ops@acme.example"]
  }

  override_resource {
    target          = aws_sns_topic.alarms
    override_during = plan
    values          = { arn = "arn:aws:sns:eu-central-1:123456789012:clickstream-dev-alarms" }
  }

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.stack : name => "${alarm.metric_name} ${alarm.comparison_operator} ${alarm.threshold} x ${alarm.evaluation_periods}" } == {
      delivery-late       = "DeliveryToS3.DataFreshness GreaterThanThreshold 600 x 3"
      delivery-failing    = "DeliveryToS3.Success LessThanThreshold 1 x 3"
      throttled           = "ThrottledRecords GreaterThanThreshold 0 x 1"
      function-errors     = "Errors GreaterThanThreshold 0 x 3"
      function-throttled  = "Throttles GreaterThanThreshold 0 x 3"
      function-slow       = "Duration GreaterThanThreshold 240000 x 1"
      events-waiting      = "AsyncEventAge GreaterThanThreshold 3600000 x 1"
      events-dropped      = "AsyncEventsDropped GreaterThanThreshold 0 x 1"
      failure-report-lost = "DestinationDeliveryFailures GreaterThanThreshold 0 x 1"
      failures-waiting    = "ApproximateNumberOfMessagesVisible GreaterThanThreshold 0 x 1"
      no-data             = "IncomingRecords LessThanThreshold 1 x 12"
    }
    error_message = "Each way in which events can be late or lost has an alarm."
  }

  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.stack : name => alarm.treat_missing_data if alarm.treat_missing_data != "notBreaching" } == { no-data = "breaching" }
    error_message = "Where nothing happens nothing is wrong, but that nothing comes."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.stack["function-slow"].extended_statistic == "p99"
    error_message = "The slowest of a hundred."
  }

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.quota : name => sort(compact([for query in alarm.metric_query : try(query.metric[0].metric_name, "")])) } == {
      near-bytes-quota    = tolist(["BytesPerSecondLimit", "IncomingBytes"])
      near-records-quota  = tolist(["IncomingRecords", "RecordsPerSecondLimit"])
      near-requests-quota = tolist(["IncomingPutRequests", "PutRequestsPerSecondLimit"])
    }
    error_message = "Each of the stream's three quotas, before it is reached."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.failed_records[0].threshold == 1 && { for name, filter in aws_cloudwatch_log_metric_filter.records : name => filter.metric_transformation[0].value } == { Records = "$.records_in", FailedRecords = "$.failed" }
    error_message = "One failed record in a hundred, by what the function logs."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.stack), values(aws_cloudwatch_metric_alarm.quota), aws_cloudwatch_metric_alarm.failed_records) :
      strcontains(alarm.alarm_description, "Runbook: ") && alarm.alarm_actions == toset([aws_sns_topic.alarms[0].arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms[0].arn])
    ])
    error_message = "Each alarm says what to do, and is announced, as is its end."
  }

  assert {
    condition     = [for subscription in aws_sns_topic_subscription.alarms : "${subscription.protocol} ${subscription.endpoint}"] == ["email ops@acme.example"]
    error_message = "By e-mail."
  }

  assert {
    condition = jsonencode({ for statement in jsondecode(aws_sns_topic_policy.alarms[0].policy).Statement : "${statement.Effect} ${statement.Sid}" => [statement.Principal, statement.Condition] }) == jsonencode({
      "Allow Announce" = [{ Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }, { StringEquals = { "aws:SourceAccount" = "123456789012" } }]
      "Deny TlsOnly"   = [{ AWS = "*" }, { Bool = { "aws:SecureTransport" = "false" } }]
    })
    error_message = "Only alarms and budgets of this account announce anything, with TLS."
  }
}

run "a_quiet_stream_needs_no_alarm" {
  command = plan

  variables {
    alarms          = true
    no_data_minutes = null
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.stack), "no-data") && length(aws_cloudwatch_metric_alarm.stack) == 10
    error_message = "null means never."
  }
}

run "dashboard_and_budget" {
  command = plan

  variables {
    dashboard          = true
    monthly_budget_usd = 50
    budget_tag         = { key = "Project", value = "clicklake" }
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.lake[0].dashboard_body).widgets) == 8 && aws_cloudwatch_dashboard.lake[0].dashboard_name == "clickstream-dev"
    error_message = "The walk of the events on one page."
  }

  assert {
    condition = (
      aws_budgets_budget.monthly[0].limit_amount == "50" && aws_budgets_budget.monthly[0].time_unit == "MONTHLY"
      && { for warning in aws_budgets_budget.monthly[0].notification : warning.notification_type => warning.threshold } == { ACTUAL = 80, FORECASTED = 100 }
      && [for filter in aws_budgets_budget.monthly[0].cost_filter : "${filter.name} ${join(" ", filter.values)}"] == ["TagKeyValue user:Project$clicklake"]
    )
    error_message = "Somebody is told at 80 %, and when it will be more."
  }

  assert {
    condition     = length(aws_sns_topic.alarms) == 1 && length(aws_cloudwatch_metric_alarm.stack) == 0
    error_message = "A budget is announced by the topic, too."
  }
}
