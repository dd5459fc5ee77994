# Each validation of the module refuses what it should: a run for each, named refuses_<variable>_<what>. Their number is
# compared with that of the validations in tests/test_terraform_module.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  s3_bucket_name = "acme-clickstream"
  lambda_package = "tests/package.zip"
}

run "refuses_s3_bucket_name_with_capitals" {
  command = plan

  variables {
    s3_bucket_name = "Acme_Clickstream"
  }

  expect_failures = [var.s3_bucket_name]
}

run "refuses_environment_with_capitals" {
  command = plan

  variables {
    environment = "Prod"
  }

  expect_failures = [var.environment]
}

run "refuses_pipeline_file_that_is_none" {
  command = plan

  variables {
    pipeline_file = "versions.tf"
  }

  expect_failures = [var.pipeline_file]
}

run "refuses_lambda_package_that_is_no_zip" {
  command = plan

  variables {
    lambda_package = "versions.tf"
  }

  expect_failures = [var.lambda_package]
}

run "refuses_buffering_of_129_mib" {
  command = plan

  variables {
    buffering = { mib = 129, seconds = 300 }
  }

  expect_failures = [var.buffering]
}

run "refuses_buffering_of_901_seconds" {
  command = plan

  variables {
    buffering = { mib = 128, seconds = 901 }
  }

  expect_failures = [var.buffering]
}

run "refuses_log_retention_days_that_cloudwatch_has_not" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_user_key_parameter_without_slash" {
  command = plan

  variables {
    user_key_parameter = "user-key"
  }

  expect_failures = [var.user_key_parameter]
}

run "refuses_geo_database_of_another_kind" {
  command = plan

  variables {
    geo_database = "/opt/GeoLite2-City.csv"
  }

  expect_failures = [var.geo_database]
}

run "refuses_lambda_layers_without_version" {
  command = plan

  variables {
    lambda_layers = ["arn:aws:lambda:eu-central-1:123456789012:layer:geo"]
  }

  expect_failures = [var.lambda_layers]
}

run "refuses_retention_days_of_half_a_day" {
  command = plan

  variables {
    retention_days = { raw = 0.5 }
  }

  expect_failures = [var.retention_days]
}

run "refuses_query_scan_limit_gib_below_athenas_10_mb" {
  command = plan

  variables {
    query_scan_limit_gib = 0.001
  }

  expect_failures = [var.query_scan_limit_gib]
}

run "refuses_reserved_concurrency_of_none" {
  command = plan

  variables {
    reserved_concurrency = 0
  }

  expect_failures = [var.reserved_concurrency]
}

run "refuses_encryption_of_another_name" {
  command = plan

  variables {
    encryption = "kms"
  }

  expect_failures = [var.encryption]
}

run "refuses_kms_key_arn_without_given_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_kms_key_arn_that_is_an_alias" {
  command = plan

  variables {
    encryption  = "given-key"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:alias/k"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_permissions_boundary_that_is_a_role" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:role/bound"
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_tags_of_awss" {
  command = plan

  variables {
    tags = { "aws:owner" = "acme" }
  }

  expect_failures = [var.tags]
}

run "refuses_alarm_emails_that_are_no_addresses" {
  command = plan

  variables {
    alarms       = true
    alarm_emails = ["ops"]
  }

  expect_failures = [var.alarm_emails]
}

run "refuses_alarm_emails_of_nothing" {
  command = plan

  variables {
    alarm_emails = ["ops@acme.example"]
  }

  expect_failures = [var.alarm_emails]
}

run "refuses_alarm_actions_that_are_no_arns" {
  command = plan

  variables {
    alarm_actions = ["ops"]
  }

  expect_failures = [var.alarm_actions]
}

run "refuses_no_data_minutes_below_a_period" {
  command = plan

  variables {
    no_data_minutes = 4
  }

  expect_failures = [var.no_data_minutes]
}

run "refuses_failed_records_percent_of_all" {
  command = plan

  variables {
    failed_records_percent = 100
  }

  expect_failures = [var.failed_records_percent]
}

run "refuses_monthly_budget_usd_of_nothing" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}
