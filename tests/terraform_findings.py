"""What checkov says of the configuration, and why it is as it is: by check and resource.

A finding that is not here is new and fails the test, and so does one here that is no finding any more.
"""

_LOGS = "log_retention_days is a variable: a year of logs is paid for by those who need it"
_EXAMPLE = "an example's stand-in for what an account has already"
_BOUND = "a boundary allows nothing: it bounds what other policies allow"

# Of a plan in which everything is switched on, and of the files.
_OF_BOTH = {
    (
        "CKV_AWS_116",
        "aws_lambda_function.processor",
    ): "an on-failure destination says why, a dead-letter queue does not",
    (
        "CKV_AWS_117",
        "aws_lambda_function.processor",
    ): "it speaks to S3 and Glue only: a VPC costs endpoints and protects nothing",
    (
        "CKV_AWS_272",
        "aws_lambda_function.processor",
    ): "signing needs a profile of the account's; the zip is held to its hash",
    (
        "CKV_AWS_50",
        "aws_lambda_function.collector",
    ): "X-Ray would trace 5 % of the requests, for a quarter of a dollar a million; the access log has each one's time",
    ("CKV_AWS_116", "aws_lambda_function.collector"): "it is asked and answers: what failed is told to who asked",
    ("CKV_AWS_117", "aws_lambda_function.collector"): "it speaks to Firehose only",
    ("CKV_AWS_272", "aws_lambda_function.collector"): "as the processor's",
    (
        "CKV_AWS_309",
        "aws_apigatewayv2_route.collector",
    ): "browsers sign nothing: the function looks at write keys and origins",
    ("CKV_AWS_338", "aws_cloudwatch_log_group.processor"): _LOGS,
    ("CKV_AWS_338", "aws_cloudwatch_log_group.firehose"): _LOGS,
    (
        "CKV_AWS_144",
        "aws_s3_bucket.lake",
    ): "a second region doubles the cost; versioning keeps what is lost for a month",
    ("CKV_AWS_159", "aws_athena_workgroup.lake"): "results are encrypted as the bucket encrypts everything",
}
IN_PLAN = {
    **_OF_BOTH,
    ("CKV_AWS_338", "aws_cloudwatch_log_group.collector"): _LOGS,
    ("CKV_AWS_338", "aws_cloudwatch_log_group.collector_access"): _LOGS,
}
# Of the files, where a variable is its default, and of the examples.
IN_FILES = {
    **_OF_BOTH,
    ("CKV_AWS_173", "aws_lambda_function.processor"): "its environment has names, no secrets",
    ("CKV_AWS_173", "aws_lambda_function.collector"): "nor has the collector's: a write key stands in every page",
    (
        "CKV_AWS_241",
        "aws_kinesis_firehose_delivery_stream.events",
    ): "a key of AWS's by default; own-key and given-key are there",
    ("CKV_AWS_18", "aws_s3_bucket.logs"): _EXAMPLE,
    ("CKV_AWS_21", "aws_s3_bucket.logs"): _EXAMPLE,
    ("CKV_AWS_144", "aws_s3_bucket.logs"): _EXAMPLE,
    ("CKV_AWS_145", "aws_s3_bucket.logs"): _EXAMPLE,
    ("CKV2_AWS_61", "aws_s3_bucket.logs"): _EXAMPLE,
    ("CKV2_AWS_62", "aws_s3_bucket.logs"): _EXAMPLE,
    ("CKV_AWS_286", "aws_iam_policy.boundary"): _BOUND,
    ("CKV_AWS_288", "aws_iam_policy.boundary"): _BOUND,
    ("CKV_AWS_289", "aws_iam_policy.boundary"): _BOUND,
    ("CKV_AWS_290", "aws_iam_policy.boundary"): _BOUND,
    ("CKV_AWS_355", "aws_iam_policy.boundary"): _BOUND,
}
