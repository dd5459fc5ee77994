"""Mistakes that somebody could make in the module, each of which its own tests must notice.

A mutant replaces a text, which stands once in its file, by another; `tests` is the *.tftest.hcl that fails then.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    tests: str
    file: str
    before: str
    after: str


MUTANTS = (
    # The function starts itself, or does not start.
    Mutant("lake", "bucket.tf", "filter_prefix       = local.zones.raw", 'filter_prefix       = ""'),
    Mutant("lake", "bucket.tf", 'filter_suffix       = ".gz"', 'filter_suffix       = ".json"'),
    Mutant("lake", "bucket.tf", 'events              = ["s3:ObjectCreated:*"]', 'events = ["s3:ObjectCreated:Put"]'),
    Mutant("lake", "bucket.tf", 'zone == "raw" || !(', "true || !("),
    Mutant("lake", "function.tf", "  source_account = local.account\n", ""),
    # The lake is open, or is not kept.
    Mutant("lake", "bucket.tf", "block_public_policy     = true", "block_public_policy     = false"),
    Mutant("lake", "bucket.tf", '"BucketOwnerEnforced"', '"ObjectWriter"'),
    Mutant("lake", "bucket.tf", '"aws:SecureTransport" = "false"', '"aws:SecureTransport" = "true"'),
    Mutant("lake", "bucket.tf", 'status = "Enabled"\n  }\n', 'status = "Suspended"\n  }\n'),
    Mutant("lake", "bucket.tf", "days = rule.value", "days = rule.value * 10"),
    Mutant("lake", "bucket.tf", "noncurrent_days = 30", "noncurrent_days = 3650"),
    Mutant("lake", "pipeline.tf", 'coalesce(var.force_destroy, var.environment == "dev")', "true"),
    # Events are lost.
    Mutant("delivery", "firehose.tf", "local.pipeline.delivery.error_prefix", "local.pipeline.delivery.prefix"),
    Mutant("delivery", "firehose.tf", 'compression_format  = "GZIP"', 'compression_format  = "UNCOMPRESSED"'),
    Mutant("delivery", "firehose.tf", '"AppendDelimiterToRecord"', '"RecordDeAggregation"'),
    Mutant("delivery", "failures.tf", "= 14 * 24 * 3600", "= 4 * 24 * 3600"),
    Mutant("delivery", "failures.tf", "local.pipeline.function.maximum_retry_attempts", "0"),
    Mutant("alarms", "alarms.tf", '"LessThanThreshold"', '"GreaterThanThreshold"'),
    Mutant("alarms", "alarms.tf", '"DeliveryToS3.DataFreshness"', '"DeliveryToS3.Records"'),
    Mutant("alarms", "alarms.tf", 'try(each.value.missing, "notBreaching")', '"notBreaching"'),
    # Money is lost.
    Mutant("delivery", "athena.tf", "= true\n    publish", "= false\n    publish"),
    Mutant("delivery", "athena.tf", "pow(1024, 3)", "pow(1024, 4)"),
    Mutant("delivery", "function.tf", "= var.log_retention_days", "= 0"),
    Mutant("alarms", "alarms.tf", "if var.alarms && (", "if true && ("),
    Mutant("alarms", "budget.tf", 'format("user:%s$%s", cost_filter.value.key, cost_filter.value.value)', '"$${x}"'),
    # Somebody may do more than they must, or not what they must.
    Mutant("policies", "function_role.tf", 'Action   = ["s3:GetObject"]', 'Action   = ["s3:Get*"]'),
    Mutant("policies", "function_role.tf", 'Effect   = "Deny"', 'Effect   = "Allow"'),
    Mutant(
        "policies", "function_role.tf", "local.zone_arns.failed, local.zone_arns.ledger]", "local.zone_arns.failed]"
    ),
    Mutant("policies", "firehose.tf", '"s3:AbortMultipartUpload", ', '"s3:AbortMultipartUpload", "s3:DeleteObject", '),
    Mutant("policies", "firehose.tf", 'StringEquals = { "sts:ExternalId"', 'StringLike = { "sts:ExternalId"'),
    Mutant("encryption", "firehose.tf", "local.has_key ? [local.firehose_key_statement] : []", "[]"),
    Mutant("encryption", "firehose.tf", "local.has_key ? [local.producer_key_statement] : []", "[]"),
    Mutant("encryption", "key.tf", '"logs.${local.region_suffix}"', '"logs.amazonaws.com"'),
    Mutant("encryption", "bucket.tf", 'local.has_key ? "aws:kms" : "AES256"', '"AES256"'),
    # Anybody may send what they want, at any price, and it is written down who did.
    Mutant("collector", "collector.tf", '"GET /health",', '"ANY /{proxy+}",'),
    Mutant("collector", "collector.tf", "= var.collector_rate_limit", "= 10000"),
    Mutant("collector", "collector.tf", '"$context.routeKey"', '"$context.path"'),
    Mutant(
        "collector", "collector.tf", '["firehose:PutRecordBatch"]', '["firehose:PutRecord", "firehose:PutRecordBatch"]'
    ),
    Mutant("collector", "collector.tf", 'principal     = "apigateway.amazonaws.com"', 'principal     = "*"'),
    Mutant("collector", "collector.tf", "local.has_key ? [local.producer_key_statement] : []", "[]"),
    Mutant("collector", "collector.tf", "      consent         = var.collector_consent\n", ""),
    Mutant(
        "collector", "collector.tf", "length(local.collector_settings) <= 3900", "length(local.collector_settings) > 0"
    ),
    Mutant("collector", "collector.tf", '"5xx"', '"4xx"'),
    Mutant("collector", "collector.tf", 'system_log_level = "WARN"', 'system_log_level = "INFO"'),
    Mutant("collector", "key.tf", "var.enable_collector ? [", "false ? ["),
    Mutant(
        "inputs",
        "variables.tf",
        "!var.enable_collector || length(var.collector_sites) > 0",
        "length(var.collector_sites) >= 0",
    ),
    # Names and columns are others.
    Mutant(
        "contract", "pipeline.tf", 'replace(local.names.database_elsewhere, "-", "_")', "local.names.database_elsewhere"
    ),
    Mutant("contract", "pipeline.tf", '"arn:${data.aws_partition.current.partition}"', '"arn:aws"'),
    Mutant("contract", "function.tf", "filebase64sha256(var.lambda_package)", "sha256(var.lambda_package)"),
    Mutant("contract", "catalog.tf", "concat(local.pipeline.partition_keys, [", 'concat(["year"], ['),
    Mutant(
        "contract",
        "catalog.tf",
        '    ser_de_info {\n      name                  = "-"\n      serialization_library = "-"\n    }\n',
        "",
    ),
    Mutant("format", "catalog.tf", "endswith(key, local.other_ending)", "false"),
    # What AWS would refuse after minutes is not refused at once.
    Mutant("inputs", "variables.tf", "var.buffering.mib <= 128", "var.buffering.mib <= 1280"),
    Mutant("inputs", "variables.tf", '"^[a-z][a-z0-9-]{0,19}$"', '"^.*$"'),
)
