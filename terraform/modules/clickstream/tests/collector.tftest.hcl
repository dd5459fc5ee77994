# With enable_collector: a public HTTP API whose every request costs little, a function that may do one thing, and no trace of who
# sent what in any log. Without it, nothing of that.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name    = "acme-clickstream"
  lambda_package    = "tests/package.zip"
  collector_package = "tests/package.zip"
  collector_sites   = [{ app_id = "shop", write_key = "shop-key-1", origins = ["https://*.shop.example"] }]
}

run "there_is_none_by_default" {
  command = plan

  assert {
    condition = 0 == sum([
      length(aws_apigatewayv2_api.collector), length(aws_apigatewayv2_integration.collector), length(aws_apigatewayv2_route.collector),
      length(aws_apigatewayv2_stage.collector), length(aws_lambda_function.collector), length(aws_lambda_permission.collector),
      length(aws_cloudwatch_log_group.collector), length(aws_cloudwatch_log_group.collector_access), length(aws_iam_role.collector),
      length(aws_iam_role_policy.collector), length(aws_cloudwatch_log_metric_filter.collector),
    ])
    error_message = "What nobody asked for is open to nobody."
  }

  assert {
    condition     = output.collector_url == null && output.collector_api_id == null
    error_message = "There is no address."
  }
}

