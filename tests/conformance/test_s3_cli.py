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
    run("cp", "s3://cli/one/a.txt", str(tmp_path / "b.txt"))
    assert (tmp_path / "b.txt").read_text() == "some text"
    run("cp", "-", "s3://cli/one/streamed", stdin=b"from a pipe")
    assert run("cp", "s3://cli/one/streamed", "-") == "from a pipe"
    assert names(run("ls", "s3://cli/one/")) == ["a.txt", "streamed"]
    assert names(run("ls", "s3://cli/")) == ["one/"]
    assert "cli" in names(run("ls"))


def test_a_large_file_goes_in_parts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * (70 * 2**10))  # 17.5 MiB: three parts of 8 MiB
    run("cp", str(tmp_path / "large"), "s3://cli/large")
    run("cp", "s3://cli/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()
    run("cp", "s3://cli/large", "s3://cli/large-copy")
    assert "18350080" in run("ls", "s3://cli/large-copy")


def test_sync_moves_only_what_differs_and_rm_removes_all(run: Run, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("x", "d/y", "d/z z+ü"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
        os.utime(tree / name, (0, 0))  # S3 tells times to the second: a file of this second looks newer than its object
    assert run("sync", str(tree), "s3://cli/tree").count("upload:") == 3
    assert run("sync", str(tree), "s3://cli/tree") == ""
    (tree / "x").unlink()
    assert "delete: s3://cli/tree/x" in run("sync", "--delete", str(tree), "s3://cli/tree")
    run("sync", "s3://cli/tree", str(tmp_path / "back"))
    assert (tmp_path / "back/d/z z+ü").read_text() == "d/z z+ü"
    run("mv", "s3://cli/tree/d/y", "s3://cli/tree/moved")
    assert run("ls", "--recursive", "s3://cli/tree/").count("tree/") == 2
    run("rm", "--recursive", "s3://cli/tree/")
    run("mb", "s3://cli-gone")
    run("cp", "-", "s3://cli-gone/left", stdin=b"")
    run("rb", "--force", "s3://cli-gone")
    assert "cli-gone" not in names(run("ls"))
