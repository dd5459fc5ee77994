"""`clicklake user-key`: the user_key of ids, made as the transform makes it, to find a person's rows.

The key is the function's own: the SSM SecureString that its environment names (processor.py), or a file that holds the
same text. Neither the key nor an id goes anywhere but to where the result is printed.

An id is what the transform sees: text as sent, and of a number its digits. An empty id has no user_key, as in the
transform, and gives an empty line, so that line n of the result is of line n of the input.
"""

import hmac
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from clicklake.errors import NoError, UsageError
from clicklake.target import Target, translated

SHORTEST = 32  # bytes of a key
_VARIABLE = "CLICKLAKE_USER_KEY_PARAMETER"


def key_of_function(target: Target, function: str) -> bytes:
    """The key that `function` uses now. Needs lambda:GetFunctionConfiguration, ssm:GetParameter and, for a key of
    one's own in KMS, kms:Decrypt. Raises NoError if the function has no key: user_key is NULL there."""
    with translated():
        found = target.client("lambda").get_function_configuration(FunctionName=function)
        name = found.get("Environment", {}).get("Variables", {}).get(_VARIABLE)
        if not name:
            raise NoError(f"{function} has no user key: user_key is NULL", "docs/privacy.md says how to make one")
        parameter = target.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return _checked(str(parameter["Parameter"]["Value"]).encode(), name)


def key_of_file(file: str) -> bytes:
    """The key in a file: its bytes, without one line end at the end."""
    try:
        data = Path(file).read_bytes()
    except OSError as e:
        raise UsageError(f"{file}: {e.strerror or e}", "name a file that holds the key") from e
    return _checked(_line(data), file)


def _checked(key: bytes, source: str) -> bytes:
    if len(key) < SHORTEST:
        raise UsageError(f"the key in {source} has {len(key)} bytes", f"it needs at least {SHORTEST}")
    return key


def user_keys(lines: Iterable[bytes], key: bytes) -> Iterator[tuple[str, str | None]]:
    """(id, its user_key) for every line; None for an empty id. Raises UsageError for a line that is not UTF-8."""
    for number, line in enumerate(lines, 1):
        try:
            user_id = _line(line).decode()
        except UnicodeDecodeError as e:
            raise UsageError(f"line {number} is not UTF-8", "an id is text in UTF-8, one a line") from e
        yield user_id, hmac.digest(key, user_id.encode(), "sha256").hex() if user_id else None


def render(keys: Iterable[tuple[str, str | None]], as_json: bool) -> Iterator[str]:
    """One line for each id: its user_key alone, or a JSON object of both."""
    for user_id, user_key in keys:
        yield json.dumps({"user_id": user_id, "user_key": user_key}, ensure_ascii=False) if as_json else user_key or ""


def _line(data: bytes) -> bytes:
    return data.removesuffix(b"\n").removesuffix(b"\r")
