"""The command line: one clear line and an exit code for whatever can go wrong, and lines that a shell can eval."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clicklake import __version__, shell
from clicklake.cli import every_command, main
from endpoint_process import EndpointProcess, clean_environment

CLICKLAKE = [sys.executable, "-m", "clicklake"]


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLICKLAKE, *arguments],
        capture_output=True,
        text=True,
        env=clean_environment() | environment,
        timeout=60,
        cwd=cwd,
    )


Inside = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Inside:
    """Like `run`, in this process: for what ends before anything is done."""

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        for name in os.environ.keys() - clean_environment().keys():
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return call


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error of a command that failed as it should: one line on stderr, nothing on stdout (`env` says "false" there,
    so that `eval` fails)."""
    assert done.stdout in {"", "false\n"}
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_the_version_is_the_packages() -> None:
    assert run("--version").stdout.strip() == f"clicklake {__version__}"


@pytest.mark.parametrize("command", sorted(every_command()))
def test_help_of_every_command_begins_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: clicklake {command}")
    assert text.index("examples:") < text.index("options:")


def test_an_unknown_command_is_wrong_usage(inside: Inside) -> None:
    assert inside("brew").returncode == 2


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_either_of_the_variables_names_the_region(variable: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_MAX_ATTEMPTS": "1"}
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_CONFIG_FILE": "/dev/null"}
    environment = clean_environment() | nowhere | keys | {variable: "eu-central-1"}
    done = subprocess.run([*CLICKLAKE, "query", "SELECT 1"], capture_output=True, text=True, env=environment)
    assert done.returncode == 3, done.stderr  # it can't be reached: the region was no question


def test_up_says_in_one_line_that_the_port_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("up", "--bare", "--port", port, "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 2
    assert one_line(done) == f"clicklake up: port {port} on 127.0.0.1 is in use: choose another: --port"
    assert not (tmp_path / "data").exists()


def test_up_says_in_one_line_that_the_data_directory_is_in_use(endpoint: EndpointProcess) -> None:
    done = run("up", "--bare", "--port", "0", "--data-dir", str(endpoint.data_dir))
    assert done.returncode == 2
    assert "is in use by process" in one_line(done)


def test_up_says_in_one_line_that_the_data_directory_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    done = run("up", "--bare", "--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert done.returncode == 2
    assert "can't be written" in one_line(done)


def test_package_says_in_one_line_that_its_file_cannot_be_written(tmp_path: Path) -> None:
    done = run("package", "--target", "local", "--out", str(tmp_path))
    assert done.returncode == 2
    assert one_line(done) == f"clicklake package: {tmp_path} can't be written (Is a directory): choose another: --out"


@pytest.mark.parametrize("url", ["localhost:4566", "nonsense", "http://"])
def test_an_endpoint_that_is_no_address_is_wrong_usage(url: str, inside: Inside) -> None:
    by_option = inside("query", "SELECT 1", "--endpoint-url", url, AWS_REGION="us-east-1")
    by_variable = inside("query", "SELECT 1", AWS_ENDPOINT_URL=url, AWS_REGION="us-east-1")
    for done in (by_option, by_variable):
        assert done.returncode == 2
        assert one_line(done) == f"clicklake query: {url} is no endpoint's address; such as http://127.0.0.1:4566"


def test_up_says_in_one_line_that_the_disk_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs to mount a tmpfs")
    try:
        done = run("up", "--bare", "--port", "0", "--data-dir", str(disk))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert done.returncode == 2
    assert one_line(done) == f"clicklake up: the disk of {disk} is full: make room, or choose another: --data-dir"


@pytest.mark.parametrize(
    ("found", "advice"), [("99", "upgrade clicklake"), ("1", "start anew with another: --data-dir")]
)
def test_up_refuses_a_data_directory_of_another_version(tmp_path: Path, found: str, advice: str) -> None:
    (tmp_path / "format").write_text(f"{found}\n")
    done = run("up", "--bare", "--port", "0", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert f"has format {found}, this version reads" in one_line(done)
    assert one_line(done).endswith(advice)


@pytest.mark.parametrize("command", ["env", "down"])
def test_without_an_endpoint_env_and_down_say_how_to_start_one(tmp_path: Path, command: str) -> None:
    done = run(command, cwd=tmp_path)
    assert done.returncode == 3
    assert one_line(done).endswith("start one: clicklake up")


@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_a_port_that_is_none_is_wrong_usage(tmp_path: Path, port: str, inside: Inside) -> None:
    done = inside("up", "--port", port, "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "is no port" in done.stderr or "expected one argument" in done.stderr
    assert not (tmp_path / "data").exists()


def test_when_env_fails_its_eval_fails_too(tmp_path: Path) -> None:
    command = f'eval "$({" ".join(CLICKLAKE)} env)" && echo went on'
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""


def test_env_waits_for_an_endpoint_that_is_starting(tmp_path: Path, stack_copy: Callable[[Path], Path]) -> None:
    """The README's lines as a person pastes them, on the second day."""
    stack_copy(tmp_path / ".clicklake")
    clicklake = " ".join(CLICKLAKE)
    script = f'{clicklake} up --port 0 & eval "$({clicklake} env)" && aws sts get-caller-identity --query Account; {clicklake} down; wait'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=clean_environment() | {"CLICKLAKE_WARM": "0"},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert '"000000000000"' in done.stdout, done.stderr


@pytest.mark.parametrize("after", [0.0, 0.8, 2.5])
def test_ctrl_c_ends_up_without_a_traceback(tmp_path: Path, after: float) -> None:
    """SIGINT to the whole process group, as a terminal sends it. Where it meets an import whose library calls exec() on
    text (dataclasses do), CPython 3.11 ends by SIGINT although we caught it: _PyRun_* notes it as unhandled."""
    command = [*CLICKLAKE, "up", "--port", "0", "--data-dir", str(tmp_path / "data")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(), start_new_session=True
    )
    time.sleep(0.4 + after)  # before that it is Python that starts, not ours
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode in {0, 130, -signal.SIGINT}, errors
    assert errors == b""


def test_env_is_found_from_any_folder_below_the_data_directory(tmp_path: Path) -> None:
    process = EndpointProcess(tmp_path / ".clicklake", ("--bare",))
    process.start()
    try:
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        done = subprocess.run(
            [
                "bash",
                "-c",
                f'eval "$({" ".join(CLICKLAKE)} env)" && aws sts get-caller-identity --query Account --output text',
            ],
            cwd=below,
            env=clean_environment() | {"AWS_PROFILE": "nosuch", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == "000000000000", done.stderr
        run("down", cwd=below)
        assert process.process is not None
        assert process.process.wait(10) == 0
    finally:
        assert process.process is not None
        assert process.process.stdout is not None
        process.process.stdout.close()
        process.process.kill()


def shell_after(lines: list[str], environment: dict[str, str]) -> dict[str, str]:
    done = subprocess.run(
        ["bash", "-c", "\n".join([*lines, "env -0"])], env=environment, capture_output=True, text=True, check=True
    )
    return dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)


def test_env_unset_brings_back_exactly_what_was_there() -> None:
    before = {
        "PATH": os.environ["PATH"],
        "AWS_PROFILE": "mine",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": "http://s3",
    }
    variables = shell.laptop("http://127.0.0.1:4566", "AKIA", "it's $secret", "us-east-1")
    during = shell_after(shell.exports(variables, before), before)
    assert {name: during[name] for name in variables} == variables
    assert not during.keys() & {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"}
    twice = shell_after(shell.exports(variables, during), during)
    after = shell_after(shell.undo(twice), twice)
    assert {name: value for name, value in after.items() if name.startswith(("AWS_", "TF_", "CLICKLAKE_"))} == {
        name: value for name, value in before.items() if name.startswith("AWS_")
    }
