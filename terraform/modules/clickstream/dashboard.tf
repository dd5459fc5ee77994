# With dashboard = true: one page that shows the walk of the events, in the order of the walk.

locals {
  # By title: what is shown, as [namespace, metric, statistic, dimensions].
  panels = concat(var.enable_collector ? [local.collector_panel] : [], [
    {
      title = "Events in"
      lines = [for metric in ["IncomingRecords", "ThrottledRecords"] : merge(local.of_stream, { metric = metric, statistic = "Sum" })]
    },
    {
      title = "Bytes in"
      lines = [for metric in ["IncomingBytes", "DeliveryToS3.Bytes"] : merge(local.of_stream, { metric = metric, statistic = "Sum" })]
    },
    {
      title = "Age of the oldest event that is not in raw/ (s)"
      lines = [merge(local.of_stream, { metric = "DeliveryToS3.DataFreshness", statistic = "Maximum" })]
    },
    {
      title = "Function: invocations, errors, throttles"
      lines = [for metric in ["Invocations", "Errors", "Throttles"] : merge(local.of_function, { metric = metric, statistic = "Sum" })]
    },
    {
      title = "Function: duration (ms)"
      lines = [for statistic in ["p50", "p99", "Maximum"] : merge(local.of_function, { metric = "Duration", statistic = statistic })]
    },
    {
      title = "Age of raw objects that wait for the function (ms)"
      lines = [merge(local.of_function, { metric = "AsyncEventAge", statistic = "Maximum" })]
    },
    {
      title = "Failed invocations that wait in the queue"
      lines = [merge(local.of_queue, { metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum" })]
    },
    {
      title = "Bytes that queries read"
      lines = [{ namespace = "AWS/Athena", dimensions = { WorkGroup = local.names.workgroup }, metric = "ProcessedBytes", statistic = "Sum" }]
    },
  ])

  collector_panel = {
    title = "Collector: requests to the function, errors, throttles"
    lines = [for metric in ["Invocations", "Errors", "Throttles"] : merge(local.of_collector, { metric = metric, statistic = "Sum" })]
  }

  widgets = [
    for number, panel in local.panels : {
      type   = "metric"
      x      = number % 2 * 12
      y      = floor(number / 2) * 6
      width  = 12
      height = 6
      properties = {
        title  = panel.title
        region = data.aws_region.current.id
        view   = "timeSeries"
        period = 300
        # docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
        metrics = [
          for line in panel.lines :
          concat([line.namespace, line.metric], flatten([for name, value in line.dimensions : [name, value]]), [{ stat = line.statistic }])
        ]
      }
    }
  ]
}

resource "aws_cloudwatch_dashboard" "lake" {
  count = var.dashboard ? 1 : 0

  dashboard_name = local.stack
  dashboard_body = jsonencode({ widgets = local.widgets })
}
