"""Terraform, run on a copy of terraform/ against an endpoint; tests that need it are skipped with the reason when it
or its provider is absent, or fail if CLICKLAKE_REQUIRE_TERRAFORM says that it must be there.

The provider comes from the mirror that TF_PLUGIN_DIR names, else by Terraform's own rules: its plugin directories
(~/.terraform.d/plugins, /usr/local/share/terraform/plugins ...), then the registry.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from endpoint_process import EndpointProcess

ROOT = Path(__file__).parent.parent
BUCKET = "acme-clickstream-dev"
WORKSPACE = "laptop"
_INIT_SECONDS = 120
_MOCKS = (1, 11)  # of Terraform: override_during came with it
_NO_PROVIDER = ("Failed to query available provider packages", "Failed to install provider")


@dataclass(frozen=True)
class Terraform:
    """A checkout as Terraform sees it: `root`/terraform, the pipeline file and the function's package beside it."""

    root: Path
    environment: Mapping[str, str]
    folder: str = "terraform"

    def run(self, *arguments: str, seconds: float = 100) -> subprocess.CompletedProcess[str]:
        """Its standard error is in with its standard output."""
        return subprocess.run(
            [_binary(), *arguments, *(["-no-color"] if arguments[0] != "fmt" else [])],
            cwd=self.root / self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )

    def must(self, *arguments: str, seconds: float = 100) -> str:
        """Its output; the test fails if it does."""
        done = self.run(*arguments, seconds=seconds)
        assert done.returncode == 0, f"terraform {' '.join(arguments)}\n{done.stdout}"
        return done.stdout

    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self.must("output", "-json")).items()}


def checkout(root: Path, endpoint: EndpointProcess, package: bytes) -> Terraform:
    """Initialised, with `package` as the function's zip and a bucket name of its own."""
    copied(root, package)
    # The laptop's buffering; else the walk would wait for AWS's 300 seconds.
    variables = {"s3_bucket_name": BUCKET, "buffering": {"mib": 16, "seconds": 1}}
    (root / "terraform/terraform.tfvars.json").write_text(json.dumps(variables))
    terraform = Terraform(root, _environment(endpoint.environment()))
    initialise(terraform)
    return terraform


def copied(root: Path, package: bytes, collector: bytes = b"No zip: nothing is uploaded.") -> None:
    """What Terraform reads of the repository, and `package` and `collector` as the functions' zips."""
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "terraform.tfvars")
    shutil.copytree(ROOT / "terraform", root / "terraform", ignore=ignored)
    (root / "src/clicklake/queries").mkdir(parents=True)
    for file in [ROOT / "src/clicklake/pipeline.json", *(ROOT / "src/clicklake/queries").glob("*.sql")]:
        shutil.copy(file, root / file.parent.relative_to(ROOT))
    (root / "dist").mkdir()
    (root / "dist/processor-local.zip").write_bytes(package)
    (root / "dist/collector-local.zip").write_bytes(collector)


def offline(root: Path, folder: str) -> Terraform:
    """A folder of a copied repository, initialised, with no credentials and nothing to speak to."""
    terraform = Terraform(root, _environment({"PATH": os.environ["PATH"]}), folder)
    version = json.loads(terraform.must("version", "-json"))["terraform_version"]
    if tuple(int(number) for number in version.split(".")[:2]) < _MOCKS:
        _absent(f"the tests with mocks need Terraform 1.11 or newer; this is {version}")
    lock = root / folder / ".terraform.lock.hcl"
    if not lock.exists():  # the module's user has one of their own
        shutil.copy(ROOT / "terraform/.terraform.lock.hcl", lock)
    initialise(terraform)
    return terraform


def example(name: str, root: Path, endpoint: EndpointProcess, package: bytes, collector: bytes) -> Terraform:
    """One of the module's examples, initialised, for the endpoint."""
    copied(root, package, collector)
    made = offline(root, f"terraform/modules/clickstream/examples/{name}")
    return replace(made, environment=_environment(endpoint.environment()))


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in variables.items() if not name.startswith("TF_")}
    settings = {
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "TF_WORKSPACE": WORKSPACE,  # as `clicklake env` sets it
        "CHECKPOINT_DISABLE": "1",
        # A third of a run's CPU was Go's garbage collector, after each of many reads of a schema of 1,500 resources.
        "GOGC": "off",
        "GOMEMLIMIT": "1500MiB",
    }
    return kept | settings


def initialise(terraform: Terraform, *options: str) -> None:
    """terraform init, with the provider from where it is."""
    mirror = os.environ.get("TF_PLUGIN_DIR")
    source = [f"-plugin-dir={mirror}"] if mirror else []
    try:
        done = terraform.run("init", "-lockfile=readonly", *options, *source, seconds=_INIT_SECONDS)
    except subprocess.TimeoutExpired:
        _absent(f"terraform init found no AWS provider within {_INIT_SECONDS} s; name a mirror in TF_PLUGIN_DIR")
    if any(words in done.stdout for words in _NO_PROVIDER):
        _absent("terraform init finds no AWS provider 5.100.0; name a mirror in TF_PLUGIN_DIR")
    assert done.returncode == 0, done.stdout


def _binary() -> str:
    found = shutil.which("terraform")
    if found is None:
        _absent("there is no terraform on PATH")
    return found


def _absent(reason: str) -> NoReturn:
    if os.environ.get("CLICKLAKE_REQUIRE_TERRAFORM"):
        pytest.fail(reason)
    pytest.skip(reason)
