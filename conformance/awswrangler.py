"""awswrangler's own tests of Athena and of Glue's catalog, run against ours instead of Amazon's.

    python -m conformance.awswrangler --suite CHECKOUT --python VENV/bin/python [--update] [-- pytest's options]
    ... --tests tests/unit/test_s3_parquet.py    others of its tests, without a list to compare with

CHECKOUT is github.com/aws/aws-sdk-pandas, at cfe0ca81 (3.17.1); VENV has it and what its tests need:

    python -m venv VENV
    VENV/bin/pip install 'pandas<3' geopandas openpyxl pyparsing
    VENV/bin/pip install pytest pytest-timeout pytest-rerunfailures pytest-xdist
    VENV/bin/pip install -e CHECKOUT

The suite wants CloudFormation stacks: awswrangler_stack.py gives it a bucket, a database and a key that are made here.
Left out are the files of Iceberg and of Spark, which clicklake says it does not do.
"""

import json
import sys
from collections.abc import Mapping

from benchmarks.measure import Endpoint

from conformance.client import Client, run

_TESTS = (
    "tests/unit/test_athena.py",
    "tests/unit/test_athena_cache.py",
    "tests/unit/test_athena_csv.py",
    "tests/unit/test_athena_geospatial.py",
    "tests/unit/test_athena_parquet.py",
    "tests/unit/test_athena_prepared.py",
    "tests/unit/test_athena_projection.py",
    "tests/unit/test_catalog.py",
)
_OPTIONS = ("-p", "conformance.awswrangler_stack", "--timeout=120")
_BUCKET, _DATABASE = "aws-sdk-pandas", "aws_sdk_pandas"


def _prepare(ours: Endpoint) -> Mapping[str, str]:
    """What the suite's stacks make, made without them."""
    ours.client("s3").create_bucket(Bucket=_BUCKET)
    for name in (_DATABASE, "default"):  # which Athena makes with its first query
        ours.client("glue").create_database(DatabaseInput={"Name": name})
    key = ours.client("kms").create_key()["KeyMetadata"]["Arn"]
    outputs = {"Region": "us-east-1", "BucketName": _BUCKET, "GlueDatabaseName": _DATABASE, "KmsKeyArn": key}
    return {"CLICKLAKE_STACK_OUTPUTS": json.dumps(outputs)}


CLIENT = Client("awswrangler", "awswrangler", "aws/aws-sdk-pandas", _TESTS, _OPTIONS, _prepare)

if __name__ == "__main__":
    sys.exit(run(CLIENT, sys.argv[1:]))
