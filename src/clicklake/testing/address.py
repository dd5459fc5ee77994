"""Where a run's endpoint will answer, and its owner's keys, before it has been started: a free port, kept free until
then. So the environment can name it before pytest imports a project's modules, whose clients may be made at import."""

import secrets
import socket
import string
from pathlib import Path

from clicklake import shell

_HOST = "127.0.0.1"
_REGION = "us-east-1"
_ALPHABET = string.ascii_uppercase + "234567"


class Address:
    def __init__(self) -> None:
        self._held = socket.socket()
        self._held.bind((_HOST, 0))
        self.url = f"http://{_HOST}:{self._held.getsockname()[1]}"
        self._access_key = "AKIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        self._secret_key = secrets.token_urlsafe(30)

    @property
    def environment(self) -> dict[str, str]:
        return variables(self.url, self._access_key, self._secret_key, _REGION)

    def take(self, data_dir: Path) -> str:
        """Make the directory of an endpoint that has the keys, and give the port free; its URL."""
        data_dir.mkdir(mode=0o700)
        keys = f"[default]\naws_access_key_id = {self._access_key}\naws_secret_access_key = {self._secret_key}\n"
        (data_dir / "credentials").touch(mode=0o600)
        (data_dir / "credentials").write_text(keys)
        self.release()
        return self.url

    def release(self) -> None:
        self._held.close()


def variables(url: str, access_key: str, secret_key: str, region: str) -> dict[str, str]:
    """What makes every AWS SDK and tool use the endpoint; no file of the aws CLI has a say."""
    named = shell.laptop(url, access_key, secret_key, region)
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/dev/null")
    return {name: value for name, value in named.items() if name.startswith("AWS_")} | files
