"""PyAthena's own tests of its cursors, run against our Athena instead of Amazon's.

    python -m conformance.pyathena --suite CHECKOUT --python VENV/bin/python [--update] [-- pytest's options]
    ... --tests tests/pyathena/polars    others of its tests, without a list to compare with

CHECKOUT is github.com/pyathena-dev/PyAthena, at 5f0f784bf (after v3.35.4); VENV has it and what its tests need:

    python -m venv VENV
    VENV/bin/pip install 'pandas<3' pyarrow 'polars<2' jinja2 'sqlalchemy[asyncio]'
    VENV/bin/pip install pytest pytest-asyncio pytest-dependency pytest-xdist
    VENV/bin/pip install -e CHECKOUT

Run are the tests of the cursors that its README names first: the plain one, arrow's and pandas', with their `async`
twins. The suite makes its own database; the bucket and the workgroup that it wants to be there are made here.
"""

import sys
from collections.abc import Mapping

from benchmarks.measure import Endpoint

from conformance.client import Client, run

_TESTS = (
    "tests/pyathena/test_cursor.py",
    "tests/pyathena/test_async_cursor.py",
    "tests/pyathena/arrow",
    "tests/pyathena/pandas",
)
_BUCKET = "pyathena"
_STAGING = f"s3://{_BUCKET}/results/"
_GROUP, _MANAGED = "pyathena", "pyathena-managed"


def _prepare(ours: Endpoint) -> Mapping[str, str]:
    ours.client("s3").create_bucket(Bucket=_BUCKET)
    if not any(d["Name"] == "default" for d in ours.client("glue").get_databases()["DatabaseList"]):
        ours.client("glue").create_database(DatabaseInput={"Name": "default"})  # Athena makes it with its first query
    configuration = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": {"OutputLocation": _STAGING}}
    ours.client("athena").create_work_group(Name=_GROUP, Configuration=configuration)
    managed = {"EnforceWorkGroupConfiguration": True, "ManagedQueryResultsConfiguration": {"Enabled": True}}
    ours.client("athena").create_work_group(Name=_MANAGED, Configuration=managed)
    return {
        "AWS_ATHENA_S3_STAGING_DIR": _STAGING,
        "AWS_ATHENA_WORKGROUP": _GROUP,
        "AWS_ATHENA_MANAGED_WORKGROUP": _MANAGED,
        "AWS_ATHENA_SPARK_WORKGROUP": "spark",  # read before any test; none of Spark is run
    }


CLIENT = Client("PyAthena", "pyathena", "pyathena-dev/PyAthena", _TESTS, ("-p", "conformance.pyathena_arrow"), _prepare)

if __name__ == "__main__":
    sys.exit(run(CLIENT, sys.argv[1:]))
