"""Node, npm's packages and Chromium for the tests of real clients; without them a skip, or with CLICKLAKE_REQUIRE_CLIENTS
a failure. None of their code is in the repository: `npm ci` in examples/ fetches what package-lock.json pins."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from endpoint_process import clean_environment

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _absent(why: str) -> NoReturn:
    if os.environ.get("CLICKLAKE_REQUIRE_CLIENTS"):
        pytest.fail(why)
    pytest.skip(why)


def node() -> str:
    """Skips, or fails, if it or the packages that are pinned are not there."""
    if why := _why_no_node():
        _absent(why)
    return "node"


def has_node() -> bool:
    return not _why_no_node()


def _why_no_node() -> str:
    installed = EXAMPLES / "node_modules/.package-lock.json"
    if shutil.which("node") is None:
        return "there is no Node; 20 or newer runs the clients"
    if not installed.exists():
        return "the clients are not installed: cd examples && npm ci"
    pinned = json.loads((EXAMPLES / "package-lock.json").read_text())["packages"]
    there = json.loads(installed.read_text())["packages"]
    is_as_pinned = all(
        name in pinned and package["version"] == pinned[name]["version"] for name, package in there.items()
    )
    if not is_as_pinned or "node_modules/puppeteer-core" not in there:  # which --omit=dev leaves out
        return "other clients are installed than are pinned: cd examples && npm ci"
    return ""


def chromium() -> str:
    for name in _CHROMIUMS:
        if found := shutil.which(name):
            return found
    _absent(f"there is no Chromium (none of {', '.join(_CHROMIUMS)} on the PATH)")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def copy_of_examples(folder: Path, collector: str, write_key: str) -> Path:
    """The examples as a user has them who changed web/settings.js."""
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(EXAMPLES / "node_modules")
    settings = folder / "web/settings.js"
    text = settings.read_text().replace("http://127.0.0.1:4566/collect", collector).replace('"demo"', f'"{write_key}"')
    settings.write_text(text)
    assert collector in text
    assert write_key in text
    return folder


@contextmanager
def served(examples: Path) -> Iterator[str]:
    """What `npm run web` does, on a free port; without npm, which takes longer than all the rest. The page's URL."""
    script = json.loads((examples / "package.json").read_text())["scripts"]["web"]
    # Forever would be without us, too: what is killed is a wrapper.
    program, *arguments = script.replace(":8000", ":0").replace(" --watch=forever", "").split()
    command = [examples / "node_modules/.bin" / program, *arguments]
    process = subprocess.Popen(
        command, cwd=examples, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        lines = iter(process.stdout.readline, "")
        yield next(line.split()[-1] for line in lines if "Local:" in line)
    finally:
        process.stdin.close()  # esbuild ends with it
        process.wait(10)
        process.stdout.close()


def run(*command: str | Path, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = clean_environment() | variables
    return subprocess.run(list(command), cwd=cwd, env=environment, capture_output=True, text=True, timeout=90)
