# terraform workspace select -or-create prod
# terraform apply -var-file=environments/prod.tfvars
# Each environment has a state of its own: with dev's, this file would have dev replaced by prod.
environment    = "prod"
s3_bucket_name = "your-unique-bucket-name" # another one than dev's

# terraform.tfvars, which may name dev's key, is read before this file. Another name: a key of prod's own, see docs/deploy.md.
user_key_parameter = null # "/clicklake/prod/user-key"

# destroy stops at a bucket that has objects.
force_destroy = false

# About 2.50 USD a month for the alarms and their two metrics; an account's first three dashboards and first two budgets are free.
alarms             = true
alarm_emails       = [] # ["you@example.com"]: each has to confirm once
dashboard          = true
monthly_budget_usd = 100

log_retention_days = 90
