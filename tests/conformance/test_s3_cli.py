"""S3 through the real `aws s3` commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from endpoint_process import EndpointProcess


class Run:
    """run("ls", "s3://bucket/") -> what `aws s3 ls s3://bucket/` prints."""

    def __init__(self, forks: subprocess.Popen[str], folder: Path) -> None:
        self._forks = forks
        self._given, self._printed = folder / "given", folder / "printed"

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        assert self._forks.stdin
        assert self._forks.stdout
        errors = Path(f"{self._printed}.err")
        self._given.write_bytes(stdin)
        for file in (self._printed, errors):
            file.write_bytes(b"")
        print(
            json.dumps([["s3", *arguments], str(self._given), str(self._printed)]), file=self._forks.stdin, flush=True
        )
        assert self._forks.stdout.readline() == "0\n", errors.read_text()
        return self._printed.read_text()


@pytest.fixture(scope="module")
def run(endpoint: EndpointProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    program = [sys.executable, str(Path(__file__).with_name("aws_cli_forks.py"))]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=endpoint.environment(), text=True
    ) as forks:
        command = Run(forks, tmp_path_factory.mktemp("cli"))
        command("mb", "s3://cli")
        yield command
        assert forks.stdin
        forks.stdin.close()


def names(listing: str) -> list[str]:
    return [line.split()[-1] for line in listing.splitlines()]


def test_files_go_up_and_down(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some text")
    run("cp", str(tmp_path / "a.txt"), "s3://cli/one/a.txt")
    assert run("cp", "s3://cli/one/a.txt", "-") == "some text"
    run("cp", "-", "s3://cli/one/streamed", stdin=b"from a pipe")
    assert names(run("ls", "s3://cli/one/")) == ["a.txt", "streamed"]


def test_a_large_file_goes_in_parts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * (70 * 2**10))  # 17.5 MiB: three parts of 8 MiB
    run("cp", str(tmp_path / "large"), "s3://cli/large")
    run("cp", "s3://cli/large", "s3://cli/large-copy")
    run("cp", "s3://cli/large-copy", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


def test_sync_moves_only_what_differs_and_rb_removes_all(run: Run, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("x", "d/y", "d/z z+ü"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
        os.utime(tree / name, (0, 0))  # S3 tells times to the second: a file of this second looks newer than its object
    assert run("sync", str(tree), "s3://cli/tree").count("upload:") == 3
    (tree / "x").unlink()
    assert run("sync", "--delete", str(tree), "s3://cli/tree").splitlines() == ["delete: s3://cli/tree/x"]
    run("mv", "s3://cli/tree/d/y", "s3://cli/tree/moved")
    run("sync", "s3://cli/tree", str(tmp_path / "back"))
    assert sorted(str(p.relative_to(tmp_path / "back")) for p in (tmp_path / "back").rglob("*") if p.is_file()) == [
        "d/z z+ü",
        "moved",
    ]
    run("rb", "--force", "s3://cli")
    assert run("ls") == ""
