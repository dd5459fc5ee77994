# With enable_collector = true: an HTTP API that browsers and servers send to, unsigned, and the function behind it, which puts
# what they send into the delivery stream. docs/collector-aws.md says what it costs and what it can't do.

locals {
  collector = "${local.stack}-collector"

  # What the clients send to, as src/clicklake/collector/dialects/ has it: other paths cost no invocation. Below /collect is the
  # same again, for a CloudFront distribution of your site that hands /collect/* on.
  collector_routes = toset([
    "GET /health",
    "GET /openapi.json",
    "POST /v1/events",
    "POST /v1/cloudevents",

    # Segment
    "POST /v1/track", "POST /v1/t",
    "POST /v1/page", "POST /v1/p",
    "POST /v1/screen", "POST /v1/s",
    "POST /v1/identify", "POST /v1/i",
    "POST /v1/group", "POST /v1/g",
    "POST /v1/alias", "POST /v1/a",
    "POST /v1/batch", "POST /v1/b",
    "POST /v1/import", "POST /v1/m",
    "GET /v1/projects/{writeKey}/settings",

    # Snowplow
    "POST /com.snowplowanalytics.snowplow/tp2",
    "GET /i",

    # GA4
    "POST /mp/collect",
    "POST /debug/mp/collect",

    "GET /collect/{proxy+}",
    "POST /collect/{proxy+}",
    "OPTIONS /{proxy+}", # preflights: the function knows which origins may, and the API knows no https://*.shop.example
  ])

  collector_settings = jsonencode(merge(
    {
      sites           = var.collector_sites
      origins         = var.collector_origins
      trusted_proxies = var.collector_trusted_proxies
      consent         = var.collector_consent
    },
    var.collector_cookie == null ? {} : { cookie = var.collector_cookie },
  ))

  # Nothing of a person's: no address, no path with what follows it, no user agent.
  collector_access_log = jsonencode({
    time        = "$context.requestTime"
    request     = "$context.requestId"
    route       = "$context.routeKey"
    status      = "$context.status"
    bytes       = "$context.responseLength"
    ms          = "$context.responseLatency"
    function_ms = "$context.integrationLatency"
    error       = "$context.integrationErrorMessage"
  })
}

