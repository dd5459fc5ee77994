"""S3 through the real `aws s3` commands."""

import os
import subprocess
from pathlib import Path

import pytest

from endpoint_process import EndpointProcess


@pytest.fixture(scope="module")
def run(endpoint: EndpointProcess) -> "Run":
    command = Run(endpoint)
    command("mb", "s3://cli")
    return command


class Run:
    """run("ls", "s3://bucket/") -> what `aws s3 ls s3://bucket/` prints."""

    def __init__(self, endpoint: EndpointProcess) -> None:
        self._environment = endpoint.environment()

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["aws", "s3", *arguments], env=self._environment, input=stdin, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


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
