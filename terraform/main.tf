# The whole pipeline. The provider takes credentials, and on a laptop the endpoint, from the environment:
# eval "$(clicklake env)"

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(
      { Project = "clicklake", Environment = var.environment, ManagedBy = "terraform" },
      var.tags,
    )
  }
}

locals {
  # What the function's zip holds runs on one kind of machine: a zip for the laptop can't be imported by Lambda.
  # (The module says what is wrong with a pipeline file that can't be read.)
  architecture   = try(jsondecode(file(var.pipeline_file)).function.architecture, "arm64")
  package_target = terraform.workspace == "laptop" ? "local" : "aws-${local.architecture}"
}

module "clickstream" {
  source = "./modules/clickstream"

  environment            = var.environment
  s3_bucket_name         = var.s3_bucket_name
  pipeline_file          = var.pipeline_file
  lambda_package         = coalesce(var.lambda_package, "../dist/processor-${local.package_target}.zip")
  buffering              = var.buffering
  log_retention_days     = var.log_retention_days
  user_key_parameter     = var.user_key_parameter
  geo_database           = var.geo_database
  lambda_layers          = var.lambda_layers
  force_destroy          = var.force_destroy
  retention_days         = var.retention_days
  query_scan_limit_gib   = var.query_scan_limit_gib
  reserved_concurrency   = var.reserved_concurrency
  encryption             = var.encryption
  kms_key_arn            = var.kms_key_arn
  permissions_boundary   = var.permissions_boundary
  access_logs            = var.access_logs
  alarms                 = var.alarms
  alarm_emails           = var.alarm_emails
  alarm_actions          = var.alarm_actions
  no_data_minutes        = var.no_data_minutes
  failed_records_percent = var.failed_records_percent
  dashboard              = var.dashboard
  monthly_budget_usd     = var.monthly_budget_usd
  budget_tag             = var.budget_tag

  enable_collector               = var.enable_collector
  collector_package              = coalesce(var.collector_package, "../dist/collector-${local.package_target}.zip")
  collector_sites                = var.collector_sites
  collector_origins              = var.collector_origins
  collector_consent              = var.collector_consent
  collector_cookie               = var.collector_cookie
  collector_trusted_proxies      = var.collector_trusted_proxies
  collector_rate_limit           = var.collector_rate_limit
  collector_burst_limit          = var.collector_burst_limit
  collector_memory_mib           = var.collector_memory_mib
  collector_reserved_concurrency = var.collector_reserved_concurrency
}
