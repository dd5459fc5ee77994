"""Terraform's files as they are written: described, typed, used, portable, and the tables of their READMEs."""

import re
from pathlib import Path

import pytest

import terraform_docs
from terraform_mutants import MUTANTS
from terraform_source import MODULE, ROOT, TERRAFORM, Block, blocks, files, text

FOLDERS = sorted({file.parent for file in TERRAFORM.rglob("*.tf")})
_LITERAL_PLACES = {
    "a partition": r"arn:aws[a-z-]*:",
    "an account": r"(?<![\d-])\d{12}(?!\d)",
    "a region": r"\b(?:us|eu|ap|ca|sa|me|af|il|cn)-(?:[a-z]+-)+\d\b",
}


def of_each_folder(kind: str) -> list[Block]:
    return [block for folder in FOLDERS for block in blocks(folder, kind)]


def test_every_variable_has_a_description_and_a_type() -> None:
    for variable in of_each_folder("variable"):
        assert {"description", "type"} <= variable.attributes.keys(), variable.address


def test_every_output_has_a_description() -> None:
    for output in of_each_folder("output"):
        assert "description" in output.attributes, output.address


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_variable_local_and_data_source_is_used(folder: Path) -> None:
    content = text(folder)
    declared = [f"var.{variable.labels[0]}" for variable in blocks(folder, "variable")]
    declared += [source.address for source in blocks(folder, "data")]
    declared += [f"local.{name}" for block in blocks(folder, "locals") for name in block.attributes]
    without_own_checks = re.sub(r"^variable .*?^}", "", content, flags=re.MULTILINE | re.DOTALL)
    assert not [name for name in declared if not re.search(rf"\b{re.escape(name)}\b", without_own_checks)]


@pytest.mark.parametrize("place", _LITERAL_PLACES)
def test_no_file_names_a_place_on_aws(place: str) -> None:
    """`arn:aws:` is another in China and GovCloud."""
    found = {
        file.name: re.findall(_LITERAL_PLACES[place], text(folder))
        for folder in (TERRAFORM, MODULE)
        for file in files(folder)
    }
    assert not {name: literals for name, literals in found.items() if literals}


def test_no_raw_object_comes_before_what_an_invocation_needs() -> None:
    """S3 tells nobody of an object that was there before its notification; an invocation without the queue is lost, and one
    without its tables fails. Terraform makes in this order, and destroys in the other."""
    resources = {block.address: block.attributes.get("depends_on", "") for block in blocks(MODULE, "resource")}
    assert "aws_s3_bucket_notification.lake" in resources["aws_kinesis_firehose_delivery_stream.events"]
    for needed in (
        "aws_lambda_permission.s3",
        "aws_lambda_function_event_invoke_config.processor",
        "aws_glue_catalog_table.lake",
    ):
        assert needed in resources["aws_s3_bucket_notification.lake"], needed


def test_every_folder_takes_the_same_versions() -> None:
    assert len({(folder / "versions.tf").read_text() for folder in FOLDERS}) == 1


def test_the_module_leaves_the_provider_to_its_user() -> None:
    """With a provider of its own a module can't be used with count, for_each or depends_on."""
    assert blocks(MODULE, "provider") == []
    assert not [
        folder for folder in FOLDERS if re.search(r"^\s*(provisioner|local-exec)\b", text(folder), re.MULTILINE)
    ]


def test_the_roots_inputs_are_the_modules() -> None:
    """What the root hands on has the module's type and default, but for the paths that are from elsewhere."""
    of_module = {variable.labels[0]: variable.attributes for variable in blocks(MODULE, "variable")}
    of_root = {variable.labels[0]: variable.attributes for variable in blocks(TERRAFORM, "variable")}
    assert of_root.keys() - of_module.keys() == {"region"}
    assert of_module.keys() <= of_root.keys()
    elsewhere = {"pipeline_file", "lambda_package"}
    for name in of_module.keys() - elsewhere:
        assert {**of_root[name], "description": ""} == {**of_module[name], "description": ""}, name


def test_the_tables_of_the_readmes_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert terraform_docs.main(["--check"]) == 0, capsys.readouterr().err


def test_the_page_of_properties_names_tests_that_exist() -> None:
    page = (ROOT / "docs/terraform-properties.md").read_text()
    named = re.findall(r"`([\w.]+)::(\w+)`", page)
    properties = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert [int(number) for number in properties] == list(range(1, 21))
    for file, name in named:
        folder, head = (MODULE / "tests", 'run "{}" {{') if file.endswith(".hcl") else (ROOT / "tests", "def {}(")
        assert head.format(name) in (folder / file).read_text(), f"{file}::{name}"


def test_each_of_the_modules_tests_is_on_that_page() -> None:
    page = (ROOT / "docs/terraform-properties.md").read_text()
    assert not [file.name for file in MODULE.glob("tests/*.tftest.hcl") if f"`{file.name}::" not in page]


def test_each_mutant_has_something_to_change() -> None:
    """Else `make terraform` would be the first to say so."""
    assert f"| {len(MUTANTS)} mistakes in the module" in (ROOT / "docs/terraform-properties.md").read_text()
    for mutant in MUTANTS:
        assert (MODULE / mutant.file).read_text().count(mutant.before) == 1, mutant
