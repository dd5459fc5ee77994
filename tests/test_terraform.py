"""terraform/ against the endpoint, with the real AWS provider: one apply, shared by the tests in their order here.

The apply takes a minute, nearly all of it waiting: the provider reads a bucket's lifecycle ten times, five seconds
apart, before it believes it (hashicorp/terraform-provider-aws, issue 23352).
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from described_stack import described, differences
from endpoint_process import EndpointProcess
from seed_walk import walk
from terraform_provider import attached
from terraform_stack import BUCKET, ROOT, WORKSPACE, Terraform, checkout

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(300)]

_USER_KEY = "/clicklake/dev/user-key"  # as `up` calls it
_UNCHANGED = 0  # plan -detailed-exitcode: 2 means that there is something to do


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory, endpoint: EndpointProcess) -> Iterator[Terraform]:
    """Initialised, nothing applied; its provider is one process for all commands."""
    root = tmp_path_factory.mktemp("terraform")
    package = root / "processor.zip"
    command = [sys.executable, "-m", "clicklake", "package", "--target", "local", "--out", str(package)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = checkout(root / "checkout", endpoint, package.read_bytes())
    (made.root / "terraform/user_key.auto.tfvars.json").write_text(json.dumps({"user_key_parameter": _USER_KEY}))
    with attached(made) as shared:
        yield shared


@pytest.fixture(scope="module")
def applied(terraform: Terraform, aws: Callable[..., Any]) -> Terraform:
    aws("ssm").put_parameter(Name=_USER_KEY, Value="k" * 32, Type="SecureString")
    terraform.must("apply", "-auto-approve", seconds=200)
    return terraform


def test_files_are_formatted(terraform: Terraform) -> None:
    assert terraform.must("fmt", "-check", "-recursive", "-diff") == ""


def test_lock_file_fits_every_platform_and_the_version_constraint() -> None:
    lock = (ROOT / "terraform/.terraform.lock.hcl").read_text()
    assert len(re.findall(r'"zh:[0-9a-f]{64}"', lock)) == 15, "HashiCorp signs one zip for each platform"
    (constraint,) = re.findall(r'constraints = "([^"]+)"', lock)
    for versions in ("terraform/versions.tf", "terraform/modules/clickstream/versions.tf"):
        assert f'version = "{constraint}"' in (ROOT / versions).read_text()


def test_the_example_has_the_placeholder_and_it_is_refused(terraform: Terraform) -> None:
    example = (ROOT / "terraform/terraform.tfvars.example").read_text()
    assert 's3_bucket_name = "your-unique-bucket-name"' in example
    done = terraform.run("plan", "-var", "s3_bucket_name=your-unique-bucket-name")
    assert done.returncode == 1
    assert "put a name of your own into" in done.stdout


def test_a_missing_package_says_how_to_make_it(terraform: Terraform) -> None:
    """In any workspace but the laptop's it is the one for Lambda that is missed."""
    on_aws = replace(terraform, environment={**terraform.environment, "TF_WORKSPACE": "default"})
    done = on_aws.run("plan")
    assert done.returncode == 1
    assert "There is no ../dist/processor-aws-arm64.zip; run: make package" in done.stdout


def test_apply_makes_what_the_contract_names(applied: Terraform) -> None:
    outputs = applied.outputs()
    assert outputs["first_query"].startswith("SELECT event_type, COUNT(*) FROM clickstream_db.clickstream_events")
    named = {
        "s3_bucket_name": BUCKET,
        "delivery_stream_name": "clickstream-firehose-dev",
        "function_name": "clickstream-raw-to-processed-dev",
        "database_name": "clickstream_db",
        "table_names": {
            "events": "clickstream_events",
            "failed": "clickstream_failed",
            "ledger": "clickstream_ledger",
        },
        "unique_view_name": "clickstream_events_unique",
        "workgroup_name": "clickstream-dev",
        "delivery_stream_arn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/clickstream-firehose-dev",
        "kms_key_arn": None,
    }
    assert {name: outputs.get(name) for name in named} == named


def test_a_laptops_state_is_not_the_default_workspaces(applied: Terraform) -> None:
    assert not (applied.root / "terraform/terraform.tfstate").exists()
    assert (applied.root / f"terraform/terraform.tfstate.d/{WORKSPACE}/terraform.tfstate").exists()


def test_up_makes_the_same_stack(applied: Terraform, aws: Callable[..., Any], stack: EndpointProcess) -> None:
    theirs = json.loads(json.dumps(described(aws)).replace(BUCKET, "clickstream-lake-dev"))
    found = differences(described(stack.client), theirs)
    stated = {where for where in found for difference in _STATED if re.search(difference, where)}
    assert not {where: found[where] for where in found.keys() - stated}, "up's, and Terraform's"
    assert all(any(re.search(difference, where) for where in found) for difference in _STATED), "is none any more"


# All that differs, with the reason. The bucket's name is its owner's choice; buffering (AWS's by default) and the user
# key's parameter (none by default) are Terraform's variables, and have the laptop's values here.
_STATED = {
    r"/ManagedBy$": "who made it",
    r"^delivery stream [^:]+:/tags/clicklake:made-from$": "how the next start of `up` knows that nothing is to be done",
}


def test_a_second_plan_is_empty_after_a_crash_and_a_restart_too(applied: Terraform, endpoint: EndpointProcess) -> None:
    """What a crash leaves is at most what was there before it."""
    endpoint.kill()
    endpoint.start()
    done = applied.run("plan", "-detailed-exitcode")
    assert done.returncode == _UNCHANGED, done.stdout


def test_the_seeds_walk_works_on_what_terraform_made(applied: Terraform, endpoint: EndpointProcess) -> None:
    walk(endpoint.environment(), BUCKET, endpoint.client)


def test_destroy_leaves_nothing(applied: Terraform, aws: Callable[..., Any]) -> None:
    applied.must("destroy", "-auto-approve")
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
    assert aws("lambda").list_functions()["Functions"] == []
    assert aws("glue").get_databases()["DatabaseList"] == []
    assert [group["Name"] for group in aws("athena").list_work_groups()["WorkGroups"]] == ["primary"]
    assert aws("iam").list_roles()["Roles"] == []
    assert aws("logs").describe_log_groups()["logGroups"] == []