resource "aws_apigatewayv2_api" "collector" {
  count = var.enable_collector ? 1 : 0

  name          = local.collector
  description   = "Takes events from browsers and servers for ${local.names.delivery_stream}."
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "collector" {
  count = var.enable_collector ? 1 : 0

  api_id                 = aws_apigatewayv2_api.collector[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.collector[0].arn
  payload_format_version = "2.0"
  timeout_milliseconds   = (aws_lambda_function.collector[0].timeout + 2) * 1000 # so that it is the function that answers
}

resource "aws_apigatewayv2_route" "collector" {
  for_each = var.enable_collector ? local.collector_routes : []

  api_id             = aws_apigatewayv2_api.collector[0].id
  route_key          = each.value
  authorization_type = "NONE" # browsers sign nothing: a site's write key and its origins are what the function looks at
  target             = "integrations/${aws_apigatewayv2_integration.collector[0].id}"
}

resource "aws_apigatewayv2_stage" "collector" {
  count = var.enable_collector ? 1 : 0

  api_id      = aws_apigatewayv2_api.collector[0].id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  # What is above gets 429 at once and costs no invocation.
  default_route_settings {
    throttling_rate_limit  = var.collector_rate_limit
    throttling_burst_limit = var.collector_burst_limit
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.collector_access[0].arn
    format          = local.collector_access_log
  }
}

resource "aws_lambda_function" "collector" {
  count = var.enable_collector ? 1 : 0

  function_name = local.collector
  description   = "Puts what comes to the HTTP API into ${local.names.delivery_stream}."
  role          = aws_iam_role.collector[0].arn
  depends_on    = [aws_iam_role_policy.collector, aws_cloudwatch_log_group.collector]

  filename         = var.collector_package
  source_code_hash = try(filebase64sha256(var.collector_package), null)
  handler          = "clicklake.collector.function.handler"
  runtime          = local.pipeline.function.runtime
  architectures    = [local.pipeline.function.architecture]
  memory_size      = var.collector_memory_mib
  timeout          = 10
  tags             = var.tags

  reserved_concurrent_executions = coalesce(var.collector_reserved_concurrency, -1)

  environment {
    variables = {
      CLICKLAKE_COLLECTOR       = local.collector_settings
      CLICKLAKE_DELIVERY_STREAM = aws_kinesis_firehose_delivery_stream.events.name
    }
  }

  # Of each invocation Lambda would write two lines more, START and REPORT, which cost as much as the invocation; the access log
  # has its time.
  logging_config {
    log_format       = "JSON"
    system_log_level = "WARN"
  }

  lifecycle {
    precondition {
      condition     = try(fileexists(var.collector_package), false)
      error_message = "There is no ${coalesce(var.collector_package, "collector's package")}; run: make package"
    }

    # docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 4 KB for all variables together.
    precondition {
      condition     = length(local.collector_settings) <= 3900
      error_message = "The collector's sites and origins have more than 3,900 characters of JSON, and Lambda's variables hold 4 KB; https://*.shop.example stands for many origins."
    }
  }
}

resource "aws_lambda_permission" "collector" {
  count = var.enable_collector ? 1 : 0

  statement_id  = "AllowHttpApi"
  function_name = aws_lambda_function.collector[0].function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.collector[0].execution_arn}/*/*"
}

resource "aws_cloudwatch_log_group" "collector" {
  count = var.enable_collector ? 1 : 0

  name              = "/aws/lambda/${local.collector}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
  tags              = var.tags
}

# By its name it needs no line of its own in the account's one policy for deliveries of logs, which has room for few:
# docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
resource "aws_cloudwatch_log_group" "collector_access" {
  count = var.enable_collector ? 1 : 0

  name              = "/aws/vendedlogs/${local.collector}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
  tags              = var.tags
}

resource "aws_iam_role" "collector" {
  count = var.enable_collector ? 1 : 0

  name                 = local.collector
  description          = "What the collector may do."
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "collector" {
  count = var.enable_collector ? 1 : 0

  name = local.collector
  role = aws_iam_role.collector[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["firehose:PutRecordBatch"]
          Resource = [local.stream_arn]
        },
        {
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${local.aws}:logs:${local.here}:log-group:/aws/lambda/${local.collector}:*"]
        },
      ],
      local.has_key ? [local.producer_key_statement] : [],
    )
  })
}

# With alarms = true; alarms.tf says what their fields mean.
locals {
  of_collector     = { namespace = "AWS/Lambda", dimensions = { FunctionName = local.collector } }
  of_collector_api = { namespace = "AWS/ApiGateway", dimensions = { ApiId = one(aws_apigatewayv2_api.collector[*].id) } }

  collector_alarms = {
    "collector-failing" = merge(local.of_collector_api, {
      metric      = "5xx"
      statistic   = "Sum"
      above       = 0
      periods     = 3
      description = "Clients are told that the collector fails; good ones send again. Runbook: read log groups /aws/lambda/${local.collector} and /aws/vendedlogs/${local.collector}; 503 means that the delivery stream could not be reached or refused."
    })
    "collector-errors" = merge(local.of_collector, {
      metric      = "Errors"
      statistic   = "Sum"
      above       = 0
      periods     = 1
      description = "The collector's function does not start, or does not end in time. Runbook: read log group /aws/lambda/${local.collector}."
    })
    "collector-throttled" = merge(local.of_collector, {
      metric      = "Throttles"
      statistic   = "Sum"
      above       = 0
      periods     = 1
      description = "More requests come than the collector's function may work on at once; clients are told that it fails. Runbook: raise collector_reserved_concurrency, or the account's quota of concurrent executions."
    })
    "collector-refusing" = {
      namespace   = local.own_metrics
      dimensions  = {}
      metric      = "CollectorTooManyRequests"
      statistic   = "Sum"
      above       = 0
      periods     = 3
      description = "Clients get 429. Runbook: read log group /aws/vendedlogs/${local.collector}. Where function_ms is -, the API refused them: raise collector_rate_limit and collector_burst_limit, unless it is a flood. Else the delivery stream did: raise its quota."
    }
  }
}

# HTTP APIs have no metric of what they throttle.
resource "aws_cloudwatch_log_metric_filter" "collector" {
  count = var.enable_collector && var.alarms ? 1 : 0

  name           = "${local.collector}-too-many-requests"
  log_group_name = aws_cloudwatch_log_group.collector_access[0].name
  pattern        = "{ $.status = \"429\" }"

  metric_transformation {
    namespace = local.own_metrics
    name      = local.collector_alarms["collector-refusing"].metric
    value     = "1"
    unit      = "Count"
  }
}
