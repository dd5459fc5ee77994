# Everything that the module can do, as an organisation with its own key, logs and roles would use it.

provider "aws" {
  default_tags {
    tags = { Project = "clicklake", Environment = var.environment }
  }
}

data "aws_caller_identity" "current" {}

module "clickstream" {
  source = "../.." # yours: "git::https://<where the repository is>//terraform/modules/clickstream?ref=<tag>"

  environment    = var.environment
  s3_bucket_name = var.s3_bucket_name
  lambda_package = var.lambda_package
  force_destroy  = var.force_destroy
  tags           = { Team = "data" }

  # Small objects, soon there; raw objects for half a year, failed records for ever.
  buffering      = var.buffering
  retention_days = { raw = 180, failed = 0 }

  # Who: ids of users are stored as keyed hashes. The parameter is made outside of Terraform: no state file has the key.
  user_key_parameter   = "/clicklake/${var.environment}/user-key"
  permissions_boundary = aws_iam_policy.boundary.arn
  reserved_concurrency = var.reserved_concurrency
  query_scan_limit_gib = 50
  log_retention_days   = 90

  encryption  = "given-key"
  kms_key_arn = aws_kms_key.lake.arn
  access_logs = { bucket = aws_s3_bucket_policy.logs.bucket } # S3 wants the policy to be there first

  # Who sends: the pages of a shop, through its CloudFront distribution, and nobody who asks not to be followed.
  enable_collector               = true
  collector_package              = var.collector_package
  collector_sites                = [{ app_id = "shop", write_key = var.write_key, origins = ["https://shop.example", "https://*.shop.example"] }]
  collector_consent              = "anonymise"
  collector_trusted_proxies      = 1
  collector_rate_limit           = var.collector_rate_limit
  collector_reserved_concurrency = var.reserved_concurrency

  alarms                 = true
  alarm_emails           = ["data-team@example.com"]
  no_data_minutes        = 15
  failed_records_percent = 0.5
  dashboard              = true
  monthly_budget_usd     = 250
  budget_tag             = { key = "Project", value = "clicklake" }
}

# A key of yours lets the module's services use it with these statements.
resource "aws_kms_key" "lake" {
  description             = "The clickstream lake of ${var.environment}."
  enable_key_rotation     = true
  deletion_window_in_days = 7

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = jsondecode(module.clickstream.key_policy_statements)
  })
}

# Who may send events, for the roles of your servers.
resource "aws_iam_policy" "producer" {
  name        = "${module.clickstream.delivery_stream_name}-producer"
  description = "May send events to the clickstream, and nothing else."
  policy      = module.clickstream.producer_policy
}
