"""What `pip install clicklake` brings: the built wheel, in a fresh environment, outside of the checkout."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from clicklake import __version__, package
from endpoint_process import clean_environment

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a new environment with the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    install = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--constraint",
        str(folder / "pins.txt"),
    ]
    pins = folder / "pins.txt"
    pins.write_text(
        "\n".join(
            line.split(" ")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if line[:1].isalnum()
        )
    )
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, *install, str(wheel)], check=True, capture_output=True, cwd=folder)
    return folder / "bin"


def run(fresh: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = [str(fresh / command[0]), *command[1:]]
    return subprocess.run(path, capture_output=True, text=True, cwd=fresh, env=clean_environment())


def test_the_wheel_holds_the_code_the_pipeline_and_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"clicklake/pipeline.json", "clicklake/prices.json", "clicklake/queries/funnel.sql"} <= set(names)
    assert "localaws/runtime.py" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests")]


def test_the_light_install_brings_boto3_and_nothing_of_the_endpoint(fresh: Path) -> None:
    listed = subprocess.run(
        [
            str(fresh / "python"),
            "-c",
            "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "boto3" in listed
    assert not {"moto", "duckdb", "sqlglot", "orjson", "uvicorn", "awscrt"} & set(listed)


def test_the_command_works_and_has_the_one_version(fresh: Path) -> None:
    assert run(fresh, "clicklake", "--version").stdout.strip() == f"clicklake {__version__}"


@pytest.mark.parametrize("command", ["send", "query", "env", "down"])
def test_the_light_commands_need_no_extra(fresh: Path, command: str) -> None:
    assert "examples:" in run(fresh, "clicklake", command, "--help").stdout


@pytest.mark.minutes  # test_package builds it without the light install
def test_the_light_install_builds_the_zip_for_aws_and_it_is_the_same_everywhere(fresh: Path, tmp_path: Path) -> None:
    """It has neither the checkout nor pip nor the extra `transform`: uv fetches what the package's own lock names."""
    ours = package.build("aws-arm64", out=tmp_path / "ours.zip")
    done = run(fresh, "clicklake", "package")
    assert done.returncode == 0, done.stderr
    assert (fresh / "dist/processor-aws-arm64.zip").read_bytes() == ours.read_bytes()


def test_without_pip_and_uv_it_says_what_is_missing(fresh: Path) -> None:
    command = [str(fresh / "clicklake"), "package"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=fresh, env={"PATH": str(fresh)})
    assert done.returncode == 2
    assert "there is neither pip nor uv to download with" in done.stderr


def test_up_without_the_extra_says_what_to_install(fresh: Path) -> None:
    done = run(fresh, "clicklake", "up")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("install it: pip install 'clicklake[local]'")
    assert len(done.stderr.splitlines()) == 1
