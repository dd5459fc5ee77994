"""LocalStack's tests of Firehose and of S3's notifications, as they were recorded on AWS.

    python -m conformance.localstack --suite CHECKOUT --python VENV/bin/python [--update] [-- pytest's options]
    ... --tests tests/aws/services/s3/test_s3_api.py    others of its tests, without a list to compare with

CHECKOUT is github.com/localstack/localstack, archived, at 8b9a79f05 (its last commit). Its tests need Python 3.13 and
what its requirements-test.txt pins:

    uv venv --python 3.13 VENV
    uv pip install --python VENV/bin/python --no-deps -r CHECKOUT/requirements-test.txt
    uv pip install --python VENV/bin/python --no-deps -e CHECKOUT

Run are the tests with the mark `aws_validated`: they passed on AWS, and what they snapshot was recorded there. Of these
are left out, by name, only those that need what clicklake says it does not do (`LEFT_OUT`).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Endpoint, endpoint

from conformance import expected

LIST = Path(__file__).with_name("localstack.expected.txt")
TESTS = (
    "tests/aws/services/firehose",
    "tests/aws/services/s3/test_s3_notifications_lambda.py",
    "tests/aws/services/s3/test_s3_notifications_sqs.py",
    "tests/aws/services/s3/test_s3_notifications_sns.py",
    "tests/aws/services/s3/test_s3_notifications_eventbridge.py",
)
LEFT_OUT: Mapping[str, str] = {
    "tests/aws/services/firehose/test_firehose.py::TestFirehoseIntegration"
    "::test_kinesis_firehose_kinesis_as_source_multiple_delivery_streams": "a Kinesis stream as the source",
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.localstack", description=__doc__.splitlines()[0])
    parser.add_argument("--suite", type=Path, required=True, help="a checkout of localstack/localstack")
    parser.add_argument("--python", type=Path, required=True, help="the interpreter that has its requirements")
    parser.add_argument("--update", action="store_true", help="take out of the list what passes now")
    parser.add_argument("--tests", nargs="+", default=[], help="other tests; nothing is compared then")
    parser.add_argument("options", nargs="*", help="further options of pytest, such as -- -k versioned")
    given = parser.parse_args(arguments)
    with endpoint("--bare") as ours, tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        _run(given.suite, given.python.absolute(), ours, junit, [*(given.tests or TESTS), *given.options])
        did = expected.outcome(junit)
    if given.tests:
        print(f"{len(did.passed)} of {did.run} passed, {len(did.skipped)} skipped")
        return 0
    return 0 if expected.judge("LocalStack", LIST, did, given.update) else 1


def _run(suite: Path, python: Path, ours: Endpoint, junit: Path, arguments: list[str]) -> None:
    left_out = (f"--deselect={test}" for test in LEFT_OUT)
    command = [str(python), "-m", "pytest", "-m", "aws_validated", *left_out, f"--junitxml={junit}"]
    command += ["-p", "conformance.localstack_names", "--snapshot-verify"]
    plain = ["-o", "addopts=", "-p", "no:cacheprovider", "-W", "ignore", "-q", "--show-capture=no", "--tb=short"]
    subprocess.run([*command, *plain, *arguments], cwd=suite, env=_environment(ours))


def _environment(ours: Endpoint) -> dict[str, str]:
    """LocalStack's own switches (localstack/testing/config.py). Its tests of a second account get the same one."""
    keys = ours.keys()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLICKLAKE_"))}
    return kept | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "TEST_SKIP_LOCALSTACK_START": "1",
        "TEST_AWS_ENDPOINT_URL": ours.url,
        "TEST_AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "TEST_AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
