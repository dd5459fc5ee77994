"""Terraform without an account, a network or an endpoint: the module's own tests (*.tftest.hcl), with a mock for the
provider, and what the real provider plans."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws_metrics import PUBLISHED
from terraform_plans import BUCKET, EVERYTHING, GIVEN_KEY, Planned, Plans, Run, plans
from terraform_provider import attached
from terraform_source import MODULE, TERRAFORM, blocks
from terraform_stack import Terraform, copied, offline

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(300)]

ZIP = {"lambda_package": "../dist/processor-local.zip"}
COLLECTOR_ZIP = {"collector_package": "../dist/collector-local.zip"}
EXAMPLES = "modules/clickstream/examples"


def tfvars(name: str) -> str:
    return (TERRAFORM / name).read_text().replace("your-unique-bucket-name", "acme-clickstream")


# The root as its documents say that it is used, with everything switched on, and the module's examples.
ROOTS = {
    "off_the_shelf": Run(ZIP, tfvars("terraform.tfvars.example")),
    "dev": Run(BUCKET | ZIP, tfvars("environments/dev.tfvars")),
    "prod": Run(ZIP, tfvars("environments/prod.tfvars")),
    "own_key": Run(EVERYTHING | ZIP | {"encryption": "own-key"}),
    "given_key": Run(EVERYTHING | ZIP | GIVEN_KEY),
}
RUNS = ROOTS | {
    "minimal": Run(BUCKET | ZIP, folder=f"{EXAMPLES}/minimal"),
    "complete": Run(BUCKET | ZIP | COLLECTOR_ZIP, folder=f"{EXAMPLES}/complete", callers=("module.clickstream", "")),
}
# What parliament says of a policy that is right: issue and whose policy, why.
ACCEPTED = {
    ("RESOURCE_STAR", "aws_kms_key"): "in a key's policy the only resource is the key, and it is written as *",
    ("UNKNOWN_CONDITION_FOR_ACTION", "aws_kms_key"): "as in AWS's encrypt-log-data-kms.html",
    ("MISMATCHED_TYPE", "aws_kms_key"): "the same page compares the encryption context by ArnEquals",
    ("RESOURCE_STAR", "aws_iam_policy.boundary"): "a boundary allows nothing: it bounds what other policies allow",
}
# What costs nothing until it is used; pricing pages of each service, us-east-1.
FREE_AT_REST = {
    "aws_athena_named_query",
    "aws_athena_workgroup",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_stream",
    "aws_glue_catalog_database",
    "aws_glue_catalog_table",  # the first million objects
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_kinesis_firehose_delivery_stream",
    "aws_lambda_function",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_permission",
    "aws_s3_bucket",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_sqs_queue",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """terraform/, with a provider that runs as long as this module."""
    folder: Path = tmp_path_factory.mktemp("repository")
    copied(folder, b"No zip: nothing is uploaded.")
    with attached(offline(folder, "terraform")) as terraform:
        yield terraform


@pytest.fixture(scope="module")
def planned(root: Terraform) -> Plans:
    return plans(root, RUNS)


def test_the_modules_own_tests_pass(root: Terraform) -> None:
    module = replace(root, folder="terraform/modules/clickstream")
    module.must("init")
    assert "Success!" in module.must("test", seconds=250)


def test_each_validation_has_a_run_that_it_refuses() -> None:
    validations = {
        variable.labels[0]: count for variable in blocks(MODULE, "variable") if (count := variable.nested("validation"))
    }
    inputs = (MODULE / "tests/inputs.tftest.hcl").read_text()
    refused = [variable for each in re.findall(r"expect_failures = \[(.+)\]", inputs) for variable in each.split(", ")]
    assert Counter(name.removeprefix("var.") for name in refused) == validations


def test_each_precondition_has_a_run_that_it_refuses() -> None:
    guarded = [block.address for block in blocks(MODULE, "resource") if "precondition {" in block.body]
    runs = "".join(file.read_text() for file in MODULE.glob("tests/*.tftest.hcl"))
    assert guarded
    assert not [address for address in guarded if not re.search(rf"expect_failures = \[{re.escape(address)}\b", runs)]


def test_the_real_provider_plans_every_way_to_use_it(planned: Plans) -> None:
    """With nothing but a bucket's name, with everything that can be switched on, and as the examples do."""
    assert planned.keys() == RUNS.keys()
    everything = {resource.type for run in ("own_key", "given_key") for resource in planned[run]}
    assert everything == {block.labels[0] for block in blocks(MODULE, "resource")}


def test_no_way_to_use_it_is_left_out() -> None:
    examples = {folder.name for folder in (TERRAFORM / EXAMPLES).iterdir()}
    environments = {file.stem for file in TERRAFORM.glob("environments/*.tfvars")}
    assert examples | environments <= RUNS.keys()


def test_dev_is_what_the_defaults_are(planned: Plans) -> None:
    assert planned["dev"] == planned["off_the_shelf"]


