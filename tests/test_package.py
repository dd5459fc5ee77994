"""The function's zip: the same bytes each time, and enough to run on its own, here or on Lambda."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from clicklake import package, pipeline
from clicklake.package import COLLECTOR, FUNCTIONS, Contents, locking, wheels
from clicklake.package.targets import AWS, Aws
from endpoint_process import clean_environment

ROOT = Path(__file__).parent.parent
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
COLLECTOR_ALONE = """
import sys
sys.path.insert(0, {zip_dir!r})
import clicklake.collector.collect
assert clicklake.collector.collect.__file__.startswith({zip_dir!r})
"""
Build = Callable[[str], Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """build(target) -> the processor's zip, made once; "collector local" -> the collector's."""
    folder = tmp_path_factory.mktemp("package") / "new"
    made: dict[str, Path] = {}

    def once(target: str) -> Path:
        if target not in made:
            pipe = with_function(folder, architecture="x86_64") if target.endswith("aws-x86_64") else None
            function, _, machine = target.rpartition(" ")
            contents = FUNCTIONS[function or "processor"]
            made[target] = package.build(machine, pipe, folder / f"{target}.zip", contents)
        return made[target]

    return once


def with_function(folder: Path, **settings: str) -> Path:
    """A pipeline file whose function has other settings than ours."""
    document = json.loads(pipeline.FILE.read_text())
    document["function"].update(settings)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ours.json"
    file.write_text(json.dumps(document))
    return file


def names(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def without_platform(file: Path) -> set[str]:
    """The names in a zip, the same for each platform and each version of Python."""
    return {re.sub(r"\.(cpython-[^.]+|abi3)\.so$", ".so", name) for name in names(file)}


def imports_alone(
    python: str, file: Path, folder: Path, script: str = IMPORTS_ALONE
) -> subprocess.CompletedProcess[str]:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    script = script.format(zip_dir=str(folder))
    return subprocess.run([python, "-I", "-S", "-c", script], capture_output=True, text=True)


def test_the_same_bytes_come_twice(build: Build, tmp_path: Path) -> None:
    assert package.build(out=tmp_path / "again.zip").read_bytes() == build("local").read_bytes()


def test_a_bare_interpreter_imports_it_and_boto3_stays_out(build: Build, tmp_path: Path) -> None:
    done = imports_alone(sys.executable, build("local"), tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", ["local", "aws-arm64"])
def test_it_holds_what_lambda_runs_and_nothing_else_of_ours(build: Build, target: str) -> None:
    found = names(build(target))
    ours = {name.split("/")[1] for name in found if name.startswith("clicklake/")}
    assert ours == {"__init__.py", "package.json", "pipeline", "pipeline.json", "processor.py", "transform"}
    assert not [name for name in found if name.endswith((".pyc", ".pyi")) or "/tests/" in name]


@pytest.mark.parametrize("target", ["collector local", "collector aws-arm64"])
def test_the_collectors_zip_is_small_and_has_nothing_of_the_lake(build: Build, target: str) -> None:
    found = names(build(target))
    assert build(target).stat().st_size < 1e6
    ours = {name.split("/")[1] for name in found if name.startswith("clicklake/")}
    assert ours == {"__init__.py", "collector", "errors.py", "package.json", "producer", "target.py", "transform"}
    assert {name for name in found if "/transform/" in name} == {
        "clicklake/transform/__init__.py",
        "clicklake/transform/redact.py",
    }
    assert {name.split("/")[0] for name in found if "dist-info" not in name} == {"clicklake", "msgspec"}
    assert package.build(target.split()[1], None, build(target).with_name("again.zip"), COLLECTOR).read_bytes() == (
        build(target).read_bytes()
    )


@pytest.mark.parametrize("target", package.TARGETS)
def test_it_stays_within_the_budget(build: Build, target: str) -> None:
    with zipfile.ZipFile(build(target)) as archive:
        assert archive.testzip() is None
        assert sum(info.file_size for info in archive.infolist()) < 120e6
    assert build(target).stat().st_size < 30e6


@pytest.mark.parametrize(("zipped", "unzipped"), [(30_000_001, 1), (1, 120_000_001)])
def test_what_is_larger_than_the_budget_is_not_built(zipped: int, unzipped: int) -> None:
    with pytest.raises(package.PackageError, match=r"would have .* MB.*what is large goes into a layer"):
        package.check_size(zipped, unzipped)


@pytest.mark.parametrize("target", ["aws-arm64", "aws-x86_64"])
def test_on_aws_the_same_files_run_as_here(build: Build, target: str) -> None:
    """With the versions of requirements.lock, the licences and ua-parser's data; typing_extensions is for older Pythons."""
    missing = without_platform(build("local")) - without_platform(build(target))
    assert all(name.startswith("typing_extensions") for name in missing)
    assert without_platform(build(target)) <= without_platform(build("local"))


@pytest.mark.parametrize("target", ["aws-arm64", "aws-x86_64"])
def test_every_library_for_aws_is_for_its_processor(build: Build, target: str) -> None:
    libraries = [name for name in names(build(target)) if name.endswith(".so")]
    assert len(libraries) >= 8
    with zipfile.ZipFile(build(target)) as archive:
        machines = {archive.read(name)[18:20] for name in libraries}  # e_machine: 62 is x86-64, 183 is AArch64
    assert machines == {{"aws-arm64": b"\xb7\0", "aws-x86_64": b"\x3e\0"}[target]}
    tagged = [name for name in libraries if "cpython-" in name]
    assert tagged
    assert all("cpython-313-" in name for name in tagged)


