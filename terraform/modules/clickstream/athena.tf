# Queries run in this workgroup; its settings hold whatever the client asks for.

locals {
  queries = "${path.module}/../../../src/clicklake/queries"

  # With the pipeline file's own names of tables, as src/clicklake/saved_queries.py puts them in.
  saved_queries = {
    for file in fileset(local.queries, "*.sql") : file => replace(replace(replace(replace(file("${local.queries}/${file}"),
      "/\\bclickstream_events\\b/", local.tables.events.name),
      "/\\bclickstream_failed\\b/", local.tables.failed.name),
      "/\\bclickstream_ledger\\b/", local.tables.ledger.name),
    "/\\bclickstream_events_unique\\b/", local.names.unique_view)
  }
}

resource "aws_athena_workgroup" "lake" {
  name          = local.names.workgroup
  description   = "Queries of the clickstream lake."
  force_destroy = local.force_destroy
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = floor(var.query_scan_limit_gib * pow(1024, 3))

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
  for_each = local.saved_queries

  name      = trimsuffix(each.key, ".sql")
  workgroup = aws_athena_workgroup.lake.id
  database  = aws_glue_catalog_database.lake.name
  query     = each.value
}
