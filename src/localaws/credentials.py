"""Who may call: the owner, IAM's users, sessions of STS, functions, and guests of other accounts.

The owner's key pair is made once per data directory. Its file is an AWS shared credentials file
(docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html) of mode 600, so any AWS tool can read it.
Users' keys are IAM's and are asked for there. Sessions are kept here until they end.

Any further profile of the file, with an `aws_account_id`, is a guest: the root user of that account. Guests may use S3
alone, so far as buckets' policies and access lists allow; so a laptop can show what another account may do.
"""

import configparser
import math
import re
import secrets
import string
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.caller import Caller
from localaws.durable import replace_file
from localaws.errors import StartError
from localaws.store import Documents

OWNER = "laptop"
"""The owner's user name."""
_ALPHABET = string.ascii_uppercase + "234567"
# So long after its end a session's token is answered with ExpiredToken; then its key is as unknown as any other.
_REMEMBERED_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str
    secret_key: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An access key that the endpoint knows, whose it is, and the epoch second that it ends at."""

    credentials: Credentials
    caller: Caller
    expires: float = math.inf


@dataclass(frozen=True, slots=True)
class Role:
    """What STS must know of a role: its unique id, and the longest session that it allows, in seconds."""

    id: str
    longest_session: int


class Keyring:
    """The keys that the endpoint accepts. `users` finds a user's key in IAM, `sessions` keeps those of STS.

    A function's keys live as long as the process: after a restart, a function process that outlived its endpoint can no
    longer write."""

    def __init__(
        self,
        owner: Credentials,
        account: str,
        sessions: Documents,
        users: Callable[[str], Key | None],
        guests: Sequence[Key] = (),
    ) -> None:
        self.owner = owner
        self.account = account
        self._users = users
        self._documents = sessions
        self._functions: dict[str, Key] = {}
        self._failures: Counter[str] = Counter()
        self._sessions = {name: _from_document(name, document) for name, document in sessions.items()}
        self._lock = threading.Lock()
        caller = Caller(owner.access_key, f"arn:aws:iam::{account}:user/{OWNER}", owner.access_key)
        self._profiles = {key.credentials.access_key: key for key in (*guests, Key(owner, caller))}

    def find(self, access_key: str) -> Key | None:
        """What is at hand, at once."""
        return self._profiles.get(access_key) or self._functions.get(access_key) or self._sessions.get(access_key)

    def find_user(self, access_key: str) -> Key | None:
        """The active key of a user of IAM; may wait, so on a thread."""
        return self._users(access_key)

    def of_function(self, role_arn: str, function: str) -> Credentials:
        """Keys whose caller is the function's role, as Lambda gives them to it; the session has the function's name."""
        made = _temporary()
        name = role_arn.rpartition("/")[2]
        arn = f"arn:aws:sts::{self.account}:assumed-role/{name}/{function}"
        with self._lock:
            self._functions[made.access_key] = Key(made, Caller(made.access_key, arn, made.access_key))
        return made

    def caller_of(self, access_key: str) -> Caller:
        """Whose a function's key is."""
        return self._functions[access_key].caller

    def failed(self, access_key: str) -> None:
        """A request that was signed with it could not be served, through no fault of its sender's."""
        if access_key in self._functions:
            with self._lock:
                self._failures[access_key] += 1

    def failures(self, access_key: str) -> int:
        """How often that was so for a function's key."""
        return self._failures[access_key]

    def begin_session(self, arn: str, user_id: str, now: float, seconds: int) -> Key:
        """Temporary keys, durable on return, whose caller is `arn`."""
        made = _temporary()
        key = Key(made, Caller(made.access_key, arn, user_id), now + seconds)
        with self._lock:
            for name in [n for n, k in self._sessions.items() if k.expires + _REMEMBERED_SECONDS < now]:
                self._documents.delete(name)
                del self._sessions[name]
            self._documents.put(made.access_key, _to_document(key))
            self._sessions[made.access_key] = key
        return key


def _to_document(key: Key) -> dict[str, str | float | None]:
    secret, token = key.credentials.secret_key, key.credentials.session_token
    return {
        "secret": secret,
        "token": token,
        "arn": key.caller.arn,
        "user_id": key.caller.user_id,
        "expires": key.expires,
    }


def _from_document(name: str, document: dict[str, str]) -> Key:
    caller = Caller(name, document["arn"], document["user_id"])
    return Key(Credentials(name, document["secret"], document["token"]), caller, float(document["expires"]))


def load_or_make(path: Path) -> Credentials:
    """The owner's credentials of a data directory; made with the operating system's randomness at its first start."""
    if not path.exists():
        lines = ["[default]", f"aws_access_key_id = AKIA{_random(16)}", f"aws_secret_access_key = {_secret()}", ""]
        replace_file(path, "\n".join(lines).encode(), mode=0o600)
    return _credentials(_profiles(path)["default"])


def load_guests(path: Path) -> list[Key]:
    """The keys of the file's other profiles. StartError for one that does not say its account."""
    guests = []
    for name, profile in _profiles(path).items():
        if name in {"DEFAULT", "default"}:
            continue
        account = profile.get("aws_account_id", "")
        if not re.fullmatch("[0-9]{12}", account):
            raise StartError(f"profile {name!r} in {path} names no account", "give it an aws_account_id of 12 digits")
        own = _credentials(profile)
        guests.append(Key(own, Caller(own.access_key, f"arn:aws:iam::{account}:root", account)))
    return guests


def _profiles(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    return parser


def _credentials(profile: configparser.SectionProxy) -> Credentials:
    return Credentials(profile["aws_access_key_id"], profile["aws_secret_access_key"])


def _temporary() -> Credentials:
    return Credentials("ASIA" + _random(16), _secret(), secrets.token_urlsafe(60))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _secret() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
