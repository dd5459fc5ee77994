# A function behind an HTTP API, as a user's own module would make it: read by tests/test_http_api_terraform.py.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90.0, < 7.0.0"
    }
  }
}

variable "burst" {
  type    = number
  default = 50
}

variable "origins" {
  type    = list(string)
  default = ["https://shop.example"]
}

resource "aws_iam_role" "function" {
  name = "http-api-function"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "echo" {
  function_name    = "http-api-echo"
  role             = aws_iam_role.function.arn
  handler          = "app.handler"
  runtime          = "python3.13"
  filename         = "${path.module}/function.zip"
  source_code_hash = filebase64sha256("${path.module}/function.zip")
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/http-api/terraform"
  retention_in_days = 7
}

resource "aws_apigatewayv2_api" "this" {
  name          = "collector"
  description   = "a function for anybody"
  protocol_type = "HTTP"
  tags          = { Team = "web" }

  cors_configuration {
    allow_origins     = var.origins
    allow_methods     = ["GET", "POST"]
    allow_headers     = ["content-type"]
    expose_headers    = ["retry-after"]
    allow_credentials = true
    max_age           = 600
  }
}

resource "aws_apigatewayv2_integration" "echo" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.echo.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 10000
}

resource "aws_apigatewayv2_route" "each" {
  for_each  = toset(["POST /v1/{proxy+}", "GET /i", "ANY /health"])
  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.value
  target    = "integrations/${aws_apigatewayv2_integration.echo.id}"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = { Team = "web" }

  default_route_settings {
    throttling_rate_limit  = 100
    throttling_burst_limit = var.burst
  }

  route_settings {
    route_key              = aws_apigatewayv2_route.each["GET /i"].route_key
    throttling_rate_limit  = 1000
    throttling_burst_limit = 500
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode({ route = "$context.routeKey", status = "$context.status" })
  }
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.echo.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

# A function URL beside it. The provider lets everybody call lambda:InvokeFunctionUrl itself; since October 2025 that is one
# of two permissions that AWS asks for.
resource "aws_lambda_function_url" "echo" {
  function_name      = aws_lambda_function.echo.function_name
  authorization_type = "NONE"

  cors {
    allow_origins = var.origins
    allow_methods = ["*"]
    max_age       = 60
  }
}

resource "aws_lambda_permission" "everybody" {
  statement_id  = "everybody"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.echo.function_name
  principal     = "*"
}

output "function_url" {
  value = aws_lambda_function_url.echo.function_url
}

output "url" {
  value = aws_apigatewayv2_api.this.api_endpoint
}
