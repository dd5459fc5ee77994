"""The module's own tests (*.tftest.hcl), with a mocked provider: no account, no network, no endpoint."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from terraform_provider import attached
from terraform_source import MODULE, blocks
from terraform_stack import Terraform, copied, offline

pytestmark = [pytest.mark.terraform]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    root: Path = tmp_path_factory.mktemp("repository")
    copied(root, b"No zip: nothing is uploaded.")
    with attached(offline(root, "terraform/modules/clickstream")) as terraform:
        yield terraform


def test_the_modules_own_tests_pass(module: Terraform) -> None:
    assert "0 failed" in module.must("test")


def test_each_validation_has_a_run_that_it_refuses() -> None:
    validations = {
        variable.labels[0]: count for variable in blocks(MODULE, "variable") if (count := variable.nested("validation"))
    }
    inputs = (MODULE / "tests/inputs.tftest.hcl").read_text()
    assert Counter(re.findall(r"expect_failures = \[var\.(\w+)\]", inputs)) == validations


def test_each_precondition_has_a_run_that_it_refuses() -> None:
    guarded = [block.address for block in blocks(MODULE, "resource") if "precondition {" in block.body]
    runs = "".join(file.read_text() for file in MODULE.glob("tests/*.tftest.hcl"))
    assert guarded
    assert not [address for address in guarded if not re.search(rf"expect_failures = \[{re.escape(address)}\b", runs)]
