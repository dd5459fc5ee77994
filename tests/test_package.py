"""The function's zip: the same bytes each time, and enough to run on its own."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from clicklake import package, pipeline

IMPORTS_ALONE = """
import sys
sys.path.insert(0, {zip_dir!r})
import clicklake.processor
assert clicklake.processor.__file__.startswith({zip_dir!r})
assert callable(clicklake.processor.handler)
import maxminddb  # which asks for its own metadata; the processor imports it when a database is named
assert not {{"boto3", "botocore"}} & set(sys.modules)
from clicklake import pipeline
from clicklake.transform.process import Settings, process
batch = process(b'{{"event_type":"x"}}', "raw/x.gz", 0, Settings(pipeline.load()))
assert batch.tally.good == 1
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.build(out=tmp_path_factory.mktemp("package") / "new" / "processor.zip")


def test_the_same_bytes_come_twice(built: Path, tmp_path: Path) -> None:
    assert package.build(out=tmp_path / "again.zip").read_bytes() == built.read_bytes()


def test_a_bare_interpreter_imports_it_and_boto3_stays_out(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    script = IMPORTS_ALONE.format(zip_dir=str(tmp_path))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_holds_what_lambda_runs_and_nothing_else_of_ours(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        ours = {name.split("/")[1] for name in archive.namelist() if name.startswith("clicklake/")}
        assert ours == {"__init__.py", "pipeline", "pipeline.json", "processor.py", "transform"}
        assert not [name for name in archive.namelist() if name.endswith((".pyc", ".pyi")) or "/tests/" in name]


def test_it_stays_within_the_budget(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        assert sum(info.file_size for info in archive.infolist()) < 120e6
    assert built.stat().st_size < 30e6


def test_another_pipeline_file_is_baked_in(tmp_path: Path) -> None:
    document = json.loads(pipeline.FILE.read_text())
    document["names"]["workgroup"] = "ours"
    file = tmp_path / "ours.json"
    file.write_text(json.dumps(document))
    with zipfile.ZipFile(package.build(pipeline=file, out=tmp_path / "processor.zip")) as archive:
        assert json.loads(archive.read("clicklake/pipeline.json"))["names"]["workgroup"] == "ours"


def test_a_pipeline_file_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{}")
    with pytest.raises(pipeline.PipelineError):
        package.build(pipeline=file, out=tmp_path / "processor.zip")
    assert not (tmp_path / "processor.zip").exists()


@pytest.mark.parametrize(
    ("target", "message"), [("aws-arm64", "can't be built yet"), ("windows", "no target is called")]
)
def test_a_target_that_cannot_be_built_is_refused(target: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(package.PackageError, match=message):
        package.build(target=target, out=tmp_path / "processor.zip")
