# With alarms = true: one for each way in which events can be late or lost. Each description ends with what to do.
#
# Metrics: docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html,
# docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
# docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html and
# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html.

locals {
  of_stream   = { namespace = "AWS/Firehose", dimensions = { DeliveryStreamName = local.names.delivery_stream } }
  of_function = { namespace = "AWS/Lambda", dimensions = { FunctionName = local.names.function } }
  of_queue    = { namespace = "AWS/SQS", dimensions = { QueueName = local.names.failure_queue } }

  # A period is 5 minutes; `periods` of them in a row. What has no datapoint is fine, but for "no-data".
  alarms = merge({ for name, alarm in local.collector_alarms : name => alarm if var.enable_collector }, {
    "delivery-late" = merge(local.of_stream, {
      metric      = "DeliveryToS3.DataFreshness"
      statistic   = "Maximum"
      above       = local.buffering.seconds + 300
      periods     = 3
      description = "The oldest event that is not in raw/ yet is older than the buffering of ${local.buffering.seconds} s allows. Runbook: read log group /aws/kinesisfirehose/${local.names.delivery_stream}; Firehose gives up and loses events after 24 h."
    })
    "delivery-failing" = merge(local.of_stream, {
      metric      = "DeliveryToS3.Success"
      statistic   = "Average"
      below       = 1
      periods     = 3
      description = "Firehose can't write to the bucket. Runbook: read log group /aws/kinesisfirehose/${local.names.delivery_stream}, then check the role ${local.names.delivery_stream}, the bucket's policy and its key; Firehose gives up and loses events after 24 h."
    })
    "throttled" = merge(local.of_stream, {
      metric      = "ThrottledRecords"
      statistic   = "Sum"
      above       = 0
      periods     = 1
      description = "Senders get more ServiceUnavailable than they may: the stream's quota is reached. Runbook: raise it in Service Quotas, and see that every sender tries what was refused again."
    })
    "function-errors" = merge(local.of_function, {
      metric      = "Errors"
      statistic   = "Sum"
      above       = 0
      periods     = 3
      description = "The function fails again and again. Runbook: read log group /aws/lambda/${local.names.function}; each object is tried ${1 + local.pipeline.function.maximum_retry_attempts} times and then waits in ${local.names.failure_queue}."
    })
    "function-throttled" = merge(local.of_function, {
      metric      = "Throttles"
      statistic   = "Sum"
      above       = 0
      periods     = 3
      description = "More raw objects come than the function may run at once; they wait. Runbook: raise the account's quota of concurrent executions, or reserved_concurrency."
    })
    "function-slow" = merge(local.of_function, {
      metric      = "Duration"
      percentile  = "p99"
      above       = local.pipeline.function.timeout_seconds * 1000 * 0.8
      periods     = 1
      description = "The function needs more than 80 % of its ${local.pipeline.function.timeout_seconds} s. Runbook: give it more memory_mib or timeout_seconds in the pipeline file, or let Firehose buffer less."
    })
    "events-waiting" = merge(local.of_function, {
      metric      = "AsyncEventAge"
      statistic   = "Maximum"
      above       = local.pipeline.function.maximum_event_age_seconds * 1000 / 6
      periods     = 1
      description = "A raw object has waited for the function for a sixth of the ${local.pipeline.function.maximum_event_age_seconds} s that Lambda keeps it. Runbook: look at the alarms of throttles and errors."
    })
    "events-dropped" = merge(local.of_function, {
      metric      = "AsyncEventsDropped"
      statistic   = "Sum"
      above       = 0
      periods     = 1
      description = "Lambda gave up on a raw object, which is in raw/ and not in processed/. Runbook: take the message out of ${local.names.failure_queue}, mend the cause, and invoke the function with the message's requestPayload."
    })
    "failure-report-lost" = merge(local.of_function, {
      metric      = "DestinationDeliveryFailures"
      statistic   = "Sum"
      above       = 0
      periods     = 1
      description = "Lambda could not put a failed invocation into ${local.names.failure_queue}. Runbook: check sqs:SendMessage of the role ${local.names.function}, and the queue's key; compare raw/ with the ledger to find the object."
    })
    "failures-waiting" = merge(local.of_queue, {
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      above       = 0
      periods     = 1
      description = "Raw objects that were never processed wait in ${local.names.failure_queue}, which keeps them for 14 days. Runbook: read a message's responsePayload, mend the cause, and invoke the function with each message's requestPayload before you delete it."
    })
    "no-data" = merge(local.of_stream, {
      metric      = "IncomingRecords"
      statistic   = "Sum"
      below       = 1
      periods     = ceil(coalesce(var.no_data_minutes, 5) / 5)
      missing     = "breaching"
      description = "No event came for ${coalesce(var.no_data_minutes, 5)} minutes. Runbook: send one with clicklake send; if it arrives, look at the senders and their credentials."
    })
  })

  wanted_alarms = { for name, alarm in local.alarms : name => alarm if var.alarms && (name != "no-data" || var.no_data_minutes != null) }

  # docs.aws.amazon.com/firehose/latest/dev/firehose-cloudwatch-metrics-best-practices.html
  quotas = {
    "near-bytes-quota"    = { usage = "IncomingBytes", quota = "BytesPerSecondLimit" }
    "near-records-quota"  = { usage = "IncomingRecords", quota = "RecordsPerSecondLimit" }
    "near-requests-quota" = { usage = "IncomingPutRequests", quota = "PutRequestsPerSecondLimit" }
  }
}