run "events_come_in" {
  command = plan

  variables {
    enable_collector = true
  }

  override_resource {
    target          = aws_apigatewayv2_api.collector
    override_during = plan
    values = {
      id            = "a1b2c3"
      api_endpoint  = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3"
    }
  }

  override_resource {
    target          = aws_apigatewayv2_integration.collector
    override_during = plan
    values          = { id = "int1" }
  }

  override_resource {
    target          = aws_lambda_function.collector
    override_during = plan
    values          = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:clickstream-dev-collector" }
  }

  assert {
    condition = alltrue([
      for key, route in aws_apigatewayv2_route.collector :
      route.route_key == key && route.authorization_type == "NONE" && route.target == "integrations/int1" && route.api_id == "a1b2c3"
    ]) && contains(keys(aws_apigatewayv2_route.collector), "POST /v1/events")
    error_message = "Every route leads to the function, for anybody."
  }

  assert {
    condition     = !anytrue([for key in keys(aws_apigatewayv2_route.collector) : startswith(key, "ANY ") || strcontains(key, "$default")])
    error_message = "A path that no client has costs no invocation."
  }

  assert {
    condition = (
      aws_apigatewayv2_api.collector[0].protocol_type == "HTTP"
      && aws_apigatewayv2_integration.collector[0].integration_type == "AWS_PROXY"
      && aws_apigatewayv2_integration.collector[0].integration_uri == "arn:aws:lambda:eu-central-1:123456789012:function:clickstream-dev-collector"
      && aws_apigatewayv2_integration.collector[0].payload_format_version == "2.0"
      && aws_apigatewayv2_integration.collector[0].timeout_milliseconds > aws_lambda_function.collector[0].timeout * 1000
    )
    error_message = "In the format that the function reads, and the function has its whole time."
  }

  assert {
    condition = (
      aws_apigatewayv2_stage.collector[0].name == "$default" && aws_apigatewayv2_stage.collector[0].auto_deploy
      && aws_apigatewayv2_stage.collector[0].default_route_settings[0].throttling_rate_limit == 100
      && aws_apigatewayv2_stage.collector[0].default_route_settings[0].throttling_burst_limit == 200
    )
    error_message = "No flood is dear."
  }

  assert {
    condition     = sort(values(jsondecode(aws_apigatewayv2_stage.collector[0].access_log_settings[0].format))) == sort([for name in ["requestTime", "requestId", "routeKey", "status", "responseLength", "responseLatency", "integrationLatency", "integrationErrorMessage"] : "$context.${name}"])
    error_message = "Neither an address nor a URL nor a user agent is in the access log."
  }

  assert {
    condition     = aws_lambda_permission.collector[0].principal == "apigateway.amazonaws.com" && aws_lambda_permission.collector[0].action == "lambda:InvokeFunction" && aws_lambda_permission.collector[0].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/*/*"
    error_message = "This API, and no other, may invoke the function."
  }

  assert {
    condition = (
      aws_lambda_function.collector[0].function_name == "clickstream-dev-collector"
      && aws_lambda_function.collector[0].handler == "clicklake.collector.function.handler"
      && aws_lambda_function.collector[0].runtime == aws_lambda_function.processor.runtime
      && aws_lambda_function.collector[0].architectures == aws_lambda_function.processor.architectures
      && aws_lambda_function.collector[0].source_code_hash == filebase64sha256("tests/package.zip")
    )
    error_message = "The package, taken by its hash."
  }

  assert {
    condition     = [for function in aws_lambda_function.collector : [function.memory_size, function.timeout, function.reserved_concurrent_executions]] == [[512, 10, -1]]
    error_message = "It has 10 s, and takes nothing of the account's concurrency."
  }

  assert {
    condition     = aws_lambda_function.collector[0].logging_config[0].log_format == "JSON" && aws_lambda_function.collector[0].logging_config[0].system_log_level == "WARN"
    error_message = "Lambda's own lines about each request would cost as much as the request."
  }

  assert {
    condition = jsonencode(jsondecode(aws_lambda_function.collector[0].environment[0].variables.CLICKLAKE_COLLECTOR)) == jsonencode({
      consent         = "ignore"
      origins         = []
      sites           = [{ app_id = "shop", origins = ["https://*.shop.example"], write_key = "shop-key-1" }]
      trusted_proxies = 0
    })
    error_message = "What the collector is told; what it is not told has the collector's own default."
  }

  assert {
    condition     = aws_lambda_function.collector[0].environment[0].variables.CLICKLAKE_DELIVERY_STREAM == "clickstream-firehose-dev"
    error_message = "Into this stream."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.collector[0].policy).Statement) == jsonencode([
      { Action = ["firehose:PutRecordBatch"], Effect = "Allow", Resource = ["arn:aws:firehose:eu-central-1:123456789012:deliverystream/clickstream-firehose-dev"] },
      { Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Effect = "Allow", Resource = ["arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/clickstream-dev-collector:*"] },
    ])
    error_message = "It puts records into this stream, and nothing else."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.collector[0].assume_role_policy).Statement) == jsonencode([{
      Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }
    }])
    error_message = "Only Lambda takes on its role."
  }

  assert {
    condition = { for group in [aws_cloudwatch_log_group.collector[0], aws_cloudwatch_log_group.collector_access[0]] : group.name => group.retention_in_days } == {
      "/aws/lambda/clickstream-dev-collector"     = 30
      "/aws/vendedlogs/clickstream-dev-collector" = 30
    }
    error_message = "Logs go after a month."
  }

  assert {
    condition     = output.collector_url == "https://a1b2c3.execute-api.eu-central-1.amazonaws.com" && output.collector_api_id == "a1b2c3"
    error_message = "Where browsers send to."
  }
}

run "what_can_be_told" {
  command = plan

  variables {
    enable_collector               = true
    collector_sites                = [{ app_id = "shop", write_key = "shop-key-1" }]
    collector_origins              = ["https://shop.example", "http://localhost:*"]
    collector_consent              = "anonymise"
    collector_cookie               = { domain = "shop.example" }
    collector_trusted_proxies      = 1
    collector_rate_limit           = 1000
    collector_burst_limit          = 500
    collector_memory_mib           = 1024
    collector_reserved_concurrency = 7
  }

  assert {
    condition = jsonencode(jsondecode(aws_lambda_function.collector[0].environment[0].variables.CLICKLAKE_COLLECTOR)) == jsonencode({
      consent         = "anonymise"
      cookie          = { days = 365, domain = "shop.example", name = "clid" }
      origins         = ["https://shop.example", "http://localhost:*"]
      sites           = [{ app_id = "shop", origins = [], write_key = "shop-key-1" }]
      trusted_proxies = 1
    })
    error_message = "Each setting reaches the collector."
  }

  assert {
    condition     = aws_lambda_function.collector[0].memory_size == 1024 && aws_lambda_function.collector[0].reserved_concurrent_executions == 7
    error_message = "So do those of the function."
  }

  assert {
    condition     = aws_apigatewayv2_stage.collector[0].default_route_settings[0].throttling_rate_limit == 1000 && aws_apigatewayv2_stage.collector[0].default_route_settings[0].throttling_burst_limit == 500
    error_message = "And those of the API."
  }
}

run "it_is_watched" {
  command = plan

  variables {
    enable_collector = true
    alarms           = true
    dashboard        = true
  }

  override_resource {
    target          = aws_apigatewayv2_api.collector
    override_during = plan
    values          = { id = "a1b2c3", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3" }
  }

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.stack :
      name => "${alarm.namespace} ${alarm.metric_name} ${jsonencode(alarm.dimensions)} ${alarm.comparison_operator} ${alarm.threshold} x ${alarm.evaluation_periods}" if startswith(name, "collector-")
      } == {
      collector-failing   = "AWS/ApiGateway 5xx {\"ApiId\":\"a1b2c3\"} GreaterThanThreshold 0 x 3"
      collector-errors    = "AWS/Lambda Errors {\"FunctionName\":\"clickstream-dev-collector\"} GreaterThanThreshold 0 x 1"
      collector-throttled = "AWS/Lambda Throttles {\"FunctionName\":\"clickstream-dev-collector\"} GreaterThanThreshold 0 x 1"
      collector-refusing  = "Clicklake/clickstream-dev CollectorTooManyRequests {} GreaterThanThreshold 0 x 3"
    }
    error_message = "Each way in which clients can be sent away has an alarm."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.collector[0].pattern == "{ $.status = \"429\" }" && aws_cloudwatch_log_metric_filter.collector[0].log_group_name == "/aws/vendedlogs/clickstream-dev-collector" && aws_cloudwatch_log_metric_filter.collector[0].metric_transformation[0].name == aws_cloudwatch_metric_alarm.stack["collector-refusing"].metric_name
    error_message = "What the API throttles is counted in its access log."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.lake[0].dashboard_body).widgets) == 9
    error_message = "And stands first on the dashboard."
  }
}

run "a_given_key_encrypts_its_logs_and_its_role_may_use_it" {
  command = plan

  variables {
    enable_collector = true
    encryption       = "given-key"
    kms_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/theirs"
  }

  assert {
    condition     = distinct([aws_cloudwatch_log_group.collector[0].kms_key_id, aws_cloudwatch_log_group.collector_access[0].kms_key_id]) == tolist([var.kms_key_arn])
    error_message = "Both of its logs."
  }

  assert {
    condition = jsonencode([for statement in jsondecode(aws_iam_role_policy.collector[0].policy).Statement : statement if startswith(statement.Action[0], "kms:")]) == jsonencode([
      for statement in jsondecode(output.producer_policy).Statement : statement if startswith(statement.Action[0], "kms:")
    ]) && strcontains(aws_iam_role_policy.collector[0].policy, "kms:GenerateDataKey")
    error_message = "As every sender to a stream with a key."
  }

  assert {
    condition = alltrue([
      for name in ["lambda/clickstream-dev-collector", "vendedlogs/clickstream-dev-collector"] :
      strcontains(output.key_policy_statements, "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/${name}\"")
    ])
    error_message = "The key lets CloudWatch Logs encrypt them."
  }
}

run "a_missing_package_is_refused" {
  command = plan

  variables {
    enable_collector  = true
    collector_package = "tests/nowhere.zip"
  }

  expect_failures = [aws_lambda_function.collector]
}

run "more_sites_than_a_variable_holds_are_refused" {
  command = plan

  variables {
    enable_collector = true
    collector_sites  = [for number in range(60) : { app_id = "shop-${number}", write_key = "the-key-of-shop-number-${number}", origins = [] }]
  }

  expect_failures = [aws_lambda_function.collector]
}
