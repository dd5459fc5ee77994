"""A real endpoint in its own process, and real clients for it: what the fixtures of conftest.py are made of."""

import configparser
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import botocore.config

_START_SECONDS = 30
_COLD = {"CLICKLAKE_WARM": "0"}  # most tests need neither the control plane nor Athena
T = TypeVar("T")


@dataclass
class EndpointProcess:
    """`clicklake up` as a child process on its own data directory; after `kill()` it starts again on the same port.

    `variables` are environment variables of its own (CLICKLAKE_FAULTS ...), read at each start."""

    data_dir: Path
    options: tuple[str, ...] = ()
    port: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (sys.executable, "-m", "clicklake")
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data_dir.with_suffix(".log")

    def start(self) -> None:
        command = [*self.program, "up", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options],
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment() | _COLD | self.variables,
            )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        assert b"ready" in ready, f"no ready line: {self.log.read_text()}"
        said = json.loads((self.data_dir / "endpoint.json").read_text())
        self.port = int(said["url"].rpartition(":")[2])
        self._clients.clear()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def revive(self) -> None:
        """Start it again if a test that failed has left it dead."""
        assert self.process is not None
        if self.process.poll() is not None:
            self.start()

    def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(number)
        self.process.wait(_START_SECONDS)
        self.process.stdout.close()

    def keys(self) -> dict[str, str]:
        profiles = configparser.ConfigParser(interpolation=None)
        profiles.read(self.data_dir / "credentials")
        return {name: profiles["default"][name] for name in ("aws_access_key_id", "aws_secret_access_key")}

    def client(self, service: str, **config: Any) -> Any:
        """One for each service, configuration and start: who asks until something is there asks often."""
        config = {"retries": {"max_attempts": 1}} | config
        name = f"{service} {config}"
        if name not in self._clients:
            options = botocore.config.Config(**config)
            self._clients[name] = boto3.client(
                service, endpoint_url=self.url, region_name="us-east-1", config=options, **self.keys()
            )
        return self._clients[name]

    def environment(self) -> dict[str, str]:
        """What `eval "$(clicklake env)"` sets, for child processes such as the aws CLI."""
        keys = {name.upper(): value for name, value in self.keys().items()}
        return (
            clean_environment()
            | keys
            | {
                "AWS_ENDPOINT_URL": self.url,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_REGION": "us-east-1",
                "AWS_PAGER": "",
            }
        )


def clean_environment() -> dict[str, str]:
    """This process's environment without any AWS setting, and with this Python's commands first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLICKLAKE_"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def running(data_dir: Path, *options: str, **variables: str) -> Iterator[EndpointProcess]:
    process = EndpointProcess(data_dir, options, variables=variables)
    process.start()
    yield process
    process.stop()


def eventually(ask: Callable[[], T], seconds: float = 20) -> T:
    """Ask until the answer is true; the last answer if it never is. What takes long is asked for ever less often, for
    asking takes CPU from what is waited for."""
    began = time.monotonic()
    while not (answer := ask()) and (waited := time.monotonic() - began) < seconds:
        time.sleep(min(max(waited / 8, 0.01), 0.2))
    return answer