def test_dev_costs_nothing_at_rest(planned: Plans) -> None:
    assert {resource.type for resource in planned["dev"]} <= FREE_AT_REST


def test_whatever_can_have_tags_has_them(planned: Plans) -> None:
    for run, environment, tags in (("dev", "dev", {}), ("own_key", "prod", {"Team": "web"})):
        plan = planned[run]
        wanted = {"Project": "clicklake", "Environment": environment, "ManagedBy": "terraform", **tags}
        taggable = [resource for resource in plan if "tags" in resource.values]
        assert {"aws_s3_bucket", "aws_lambda_function"} <= {resource.type for resource in taggable}
        for resource in taggable:
            assert resource.values["tags_all"] == wanted, resource.address


def policies(plan: list[Planned]) -> dict[str, str]:
    """The policies that are known, by who has them."""
    return {resource.address: resource.values["policy"] for resource in plan if resource.values.get("policy")}


def statements(plan: list[Planned], type_: str) -> list[dict[str, Any]]:
    documents = [json.loads(policy) for who, policy in policies(plan).items() if f"{type_}." in who]
    return [statement for document in documents for statement in document["Statement"]]


def test_parliament_finds_nothing_in_any_policy(planned: Plans, tmp_path: Path) -> None:
    """No unknown action or condition, and no action on a resource of another kind."""
    for run, plan in planned.items():
        for who, policy in policies(plan).items():
            (tmp_path / f"{run}-{re.sub(r'[^a-z_.]', '-', who)}.json").write_text(policy)
    assert len(list(tmp_path.iterdir())) >= 13
    wrong = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObjects", "Resource": "*"}]}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    linter = Path(sys.executable).with_name("parliament")
    done = subprocess.run([linter, "--directory", tmp_path, "--json"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    found = {(finding["issue"], Path(finding["location"]["filepath"]).name) for finding in findings}
    accepted = {(issue, who) for issue, who in found for known, of in ACCEPTED if known == issue and of in who}
    assert found - accepted == {("UNKNOWN_ACTION", "wrong.json")}
    assert all(any(known == issue and of in who for issue, who in accepted) for known, of in ACCEPTED)


def test_no_role_may_do_anything_everywhere(planned: Plans) -> None:
    """Nor anything at all; only X-Ray knows no resources."""
    for run in ("dev", "given_key"):
        allowed = [
            statement for statement in statements(planned[run], "aws_iam_role_policy") if statement["Effect"] == "Allow"
        ]
        assert len(allowed) >= 10
        for statement in allowed:
            assert not [action for action in statement["Action"] if "*" in action]
            if {action.partition(":")[0] for action in statement["Action"]} != {"xray"}:
                assert not [resource for resource in statement["Resource"] if not resource.startswith("arn:aws:")]


def test_no_policy_allows_anybody_anything(planned: Plans) -> None:
    for plan in planned.values():
        for who, policy in policies(plan).items():
            allowed = [statement for statement in json.loads(policy)["Statement"] if statement["Effect"] == "Allow"]
            assert "*" not in json.dumps([statement.get("Principal") for statement in allowed]), who


def metrics(plan: list[Planned]) -> list[tuple[str, str, str]]:
    """Namespace, dimension and name of each metric that an alarm or the dashboard looks at."""
    alarms = [resource.values for resource in plan if resource.type == "aws_cloudwatch_metric_alarm"]
    asked = [alarm for alarm in alarms if alarm["metric_name"]]
    asked += [metric for alarm in alarms for query in alarm["metric_query"] for metric in query["metric"]]
    found = [(metric["namespace"], " ".join(metric["dimensions"] or {}), metric["metric_name"]) for metric in asked]
    for board in (resource.values for resource in plan if resource.type == "aws_cloudwatch_dashboard"):
        for widget in json.loads(board["dashboard_body"])["widgets"]:
            found += [(line[0], line[2], line[1]) for line in widget["properties"]["metrics"]]
    return found


def test_every_metric_that_is_watched_exists(planned: Plans) -> None:
    plan = planned["given_key"]
    own = {
        ("Clicklake/clickstream-prod", "", transformation["name"])
        for resource in plan
        if resource.type == "aws_cloudwatch_log_metric_filter"
        for transformation in resource.values["metric_transformation"]
    }
    watched = set(metrics(plan))
    assert len(watched) >= 20
    assert own <= watched
    assert not [metric for metric in watched - own if metric[2] not in PUBLISHED[metric[:2]]]


def test_whatever_can_fail_has_an_alarm(planned: Plans) -> None:
    """Each stream, function and queue of the plan, by its name."""
    plan = planned["given_key"]
    named = {
        resource.values.get("function_name") or resource.values["name"]
        for resource in plan
        if resource.type in {"aws_kinesis_firehose_delivery_stream", "aws_lambda_function", "aws_sqs_queue"}
    }
    alarms = [resource.values for resource in plan if resource.type == "aws_cloudwatch_metric_alarm"]
    assert len(named) == 4
    assert named <= {name for alarm in alarms for name in (alarm["dimensions"] or {}).values()}
