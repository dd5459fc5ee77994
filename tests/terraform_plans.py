"""Plans by the real provider without a network, through `terraform test -verbose`: what it would make, as values.

`terraform plan` asks STS who it is, and waits for minutes where there is none; in a test there is an answer for it. The
root's own provider block stays, with its tags: an override file adds that nobody is to be asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from terraform_stack import Terraform

ACCOUNT, REGION = "123456789012", "eu-central-1"

# Variables of the root: those that must be given, all that can be switched on, and a key.
BUCKET = {"s3_bucket_name": "acme-clickstream"}
EVERYTHING: dict[str, Any] = BUCKET | {
    "environment": "prod",
    "alarms": True,
    "alarm_emails": ["ops@acme.example"],
    "dashboard": True,
    "monthly_budget_usd": 50,
    "budget_tag": {"key": "Project", "value": "clicklake"},
    "user_key_parameter": "/acme/user-key",
    "lambda_layers": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:geo:1"],
    "geo_database": "/opt/geo.mmdb",
    "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/bound",
    "reserved_concurrency": 5,
    "access_logs": {"bucket": "acme-access-logs"},
    "tags": {"Team": "web"},
    "enable_collector": True,
    "collector_sites": [{"app_id": "shop", "write_key": "shop-key-1", "origins": ["https://*.shop.example"]}],
    "collector_origins": ["https://acme.example"],
    "collector_consent": "anonymise",
    "collector_cookie": {"domain": "shop.example"},
    "collector_trusted_proxies": 1,
    "collector_reserved_concurrency": 20,
}
GIVEN_KEY = {"encryption": "given-key", "kms_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/theirs"}

_ASK_NOBODY = f"""
provider "aws" {{
  region                      = "{REGION}"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}}
"""


@dataclass(frozen=True)
class Run:
    """A configuration, a folder below terraform/, and its variables: `tfvars` as in a file, and `variables`."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    tfvars: str = ""
    folder: str = ""
    callers: tuple[str, ...] = ("module.clickstream",)  # which modules ask who they are


@dataclass(frozen=True)
class Planned:
    """A resource that would be made: its values, as far as they are known before it is."""

    address: str
    type: str
    values: dict[str, Any]


Plans = dict[str, list[Planned]]


def plans(root: Terraform, runs: Mapping[str, Run]) -> Plans:
    """The plan of each run."""
    folder = root.root / root.folder
    for run in runs.values():
        (folder / run.folder / "offline_override.tf").write_text(_ASK_NOBODY)
    (folder / "offline.tftest.hcl").write_text("".join(_written(*run) for run in runs.items()))
    root.must("init")  # the examples are modules of the test
    said = [json.loads(line) for line in root.must("test", "-json", "-verbose", seconds=250).splitlines()]
    return {line["@testrun"]: _planned(line["test_plan"]) for line in said if line["type"] == "test_plan"}


def _written(name: str, run: Run) -> str:
    """JSON is HCL, as far as values go."""
    variables = "".join(f"{variable} = {json.dumps(value)}\n" for variable, value in run.variables.items())
    module = f'module {{\nsource = "./{run.folder}"\n}}\n' if run.folder else ""
    answers = "".join(_answer(caller) for caller in run.callers)
    return f'run "{name}" {{\ncommand = plan\n{module}variables {{\n{run.tfvars}\n{variables}}}\n{answers}}}\n\n'


def _answer(caller: str) -> str:
    data = ".".join(filter(None, [caller, "data.aws_caller_identity.current"]))
    return f'override_data {{\ntarget = {data}\nvalues = {{ account_id = "{ACCOUNT}" }}\n}}\n'


def _planned(plan: dict[str, Any]) -> list[Planned]:
    return [
        Planned(change["address"], change["type"], _with_dimensions(**change["change"]))
        for change in plan["resource_changes"]
        if change["mode"] == "managed"
    ]


def _with_dimensions(after: dict[str, Any], after_unknown: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A metric's dimensions are names, and known; only the id of an API is not, before it is made."""
    return after | {"dimensions": {"ApiId": "unknown"}} if after_unknown.get("dimensions") is True else after
