"""ceph's s3-tests: what users of S3 expect, written for ceph's own gateway and run against AWS, too.

    python -m conformance.s3_tests --suite CHECKOUT --python VENV/bin/python [--update] [-- pytest's options]

CHECKOUT is github.com/ceph/s3-tests, at 8f0ae7b40 (May 2026); VENV has its requirements.txt:

    python -m venv VENV
    VENV/bin/pip install -r CHECKOUT/requirements.txt

Run is test_s3.py without what AWS itself fails (`fails_on_aws`). The suite wants users of three accounts, who are
profiles of the endpoint's credentials file, and buckets as S3 made them until April 2023, with access lists and without
a block on public access, which CLICKLAKE_S3_ACLS=1 asks for.
"""

import argparse
import configparser
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Endpoint, endpoint

from conformance import expected
from localaws.s3.accounts import canonical_id

LIST = Path(__file__).with_name("s3_tests.expected.txt")
_MODULE = "s3tests/functional/test_s3.py"
_ACCOUNTS: Mapping[str, str] = {"s3 main": "000000000000", "s3 alt": "111111111111", "s3 tenant": "222222222222"}
# Sections that the suite reads before any test: IAM's are the main account's own user.
_IAM = ("iam", "iam root", "iam alt root")

Keys = Mapping[str, tuple[str, str]]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.s3_tests", description=__doc__.splitlines()[0])
    parser.add_argument("--suite", type=Path, required=True, help="a checkout of ceph/s3-tests")
    parser.add_argument("--python", type=Path, required=True, help="the interpreter that has its requirements")
    parser.add_argument("--update", action="store_true", help="take out of the list what passes now")
    parser.add_argument("options", nargs="*", help="further options of pytest, such as -- -k post_object")
    given = parser.parse_args(arguments)
    keys = {section: (f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)) for section in _ACCOUNTS}
    os.environ["CLICKLAKE_S3_ACLS"] = "1"
    with endpoint("--bare", credentials=_credentials(keys)) as ours, tempfile.TemporaryDirectory() as folder:
        junit, configuration = Path(folder) / "junit.xml", Path(folder) / "s3tests.conf"
        _write_configuration(configuration, ours, keys)
        command = [
            str(given.python.absolute()),
            "-m",
            "pytest",
            _MODULE,
            "-m",
            "not fails_on_aws",
            f"--junitxml={junit}",
        ]
        plain = ["-p", "no:cacheprovider", "-q", "--show-capture=no", "--tb=short"]
        environment = os.environ | {"S3TEST_CONF": str(configuration)}
        subprocess.run([*command, *plain, *given.options], cwd=given.suite, env=environment)
        did = expected.outcome(junit)
    return 0 if expected.judge("ceph s3-tests", LIST, did, given.update) else 1


def _credentials(keys: Keys) -> str:
    """The endpoint's credentials file: its owner's profile and those of two guests."""
    lines = []
    for section, (access_key, secret_key) in keys.items():
        lines.append(f"[{'default' if section == 's3 main' else section.removeprefix('s3 ')}]")
        lines += [f"aws_access_key_id = {access_key}", f"aws_secret_access_key = {secret_key}"]
        lines.append(f"aws_account_id = {_ACCOUNTS[section]}")
    return "\n".join([*lines, ""])


def _write_configuration(path: Path, ours: Endpoint, keys: Keys) -> None:
    configuration = configparser.ConfigParser(default_section="-")
    port = ours.url.rpartition(":")[2]
    configuration["DEFAULT"] = {"host": "localhost", "port": port, "is_secure": "False"}
    configuration["fixtures"] = {"bucket prefix": "s3-tests-{random}-"}
    for section in (*_ACCOUNTS, *_IAM):
        account = _ACCOUNTS.get(section, _ACCOUNTS["s3 main"])
        access_key, secret_key = keys.get(section, keys["s3 main"])
        configuration[section] = {
            "display_name": account,
            "user_id": canonical_id(account),
            "email": f"{account}@example.com",
            "api_name": "",
            "tenant": account,
            "access_key": access_key,
            "secret_key": secret_key,
        }
    with path.open("w") as file:
        configuration.write(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
