# Queries run in this workgroup; its settings hold whatever the client asks for.

resource "aws_athena_workgroup" "lake" {
  name          = local.names.workgroup
  description   = "Queries of the clickstream lake."
  force_destroy = local.force_destroy

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true

    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake.bucket}/${local.zones.query_results}"
    }
  }
}
