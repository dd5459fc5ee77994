# Each validation of the module refuses what it should. Several in a run, of different variables: each of them has to fail.
# Their number is compared with that of the validations in tests/test_terraform_offline.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "refuses_names_that_aws_would_not_take" {
  command = plan

  variables {
    s3_bucket_name = "Acme_Clickstream"
    environment    = "Prod"
    tags           = { "aws:owner" = "acme" }
    encryption     = "kms"
  }

  expect_failures = [var.s3_bucket_name, var.environment, var.tags, var.encryption]
}

run "refuses_files_that_are_none_and_names_that_s3_keeps" {
  command = plan

  variables {
    s3_bucket_name = "acme..clickstream"
    pipeline_file  = "versions.tf"
    lambda_package = "versions.tf"
    geo_database   = "/opt/GeoLite2-City.csv"
  }

  expect_failures = [var.s3_bucket_name, var.pipeline_file, var.lambda_package, var.geo_database]
}

run "refuses_settings_that_aws_would_not_take" {
  command = plan

  variables {
    buffering            = { mib = 129, seconds = 300 }
    user_key_parameter   = "user-key"
    lambda_layers        = ["arn:aws:lambda:eu-central-1:123456789012:layer:geo"]
    reserved_concurrency = 0
    access_logs          = { bucket = "acme-clickstream" }
  }

  expect_failures = [var.buffering, var.user_key_parameter, var.lambda_layers, var.reserved_concurrency, var.access_logs]
}

run "refuses_times_that_are_none" {
  command = plan

  variables {
    buffering          = { mib = 128, seconds = 901 }
    log_retention_days = 31
    retention_days     = { raw = 0.5 }
    no_data_minutes    = 4
  }

  expect_failures = [var.buffering, var.log_retention_days, var.retention_days, var.no_data_minutes]
}

run "refuses_limits_that_limit_nothing" {
  command = plan

  variables {
    query_scan_limit_gib   = 0.001
    failed_records_percent = 100
    monthly_budget_usd     = 0
    budget_tag             = { key = "Project", value = "" }
    alarm_actions          = ["ops"]
  }

  expect_failures = [var.query_scan_limit_gib, var.failed_records_percent, var.monthly_budget_usd, var.budget_tag, var.alarm_actions]
}

run "refuses_half_a_key" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:role/bound"
    kms_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/k"
    alarm_emails         = ["ops@acme.example"]
  }

  expect_failures = [var.permissions_boundary, var.kms_key_arn, var.alarm_emails]
}

run "refuses_an_alias_for_a_key_and_no_address" {
  command = plan

  variables {
    encryption   = "given-key"
    kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:alias/k"
    alarms       = true
    alarm_emails = ["ops"]
  }

  expect_failures = [var.kms_key_arn, var.alarm_emails]
}

run "refuses_a_collector_that_anybody_could_use" {
  command = plan

  variables {
    enable_collector               = true
    collector_origins              = ["*"]
    collector_consent              = "honour"
    collector_cookie               = { name = "my id" }
    collector_trusted_proxies      = -1
    collector_rate_limit           = 0
    collector_burst_limit          = 0
    collector_memory_mib           = 64
    collector_reserved_concurrency = 0
  }

  expect_failures = [var.collector_package, var.collector_sites, var.collector_origins, var.collector_consent, var.collector_cookie, var.collector_trusted_proxies, var.collector_rate_limit, var.collector_burst_limit, var.collector_memory_mib, var.collector_reserved_concurrency]
}

run "refuses_sites_without_a_key" {
  command = plan

  variables {
    collector_sites  = [{ app_id = "shop", write_key = "short" }]
    collector_cookie = { days = 401 }
  }

  expect_failures = [var.collector_sites, var.collector_cookie]
}

run "refuses_two_sites_with_one_key" {
  command = plan

  variables {
    collector_sites = [{ app_id = "shop", write_key = "shop-key-1" }, { app_id = "blog", write_key = "shop-key-1" }]
  }

  expect_failures = [var.collector_sites]
}

run "refuses_a_site_of_any_origin" {
  command = plan

  variables {
    collector_sites = [{ app_id = "shop", write_key = "shop-key-1", origins = ["https://shop.example/path"] }]
  }

  expect_failures = [var.collector_sites]
}
