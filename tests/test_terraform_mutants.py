"""Are the module's tests worth something? Each mistake of terraform_mutants.py must make them fail."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from terraform_mutants import MUTANTS, Mutant
from terraform_provider import attached
from terraform_stack import Terraform, copied, offline

pytestmark = [pytest.mark.terraform, pytest.mark.minutes]

_MODULE = "terraform/modules/clickstream"
_FAILED = {"Test assertion failed", "Missing expected failure"}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    root: Path = tmp_path_factory.mktemp("repository")
    copied(root, b"No zip: nothing is uploaded.")
    with attached(offline(root, "terraform")) as terraform:
        module = replace(terraform, folder=_MODULE)
        module.must("init")
        yield module


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.before.strip()}")
def test_a_mistake_is_noticed(module: Terraform, mutant: Mutant) -> None:
    file = module.root / _MODULE / mutant.file
    right = file.read_text()
    assert right.count(mutant.before) == 1
    file.write_text(right.replace(mutant.before, mutant.after))
    try:
        done = module.run("test", f"-filter=tests/{mutant.tests}.tftest.hcl")
    finally:
        file.write_text(right)
    errors = set(re.findall(r"^Error: (.+)$", done.stdout, re.MULTILINE))
    assert errors, "it survived"
    assert errors <= _FAILED, f"it is no valid configuration\n{done.stdout}"
