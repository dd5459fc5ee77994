"""An endpoint of one's own: `clicklake up` as a child process, to be used, killed and started again."""

import configparser
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from clicklake.errors import UnreachableError
from clicklake.target import Target, of_keys

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_REGION = "us-east-1"


class Endpoint:
    """`clicklake up` on `data_dir`, with the default stack, on a free port that it keeps when it is started again.

    It leads a session of its own: Ctrl-C reaches whoever started it, and it may outlive them, unless it is `tied` to
    this process. `options` are `up`'s. One thread may `end` it while another starts it.
    """

    def __init__(self, data_dir: Path, *options: str, tied: bool = False) -> None:
        self.data_dir = data_dir
        self._options = options
        self._tied = tied
        self.variables: dict[str, str] = {}  # its environment's, beside ours
        self.log = data_dir.with_name("endpoint.log")
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._ended = False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> float:
        """Wait until it is ready; the seconds it took. Raises UnreachableError with its last words."""
        began = time.monotonic()
        with self._changing:
            if self._ended:
                raise UnreachableError("the endpoint was ended")
            self._process = self._popen()
        self._wait_until_ready(began + _START_SECONDS)
        self.url = json.loads((self.data_dir / "endpoint.json").read_text())["url"]
        return time.monotonic() - began

    def _popen(self) -> subprocess.Popen[bytes]:
        port = self.url.rpartition(":")[2] or "0"
        options = ("--port", port, "--data-dir", str(self.data_dir), "--region", _REGION, *self._options)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "clicklake.tied" if self._tied else "clicklake", "up", *options],
                stdin=subprocess.PIPE if self._tied else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment() | self.variables,
                start_new_session=True,
            )

    def _wait_until_ready(self, deadline: float) -> None:
        while " is ready at " not in self._said():
            if not self.is_running or time.monotonic() > deadline:
                words = self._said().splitlines() or ["it said nothing"]
                self.kill()
                raise UnreachableError(f"the endpoint did not start: {words[-1]}", "to see all of it: clicklake up")
            time.sleep(0.01)

    def _said(self) -> str:
        try:
            return self.log.read_text(errors="replace").strip()
        except FileNotFoundError:  # it was ended, and its directory is gone
            return ""

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
            if self._process.stdin is not None:
                self._process.stdin.close()

    def end(self) -> None:
        """SIGKILL for good: it can't be started again."""
        with self._changing:
            self._ended = True
            self.kill()

    def target(self) -> Target:
        """It and its owner's keys, whatever the environment says about AWS."""
        credentials = configparser.ConfigParser()
        credentials.read(self.data_dir / "credentials")
        keys = credentials["default"]
        return of_keys(self.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], _REGION)


def _environment() -> dict[str, str]:
    """Ours without what points elsewhere: the child is to reach nothing but itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLICKLAKE_"))}
