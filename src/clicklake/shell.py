"""`clicklake env`: the shell lines that make every AWS tool use one endpoint, and those that undo it. Pure."""

import re
import shlex
from collections.abc import Mapping

_SAVED = "CLICKLAKE_PREVIOUS_"
_CLEARED = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
_PER_SERVICE = re.compile(r"AWS_ENDPOINT_URL_\w+|AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")


def exports(variables: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Lines that set `variables`, clear what would overrule them, and keep the values that were there before."""
    cleared = [name for name in environ if name in _CLEARED or _PER_SERVICE.fullmatch(name)]
    lines = []
    if not any(name.startswith(_SAVED) for name in environ):
        for name in (*variables, *cleared):
            lines.append(f"export {_SAVED}{name}={shlex.quote(environ.get(name, ''))}")
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return lines + [f"unset {name}" for name in cleared]


def undo(environ: Mapping[str, str]) -> list[str]:
    """Lines that bring back what `exports` found; nothing if it was never used here."""
    lines = []
    for saved, value in environ.items():
        if saved.startswith(_SAVED):
            name = saved.removeprefix(_SAVED)
            lines.append(f"export {name}={shlex.quote(value)}" if value else f"unset {name}")
            lines.append(f"unset {saved}")
    return lines


def laptop(url: str, access_key: str, secret_key: str, region: str) -> dict[str, str]:
    """What points AWS tools at the endpoint. TF_WORKSPACE keeps Terraform's state of it apart from that of AWS."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "TF_WORKSPACE": "laptop",
    }