resource "aws_cloudwatch_metric_alarm" "stack" {
  for_each = local.wanted_alarms

  alarm_name        = "${local.stack}-${each.key}"
  alarm_description = each.value.description
  tags              = var.tags

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, null)
  extended_statistic  = try(each.value.percentile, null)
  period              = 300
  evaluation_periods  = each.value.periods
  threshold           = try(each.value.above, each.value.below)
  comparison_operator = can(each.value.above) ? "GreaterThanThreshold" : "LessThanThreshold"
  treat_missing_data  = try(each.value.missing, "notBreaching")

  alarm_actions = local.alarm_actions
  ok_actions    = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "quota" {
  for_each = { for name, quota in local.quotas : name => quota if var.alarms }

  alarm_name        = "${local.stack}-${each.key}"
  alarm_description = "${each.value.usage} of the stream is above 80 % of its quota ${each.value.quota}. Runbook: raise the quota in Service Quotas (the three grow together), or let senders pack more events into a record."
  tags              = var.tags

  evaluation_periods  = 3
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "percent"
    expression  = "100 * usage / 300 / quota"
    label       = "Percent of ${each.value.quota}"
    return_data = true
  }

  metric_query {
    id = "usage"

    metric {
      namespace   = local.of_stream.namespace
      metric_name = each.value.usage
      dimensions  = local.of_stream.dimensions
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "quota"

    metric {
      namespace   = local.of_stream.namespace
      metric_name = each.value.quota
      dimensions  = local.of_stream.dimensions
      period      = 300
      stat        = "Minimum"
    }
  }

  alarm_actions = local.alarm_actions
  ok_actions    = local.alarm_actions
}

# Failed records: the function writes a line of JSON for each raw object, with its counts, and CloudWatch Logs adds them up.
resource "aws_cloudwatch_log_metric_filter" "records" {
  for_each = { for metric, field in local.counted : metric => field if var.alarms }

  name           = "${local.stack}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.processor.name
  pattern        = "{ $.outcome = \"processed\" }"

  metric_transformation {
    namespace = local.own_metrics
    name      = each.key
    value     = "$.${each.value}"
    unit      = "Count"
  }
}

locals {
  # The fields of src/clicklake/transform/event.py's Tally, as processor.py logs them.
  counted     = { Records = "records_in", FailedRecords = "failed" }
  own_metrics = "Clicklake/${local.stack}"
}

resource "aws_cloudwatch_metric_alarm" "failed_records" {
  count = var.alarms ? 1 : 0

  alarm_name        = "${local.stack}-failed-records"
  alarm_description = "More than ${var.failed_records_percent} % of the records could not become events. Runbook: ask which and why: clicklake query --name failures_by_reason; their bytes are in ${local.pipeline.tables.failed.name}."
  tags              = var.tags

  evaluation_periods  = 1
  threshold           = var.failed_records_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "percent"
    expression  = "100 * failedrecords / records"
    label       = "Percent of failed records"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = aws_cloudwatch_log_metric_filter.records

    content {
      id = lower(metric_query.key)

      metric {
        namespace   = local.own_metrics
        metric_name = metric_query.key
        period      = 900
        stat        = "Sum"
      }
    }
  }

  alarm_actions = local.alarm_actions
  ok_actions    = local.alarm_actions
}
