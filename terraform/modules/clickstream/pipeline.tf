# What the pipeline file says, for this environment. src/clicklake/pipeline/ reads it the same way.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  pipeline = jsondecode(file(coalesce(var.pipeline_file, "${path.module}/../../../src/clicklake/pipeline.json")))

  names = { for what, pattern in local.pipeline.names : what => replace(pattern, "{environment}", var.environment) }
  zones = local.pipeline.zones

  # Athena takes no hyphen in a database's name.
  database = var.environment == local.pipeline.environment ? local.names.database : replace(local.names.database_elsewhere, "-", "_")

  buffering     = coalesce(var.buffering, local.pipeline.buffering.aws)
  force_destroy = coalesce(var.force_destroy, var.environment == "dev")

  # ARNs are made of names, not read from resources, so that every policy is known when it is planned.
  account    = data.aws_caller_identity.current.account_id
  aws        = "arn:${data.aws_partition.current.partition}"
  here       = "${data.aws_region.current.id}:${local.account}"
  bucket_arn = "${local.aws}:s3:::${var.s3_bucket_name}"
  zone_arns  = { for zone, prefix in local.zones : zone => "${local.bucket_arn}/${prefix}*" }
}
