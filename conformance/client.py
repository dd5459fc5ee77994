"""A client's own pytest suite, run against a bare endpoint and compared with the list of what is expected to fail."""

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Endpoint, endpoint

from conformance import expected


@dataclass(frozen=True, slots=True)
class Client:
    """`module` is run as `python -m conformance.MODULE` and has its list beside it. `prepare` makes what the suite
    wants to be there, and returns the variables by which the suite is told."""

    name: str
    module: str
    checkout: str
    tests: Sequence[str]
    options: Sequence[str]
    prepare: Callable[[Endpoint], Mapping[str, str]]

    @property
    def list(self) -> Path:
        return Path(__file__).with_name(f"{self.module}.expected.txt")


def run(client: Client, arguments: Sequence[str]) -> int:
    """0 if the suite is as its list says."""
    given = _given(client, arguments)
    with endpoint("--bare") as ours, tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        command = [str(given.python.absolute()), "-m", "pytest", f"--junitxml={junit}", "-p", "no:cacheprovider"]
        plain = ["-W", "ignore", "-q", "--show-capture=no", "--tb=short", *client.options]
        environment = {**_environment(ours), **client.prepare(ours)}
        tests = given.tests or client.tests
        subprocess.run([*command, *plain, *tests, *given.options], cwd=given.suite, env=environment)
        did = expected.outcome(junit)
    if given.tests or not client.list.exists():
        print(f"{len(did.passed)} of {did.run} passed, {len(did.skipped)} skipped", *sorted(did.failed), sep="\n")
        return 0
    return 0 if expected.judge(client.name, client.list, did, given.update) else 1


def _given(client: Client, arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m conformance.{client.module}")
    parser.add_argument("--suite", type=Path, required=True, help=f"a checkout of {client.checkout}")
    parser.add_argument("--python", type=Path, required=True, help="the interpreter that has its requirements")
    parser.add_argument("--update", action="store_true", help="take out of the list what passes now")
    parser.add_argument("--tests", nargs="+", default=[], help="other tests; nothing is compared then")
    parser.add_argument("options", nargs="*", help="further options of pytest, such as -- -k unload")
    return parser.parse_args(arguments)


def _environment(ours: Endpoint) -> dict[str, str]:
    """As a user of the endpoint sets it; nothing of an account that this machine may know."""
    keys = ours.keys()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLICKLAKE_"))}
    return kept | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "AWS_ENDPOINT_URL": ours.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
    }
