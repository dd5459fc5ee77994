"""Plans by the real provider without a network, through `terraform test -verbose`: what it would make, as values.

`terraform plan` asks STS who it is, and waits for minutes where there is none; in a test there is an answer for it. The
root's own provider block stays, with its tags: an override file adds that nobody is to be asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from terraform_stack import Terraform

ACCOUNT, REGION = "123456789012", "eu-central-1"

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

_ANSWER = f"""
override_data {{
  target = module.clickstream.data.aws_caller_identity.current
  values = {{ account_id = "{ACCOUNT}" }}
}}
"""


@dataclass(frozen=True)
class Planned:
    """A resource that would be made: its values, as far as they are known before it is."""

    address: str
    type: str
    values: dict[str, Any]


def plans(root: Terraform, runs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Planned]]:
    """The plan of each run, by the variables that it gives to the root."""
    folder = root.root / root.folder
    (folder / "offline_override.tf").write_text(_ASK_NOBODY)
    (folder / "offline.tftest.hcl").write_text(_ANSWER + "".join(_run(*run) for run in runs.items()))
    said = [json.loads(line) for line in root.must("test", "-json", "-verbose").splitlines()]
    return {line["@testrun"]: _planned(line["test_plan"]) for line in said if line["type"] == "test_plan"}


def _run(name: str, variables: Mapping[str, Any]) -> str:
    """JSON is HCL, as far as values go."""
    lines = "".join(f"    {variable} = {json.dumps(value)}\n" for variable, value in variables.items())
    return f'\nrun "{name}" {{\n  command = plan\n\n  variables {{\n{lines}  }}\n}}\n'


def _planned(plan: dict[str, Any]) -> list[Planned]:
    return [
        Planned(change["address"], change["type"], change["change"]["after"])
        for change in plan["resource_changes"]
        if change["mode"] == "managed"
    ]
