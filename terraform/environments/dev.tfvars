# terraform apply -var-file=environments/dev.tfvars
# dev says what the defaults are: nothing costs anything while no event comes, and destroy takes the data along.
environment = "dev"

force_destroy = true
encryption    = "sse-s3"
alarms        = false
dashboard     = false
