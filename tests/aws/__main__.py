"""Deploys the pipeline to the account that the aws CLI would use, asks it everything, destroys it, and reports.

    make test-aws                                          a stack with names of its own, in the region of AWS_REGION
    make test-aws OPTIONS="--environment ci --region eu-central-1 --yes"

After eval "$(clicklake env)" it runs against the endpoint on this machine, and its report says so.
"""

import argparse
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from aws import cost, report
from aws.deployment import ROOT, Deployment, existing, say
from aws.lake import Lake
from aws.report import Check, Run
from clicklake import __version__
from clicklake.commands.aiming import confirm
from clicklake.errors import ClicklakeError, NoError, UsageError
from clicklake.target import choose, translated

PAGE = ROOT / "docs/aws-runs.md"
STATES = ROOT / ".test-aws"
HERE = Path(__file__).parent
SUITE = (HERE / "walk.py", HERE / "behaviour.py")  # in this order: the walk wants an empty lake


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make test-aws", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--environment", metavar="NAME", help="the suffix of all names (default: one by chance)")
    parser.add_argument("--region", help="as in the aws CLI")
    parser.add_argument("--profile", help="as in the aws CLI")
    parser.add_argument("--var", metavar="NAME=VALUE", action="append", default=[], help="for Terraform: alarms=true")
    parser.add_argument("--report", metavar="FILE", type=Path, default=PAGE, help="default: docs/aws-runs.md")
    parser.add_argument("--tests", metavar="FILE", nargs="+", default=SUITE, help="default: all")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if arguments.profile:
        os.environ["AWS_PROFILE"] = arguments.profile
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        run = _run(arguments)
    except ClicklakeError as error:
        say(f"make test-aws: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        left = [str(folder) for folder in STATES.glob("*")]
        say(f"make test-aws: interrupted; no report{'; there is still a state in ' if left else ''}{', '.join(left)}")
        return 130
    written = report.section(run)
    arguments.report.write_text(report.insert(arguments.report.read_text(), written))
    if arguments.report == PAGE:
        readme = ROOT / "README.md"
        readme.write_text(report.with_verified(readme.read_text(), PAGE.read_text()))
    say(f"\n{written}\nwritten to {arguments.report}")
    return 0 if run.passed else NoError.exit_code


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _run(arguments: argparse.Namespace) -> Run:
    target = choose(region=arguments.region)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # Terraform, the aws CLI and the tests take it from there
        os.environ[name] = target.session.region_name
    environment = arguments.environment or f"t{secrets.token_hex(3)}"
    folder = STATES / environment
    if folder.exists():
        raise UsageError(f"{folder} has the state of an earlier run", "terraform destroy in its terraform/; remove it")
    lake = Lake(environment, f"clicklake-{environment}-{secrets.token_hex(4)}")
    say(f"{target.describe()}: a stack of the environment {environment}, with the bucket {lake.bucket}")
    say("\n".join(cost.lines()))
    with translated():
        if there := existing(lake):
            raise NoError(f"there is something of that name already: {', '.join(there)}", "--environment ANOTHER")
    confirm(target, "deploy, test and destroy it", arguments)
    deployment = Deployment(lake, folder)
    began = datetime.now(UTC)
    try:
        deployment.prepare(arguments.var)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # nothing was made
        raise
    facts = _facts(deployment)
    where = f"AWS {target.session.region_name}" if lake.on_aws else "laptop"
    return Run(began, where, facts, _checks(deployment, arguments.tests))


def _checks(deployment: Deployment, tests: list[Path]) -> list[Check]:
    """Whatever happens between, it ends with destroy."""
    checks: list[Check] = []
    try:
        checks.append(_check("terraform apply", lambda: deployment.terraform("apply", "-auto-approve")))
        if checks[-1].outcome == "passed":
            plan = ("plan", "-detailed-exitcode")  # 2 if there is something to do
            checks.append(_check("a second plan is empty", lambda: deployment.terraform(*plan)))
            checks += _suite(deployment, tests)
    finally:
        checks.append(_check("terraform destroy", lambda: deployment.terraform("destroy", "-auto-approve")))
        checks.append(_check("nothing is left", lambda: _nothing_left(deployment)))
        if any(check.outcome == "failed" for check in checks[-2:]):
            say(f"Something is left. Its state is in {deployment.folder}/terraform: terraform destroy")
        else:
            shutil.rmtree(deployment.folder)
    return checks


def _check(name: str, run: Callable[[], None]) -> Check:
    say(f"--- {name}")
    began = time.monotonic()
    try:
        run()
    except ClicklakeError as e:
        say(f"{name}: {e}")
        return Check(name, "failed", time.monotonic() - began)
    return Check(name, "passed", time.monotonic() - began)


def _nothing_left(deployment: Deployment) -> None:
    with translated():
        if there := existing(deployment.lake):
            raise NoError(", ".join(there))


def _suite(deployment: Deployment, tests: list[Path]) -> list[Check]:
    """pytest's outcome of each test; one that could not begin is a failure of its own."""
    description, outcomes = deployment.folder / "lake.json", deployment.folder / "outcomes.xml"
    deployment.lake.write(description)
    options = ["--quiet", "-p", "no:cacheprovider", "-o", "timeout=900", f"--junit-xml={outcomes}"]
    command = [sys.executable, "-m", "pytest", *options, *map(str, tests)]
    environment = {**os.environ, "CLICKLAKE_DEPLOYED": str(description)}
    ran = subprocess.run(command, cwd=ROOT, env=environment)
    if not outcomes.exists():
        return [Check(f"pytest ended with {ran.returncode}", "failed", 0)]
    return [_of_junit(case) for case in ET.parse(outcomes).iter("testcase")]


def _of_junit(case: ET.Element) -> Check:
    kinds = {child.tag for child in case}
    outcome: report.Outcome = (
        "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
    )
    name = case.get("name", "").removeprefix("test_").replace("_", " ")
    return Check(name, outcome, float(case.get("time", 0)))


def _facts(deployment: Deployment) -> list[tuple[str, str]]:
    def said(*command: str) -> str:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout

    changed = " and changes" if said("git", "status", "--porcelain", "--untracked-files=no") else ""
    versions = said("terraform", f"-chdir={deployment.folder / 'terraform'}", "version")
    terraform = ", ".join(
        re.findall(r"^(?:Terraform|\+ provider registry\.terraform\.io/)\s*(.+)", versions, re.MULTILINE)
    )
    commit = said("git", "rev-parse", "--short", "HEAD").strip()
    return [
        ("clicklake", f"{__version__}, commit {commit}{changed}"),
        ("Terraform", terraform),
        ("run from", f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"),
        ("package", deployment.target),
        ("expected cost", f"{sum(cost.usd().values()):.2f} USD"),
    ]


if __name__ == "__main__":
    sys.exit(main())
