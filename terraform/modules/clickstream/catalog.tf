# The tables as Glue knows them, column by column from the pipeline file. src/clicklake/catalog.py says the same.

locals {
  # docs.aws.amazon.com/athena/latest/ug/parquet-serde.html and openx-json-serde.html
  storage = {
    parquet = {
      input      = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
      output     = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
      serde      = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
      parameters = { classification = "parquet" }
    }
    json = {
      input      = "org.apache.hadoop.mapred.TextInputFormat"
      output     = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
      serde      = "org.openx.data.jsonserde.JsonSerDe"
      parameters = { classification = "json", compressionType = "gzip" }
    }
  }

  tables = {
    for key, table in local.pipeline.tables : key => merge(table, {
      format = key == "events" ? local.pipeline.processed_format : lookup(table, "format", "parquet")
    })
  }

  # The endings of processed objects: src/clicklake/transform/keys.py.
  other_ending = { parquet = ".json.gz", json = ".parquet" }[local.pipeline.processed_format]

  partition_columns = [
    for name in local.pipeline.partition_keys : { name = name, type = "string", comment = "The ${name} of arrival, UTC." }
  ]
}

resource "aws_glue_catalog_database" "lake" {
  name        = local.database
  description = "The clickstream lake."
  tags        = var.tags
}

# What lies in the lake, for the tables' precondition. `clicklake rebuild` goes from the newest day to the oldest and keys
# are listed from the oldest, so the first page has the other format's objects for as long as there are any.
data "aws_s3_objects" "processed" {
  bucket   = aws_s3_bucket.lake.id
  prefix   = local.zones.processed
  max_keys = 1000
}

resource "aws_glue_catalog_table" "lake" {
  for_each = local.tables

  database_name = aws_glue_catalog_database.lake.name
  name          = each.value.name
  description   = each.value.comment
  table_type    = "EXTERNAL_TABLE"
  parameters    = merge({ EXTERNAL = "TRUE" }, local.storage[each.value.format].parameters)

  dynamic "partition_keys" {
    for_each = local.partition_columns

    content {
      name    = partition_keys.value.name
      type    = partition_keys.value.type
      comment = partition_keys.value.comment
    }
  }

  storage_descriptor {
    location      = "s3://${var.s3_bucket_name}/${local.zones[each.value.zone]}"
    input_format  = local.storage[each.value.format].input
    output_format = local.storage[each.value.format].output

    ser_de_info {
      serialization_library = local.storage[each.value.format].serde
      parameters            = { "serialization.format" = "1" }
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }

  lifecycle {
    precondition {
      condition     = each.key != "events" || !anytrue([for key in data.aws_s3_objects.processed.keys : endswith(key, local.other_ending)])
      error_message = "The lake has data, and processed_format is now ${local.pipeline.processed_format}. Run: clicklake rebuild --format ${local.pipeline.processed_format}"
    }
  }
}

# The events without repeats: the first of each event id. The partition keys are in the window so that Trino still
# prunes days. An Athena view is a Glue table that holds the view's JSON, in which types are Trino's and not Hive's.
locals {
  view_columns = concat(
    [for column in local.tables.events.columns : { name = column.name, type = column.type, comment = column.comment }],
    local.partition_columns,
  )
  first_of_each = join(" ", [
    "row_number() OVER (PARTITION BY ${join(", ", concat(local.pipeline.partition_keys, ["app_id", "event_id"]))}",
    "ORDER BY received_ts, raw_key, record_index) AS copy",
  ])
  view_sql = join(" ", [
    "SELECT ${join(", ", [for column in local.view_columns : "\"${column.name}\""])}", # a team's own may be called order
    "FROM (SELECT *, ${local.first_of_each} FROM ${local.database}.${local.tables.events.name}) WHERE copy = 1",
  ])
  trino_types = { string = "varchar", timestamp = "timestamp(3)" }
  view_json = jsonencode({
    originalSql = local.view_sql
    catalog     = "awsdatacatalog"
    schema      = local.database
    columns     = [for column in local.view_columns : { name = column.name, type = lookup(local.trino_types, column.type, column.type) }]
  })
}

resource "aws_glue_catalog_table" "unique" {
  database_name      = aws_glue_catalog_database.lake.name
  name               = local.names.unique_view
  description        = "${local.tables.events.name} without repeats: the first of each event id, day by day of arrival."
  table_type         = "VIRTUAL_VIEW"
  parameters         = { presto_view = "true", comment = "Presto View" }
  view_original_text = "/* Presto View: ${base64encode(local.view_json)} */"
  view_expanded_text = "/* Presto View */"

  storage_descriptor {
    # Athena's CREATE VIEW leaves an empty one, which the provider would leave out; then the metastore's client says
    # "Table storage descriptor is missing SerDe info": github.com/hashicorp/terraform-provider-aws/issues/28517.
    ser_de_info {
      name                  = "-"
      serialization_library = "-"
    }

    dynamic "columns" {
      for_each = local.view_columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }
}
