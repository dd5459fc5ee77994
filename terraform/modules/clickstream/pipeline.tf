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

  # What has no name of its own in the pipeline file is named after the stack, which Athena's workgroup is called.
  stack = local.names.workgroup

  buffering     = coalesce(var.buffering, local.pipeline.buffering.aws)
  force_destroy = coalesce(var.force_destroy, var.environment == "dev")

  # A zone that is in neither, or has 0 days, is kept for ever.
  retention_days = {
    for zone, days in merge(local.pipeline.retention_days, { for zone, days in var.retention_days : zone => days if days != null }) :
    zone => days if days > 0
  }

  # ARNs are made of names, not read from resources, so that every policy is known when it is planned.
  account    = data.aws_caller_identity.current.account_id
  aws        = "arn:${data.aws_partition.current.partition}"
  here       = "${data.aws_region.current.id}:${local.account}"
  bucket_arn = "${local.aws}:s3:::${var.s3_bucket_name}"
  stream_arn = "${local.aws}:firehose:${local.here}:deliverystream/${local.names.delivery_stream}"
  queue_arn  = "${local.aws}:sqs:${local.here}:${local.names.failure_queue}"
  zone_arns  = { for zone, prefix in local.zones : zone => "${local.bucket_arn}/${prefix}*" }
}