def test_lambdas_python_imports_the_zip_for_aws(build: Build, tmp_path: Path) -> None:
    """Where this machine has that Python and that processor."""
    done = imports_alone(lambdas_python(), build("aws-x86_64"), tmp_path)
    assert done.returncode == 0, done.stderr


def test_lambdas_python_imports_the_collectors_zip(build: Build, tmp_path: Path) -> None:
    """All of it but the edge, which needs the runtime's boto3."""
    done = imports_alone(lambdas_python(), build("collector aws-x86_64"), tmp_path, COLLECTOR_ALONE)
    assert done.returncode == 0, done.stderr


def lambdas_python() -> str:
    homes = (Path.home() / ".pyenv/versions").glob("3.13*/bin/python3.13")
    asks = "import platform, sys; print(*sys.version_info[:2], platform.machine(), sys.platform)"
    for python in ("python3.13", *map(str, homes)):
        try:
            done = subprocess.run([python, "-c", asks], capture_output=True, text=True)
        except OSError:
            continue
        if done.stdout.split() == ["3", "13", "x86_64", "linux"]:
            return python
    pytest.skip("there is no Python 3.13 for Linux on x86-64")


def test_the_zip_says_what_it_was_built_for(build: Build) -> None:
    said = {"target": "aws-arm64", "runtime": "python3.13", "machine": "aarch64"}
    assert package.made_for(build("aws-arm64")) == said
    assert package.made_for(build("local"))["target"] == "local"


@pytest.mark.parametrize("contents", FUNCTIONS.values(), ids=list(FUNCTIONS))
@pytest.mark.parametrize("target", list(AWS.values()), ids=list(AWS))
def test_the_locks_have_a_wheel_of_requirements_lock_for_each_package(target: Aws, contents: Contents) -> None:
    pinned = locking.pins((ROOT / "requirements.lock").read_text())
    ours = locking.pins(wheels.lock_of(contents, target).read_text())
    assert sorted(ours) == locking.names(contents)
    for name, (version, hashes) in ours.items():
        assert version == pinned[name][0], f"{name}: make lock"
        assert len(hashes) == 1
        assert hashes[0] in pinned[name][1]


@pytest.mark.parametrize(
    ("wheel", "fitting"),
    [
        ("a-1-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", True),
        ("a-1-cp310-abi3-manylinux_2_34_aarch64.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-1build-py3-none-any.whl", True),
        ("a-1-cp313-cp313-manylinux_2_35_aarch64.whl", False),
        ("a-1-cp313-cp313-manylinux_2_17_x86_64.whl", False),
        ("a-1-cp313-cp313-musllinux_1_2_aarch64.whl", False),
        ("a-1-cp313-cp313-macosx_11_0_arm64.whl", False),
        ("a-1-cp313-cp313t-manylinux_2_17_aarch64.whl", False),
        ("a-1-cp312-cp312-manylinux_2_17_aarch64.whl", False),
        ("a-1-cp314-abi3-manylinux_2_17_aarch64.whl", False),
    ],
)
def test_a_wheel_fits_if_its_tags_name_lambdas_python_and_system(wheel: str, fitting: bool) -> None:
    assert wheels.fits(wheel, AWS["aws-arm64"]) == fitting


def wheel_of(folder: Path, library: bytes) -> Path:
    wheel = folder / "a-1-cp313-cp313-manylinux_2_17_aarch64.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.so", library)
        archive.writestr("a-1.data/platlib/b.py", b"b = 1\n")
        archive.writestr("a-1.data/scripts/c", b"")
    return wheel


def test_a_wheels_files_are_named_as_in_site_packages(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, b"\x7fELF\2\1".ljust(18, b"\0") + b"\xb7\0")
    assert {name for name, _ in wheels.files(wheel, AWS["aws-arm64"])} == {"a.so", "b.py"}


@pytest.mark.parametrize("library", [b"\x7fELF\2\1".ljust(18, b"\0") + b"\x3e\0", b"\xcf\xfa\xed\xfe", b""])
def test_a_library_of_another_processor_is_refused_whatever_its_wheel_is_called(library: bytes, tmp_path: Path) -> None:
    with pytest.raises(package.PackageError, match=r"a\.so in a-1-.*whl is no library for aarch64"):
        dict(wheels.files(wheel_of(tmp_path, library), AWS["aws-arm64"]))


def test_a_wheel_of_another_system_is_refused(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, b"")
    with pytest.raises(package.PackageError, match="is not for aws-x86_64"):
        dict(wheels.files(wheel, AWS["aws-x86_64"]))


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


def test_a_target_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(package.PackageError, match="no target is called 'windows': one of local, aws-arm64"):
        package.build(target="windows", out=tmp_path / "processor.zip")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": "x86_64"}, "function is for x86_64, not aws-arm64: --target aws-x86_64"),
        ({"runtime": "python3.12"}, "runtime is python3.12: the wheels are for python3.13"),
    ],
)
def test_a_target_that_the_pipeline_file_does_not_deploy_to_is_refused(
    settings: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(package.PackageError, match=message):
        package.build("aws-arm64", with_function(tmp_path, **settings), tmp_path / "processor.zip")


def test_without_an_index_it_says_so_and_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clicklake", "package", "--out", str(tmp_path / "processor.zip")]
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment() | offline)
    assert done.returncode == 2
    assert "the wheels for aws-arm64 can't be downloaded: No matching distribution found for" in done.stderr
    assert "PIP_FIND_LINKS" in done.stderr
    assert not (tmp_path / "processor.zip").exists()
