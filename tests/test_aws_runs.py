"""`make test-aws`, run here against an endpoint in AWS's place, and what README may say after a run."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aws import cost
from aws.report import Check, Run, insert, section, verified, with_verified
from endpoint_process import EndpointProcess, clean_environment, eventually
from terraform_stack import WORKSPACE, copied, offline

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/aws-runs.md"


def run_of(day: int, where: str, *outcomes: Any) -> Run:
    checks = [Check(f"check {number}", outcome, number) for number, outcome in enumerate(outcomes)]
    return Run(datetime(2026, 12, day, 14, 3, tzinfo=UTC), where, [("commit", "abc1234")], checks)


def page_of(*runs: Run) -> str:
    page = PAGE.read_text()
    for run in runs:
        page = insert(page, section(run))
    return page


def test_readme_says_what_the_newest_run_on_aws_found() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "**Verified on AWS: " in readme
    assert with_verified(readme, PAGE.read_text()) == readme


def test_a_report_says_where_when_and_how_many_checks_passed() -> None:
    written = section(run_of(1, "AWS eu-central-1", "passed", "skipped", "failed"))
    assert written.startswith("## 2026-12-01 14:03 UTC, AWS eu-central-1: 1 of 2 checks passed\n")
    assert "| commit | abc1234 |" in written
    assert "- skipped: check 1 (1 s)\n- failed: check 2 (2 s)\n" in written


def test_a_run_on_the_laptop_verifies_nothing() -> None:
    empty = page_of().partition("<!-- runs")[0] + "<!-- runs, the newest first -->\n"
    assert verified(insert(empty, section(run_of(1, "laptop", "passed")))) == "**Verified on AWS: not yet.**"


def test_the_newest_run_on_aws_counts_and_its_failures_show() -> None:
    page = page_of(run_of(1, "AWS us-east-1", "passed", "passed"))
    assert verified(page) == "**Verified on AWS: 2026-12-01 in us-east-1, 2 of 2 checks passed.**"
    page = insert(page, section(run_of(2, "AWS eu-central-1", "passed", "failed")))
    page = insert(page, section(run_of(3, "laptop", "passed")))
    assert verified(page) == "**Verified on AWS: 2026-12-02 in eu-central-1, 1 of 2 checks passed.**"
    assert with_verified("so: **Verified on AWS: not yet.** And", page).startswith("so: **Verified on AWS: 2026-12-02")


@pytest.mark.parametrize(("outcomes", "passed"), [((), False), (("passed", "skipped"), True), (("failed",), False)])
def test_a_run_passes_if_something_was_checked_and_nothing_failed(outcomes: tuple[str, ...], passed: bool) -> None:
    assert run_of(1, "laptop", *outcomes).passed == passed


def test_what_a_run_costs_is_the_sum_of_its_items() -> None:
    *items, last = cost.lines()[1:]
    assert sum(float(item.split()[0]) for item in items) == pytest.approx(float(last.split()[0]), abs=0.001)
    assert 0.001 < float(last.split()[0]) < 0.05


def test_a_state_that_an_earlier_run_left_is_never_lost() -> None:
    environment = f"t{uuid.uuid4().hex[:8]}"
    state = ROOT / ".test-aws" / environment / "terraform/terraform.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text("{}")
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "us-east-1", "PYTHONPATH": str(ROOT / "tests")}
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    command = [sys.executable, "-m", "aws", "--yes", "--environment", environment]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment() | nowhere | keys, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{environment} has the state of an earlier run; terraform destroy" in done.stdout
    assert state.read_text() == "{}"
    shutil.rmtree(state.parent.parent)


@pytest.fixture
def begin(endpoint: EndpointProcess, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """begin(environment, *options) starts a run against the endpoint; its report goes into tmp_path."""
    copied(tmp_path / "checkout", b"")
    offline(tmp_path / "checkout", "terraform")  # skips where there is no Terraform
    (tmp_path / "runs.md").write_text(PAGE.read_text())
    own = {"TF_WORKSPACE": WORKSPACE, "TF_CLI_CONFIG_FILE": os.devnull, "PYTHONPATH": str(ROOT / "tests")}

    def process(environment: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "aws", "--environment", environment, "--report", str(tmp_path / "runs.md")]
        variables = endpoint.environment() | own
        with (tmp_path / "said.txt").open("w") as said:
            return subprocess.Popen([*command, *options], cwd=ROOT, env=variables, stdout=said, stderr=said)

    return process


@pytest.mark.minutes
@pytest.mark.terraform
@pytest.mark.timeout(600)
def test_a_run_deploys_asks_destroys_and_reports(
    begin: Callable[..., subprocess.Popen[bytes]], aws: Callable[..., Any], tmp_path: Path
) -> None:
    run = begin("whole")
    run.wait()
    said = (tmp_path / "said.txt").read_text()
    assert run.returncode == 0, said
    assert said.index("0.00") < said.index("terraform apply"), "the cost comes first"
    written = (tmp_path / "runs.md").read_text()
    assert " UTC, laptop: 24 of 24 checks passed\n" in written
    assert "- passed: the seeds walk" in written
    assert "- passed: nothing is left" in written
    assert aws("s3").list_buckets()["Buckets"] == []
    assert not (ROOT / ".test-aws/whole").exists()


@pytest.mark.minutes
@pytest.mark.terraform
@pytest.mark.timeout(600)
def test_a_run_that_is_interrupted_destroys_what_it_made(
    begin: Callable[..., subprocess.Popen[bytes]], aws: Callable[..., Any], tmp_path: Path
) -> None:
    run = begin("cut")
    assert eventually(lambda: aws("s3").list_buckets()["Buckets"], seconds=200)
    run.send_signal(signal.SIGTERM)
    run.wait()
    assert run.returncode == 130, (tmp_path / "said.txt").read_text()
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("iam").list_roles()["Roles"] == []
    assert not (ROOT / ".test-aws/cut").exists()
    assert (tmp_path / "runs.md").read_text() == PAGE.read_text()
