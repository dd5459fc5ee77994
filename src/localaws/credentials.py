"""Who may call: the owner's key pair, made once per data directory, and short-lived keys for functions.

The file is an AWS shared credentials file (docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html) of
mode 600, so any AWS tool can read it.
"""

import configparser
import secrets
import string
import threading
from dataclasses import dataclass
from pathlib import Path

from localaws.durable import replace_file
from localaws.wire import Caller

_ALPHABET = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str
    secret_key: str
    session_token: str | None = None


class Keyring:
    """The keys that the endpoint accepts. A role's keys live as long as the process: after a restart, a function
    process that outlived its endpoint can no longer write."""

    def __init__(self, owner: Credentials, account: str) -> None:
        self.owner = owner
        self._account = account
        self._keys = {owner.access_key: (owner, Caller(owner.access_key, f"arn:aws:iam::{account}:user/laptop"))}
        self._lock = threading.Lock()

    def find(self, access_key: str) -> tuple[Credentials, Caller] | None:
        return self._keys.get(access_key)

    def assume(self, role_arn: str, session: str) -> Credentials:
        """Keys whose caller is the assumed role, as STS would give a function."""
        name = role_arn.rpartition("/")[2]
        made = Credentials("ASIA" + _random(16), secrets.token_urlsafe(30), secrets.token_urlsafe(60))
        arn = f"arn:aws:sts::{self._account}:assumed-role/{name}/{session}"
        with self._lock:
            self._keys[made.access_key] = (made, Caller(made.access_key, arn))
        return made


def load_or_make(path: Path) -> Credentials:
    """The owner's credentials of a data directory; made with the operating system's randomness at its first start."""
    if not path.exists():
        lines = ["[default]", f"aws_access_key_id = AKIA{_random(16)}", f"aws_secret_access_key = {_secret()}", ""]
        replace_file(path, "\n".join(lines).encode(), mode=0o600)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    profile = parser["default"]
    return Credentials(profile["aws_access_key_id"], profile["aws_secret_access_key"])


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _secret() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
