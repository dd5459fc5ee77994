"""What others say of our Terraform: checkov of the files and of a plan, and version 6 of the AWS provider of the names."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from endpoint_process import EndpointProcess
from provider_6 import WHEEL, unknown
from terraform_findings import IN_FILES, IN_PLAN
from terraform_plans import EVERYTHING, GIVEN_KEY
from terraform_source import MODULE, TERRAFORM, Block, blocks
from terraform_stack import checkout

pytestmark = [pytest.mark.terraform, pytest.mark.minutes, pytest.mark.timeout(600)]

_CHECKOV = "checkov==3.3.30"


def found(framework: str, *where: str | Path) -> set[tuple[str, str]]:
    """Check and resource of each finding; checkov passes over a file that it can't read, so there must be none."""
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "tool", "run", "--quiet", "--from", _CHECKOV, "checkov", "--framework", framework, *where]
    options = ["--skip-download", "--soft-fail", "--quiet", "--compact", "--output", "json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 50
    return {(finding["check_id"], _resource(finding["resource"])) for finding in report["results"]["failed_checks"]}


def _resource(address: str) -> str:
    return address.removeprefix("module.clickstream.").partition("[")[0]


def test_checkov_finds_nothing_new_in_the_files() -> None:
    assert found("terraform", "--directory", TERRAFORM) == set(IN_FILES)


def test_checkov_finds_nothing_new_in_a_plan_of_everything(endpoint: EndpointProcess, tmp_path: Path) -> None:
    terraform = checkout(tmp_path, endpoint, b"No zip: nothing is uploaded.")
    variables = EVERYTHING | GIVEN_KEY  # a key that is yet to be made has no ARN to look at
    (tmp_path / "terraform/everything.auto.tfvars.json").write_text(json.dumps(variables))
    terraform.must("plan", "-out=everything")
    plan = tmp_path / "plan.json"
    plan.write_text(terraform.must("show", "-json", "everything"))
    assert found("terraform_plan", "--file", plan) == set(IN_PLAN)


@pytest.fixture(scope="module")
def provider_6(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("provider-6")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--dest", folder, WHEEL], check=True, stderr=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_version_6_of_the_provider_has_every_name(provider_6: Path) -> None:
    """The mirror has 5.100 only, and versions.tf allows both."""
    used = [*blocks(MODULE, "resource"), *blocks(MODULE, "data")]
    assert len(used) > 30
    missing = {block.address: unknown(provider_6, _in_python(block), block.names) for block in used}
    assert not {address: names for address, names in missing.items() if names}


def test_a_name_that_version_6_does_not_have_is_found(provider_6: Path) -> None:
    names = {("name",), ("nome",), ("timeouts", "create"), ("timeouts", "creat")}
    assert unknown(provider_6, "sqs_queue", names) == {("nome",), ("timeouts", "creat")}
    assert unknown(provider_6, "sqs_queues", {("name",)}) == {("name",), ()}


def _in_python(block: Block) -> str:
    return f"data_{block.labels[0]}" if block.kind == "data" else block.labels[0].removeprefix("aws_")
