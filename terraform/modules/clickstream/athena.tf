# Queries run in this workgroup; its settings hold whatever the client asks for.

locals {
  queries = "${path.module}/../../../src/clicklake/queries"
}

resource "aws_athena_workgroup" "lake" {
  name          = local.names.workgroup
  description   = "Queries of the clickstream lake."
  force_destroy = local.force_destroy
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.query_scan_limit_gib * pow(1024, 3)

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    # Results are encrypted as the bucket encrypts everything.
    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake.bucket}/${local.zones.query_results}"
    }
  }
}

# The analysts' first answers, as Athena's console lists them under "Saved queries".
resource "aws_athena_named_query" "first_answers" {
  for_each = fileset(local.queries, "*.sql")

  name      = trimsuffix(each.value, ".sql")
  workgroup = aws_athena_workgroup.lake.id
  database  = aws_glue_catalog_database.lake.name
  query     = file("${local.queries}/${each.value}")
}
