"""Object lock: which versions may not go, and until when. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html.
"""

from collections.abc import Callable
from datetime import datetime

from localaws.errors import AwsError
from localaws.s3.xml import malformed
from localaws.wire import Parameters

_LONGEST = {"Days": 36_500, "Years": 100}


def checked_configuration(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    if document.get("ObjectLockEnabled") != "Enabled":
        raise malformed()
    if "Rule" not in document:
        return document
    default = document["Rule"].get("DefaultRetention", {})
    periods = [name for name in ("Days", "Years") if name in default]
    if "Mode" not in default or len(periods) != 1:
        raise malformed()
    if default[periods[0]] <= 0:
        text = "Default retention period must be a positive integer value"
        raise AwsError("InvalidRetentionPeriod", text)
    if default[periods[0]] > _LONGEST[periods[0]]:
        raise AwsError("InvalidArgument", "Default retention period is too large")
    return document


# What is kept with a version: members of GetObject's answer. The date is epoch seconds.
_MODE, _UNTIL, _HOLD = "ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus"
FIELDS = (_MODE, _UNTIL, _HOLD)
_DAYS = {"Days": 1, "Years": 365}
_SECONDS_A_DAY = 86_400


def of_upload(p: Parameters, configuration: Parameters | None, now: float) -> Parameters:
    """The lock of a new version: what its upload asks for, else the bucket's default retention."""
    asked = {name: p[name] for name in FIELDS if p.get(name) is not None}
    if asked and configuration is None:
        raise _no_configuration()
    if (_MODE in asked) != (_UNTIL in asked):
        text = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        raise AwsError("InvalidArgument", text, 400, ArgumentName="x-amz-object-lock-mode")
    if asked.get(_HOLD, "ON") not in {"ON", "OFF"}:
        raise AwsError("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'")
    if _MODE in asked:
        asked[_UNTIL] = _moment(asked[_UNTIL])
        _check_retention(asked[_MODE], asked[_UNTIL], now)
        return asked
    default = (configuration or {}).get("Rule", {}).get("DefaultRetention")
    if default is None:
        return asked
    (days,) = (default[name] * factor for name, factor in _DAYS.items() if name in default)
    return {_MODE: default["Mode"], _UNTIL: now + days * _SECONDS_A_DAY, **asked}


def _moment(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text.strip()).timestamp())
    except (ValueError, OverflowError) as e:
        raise AwsError("InvalidArgument", "The retain until date must be provided in ISO 8601 format") from e


def _check_retention(mode: str, until: float, now: float) -> None:
    if mode not in {"GOVERNANCE", "COMPLIANCE"}:
        raise AwsError("InvalidArgument", "Unknown wormMode directive.", 400, ArgumentName="x-amz-object-lock-mode")
    if until <= now:
        raise AwsError("InvalidArgument", "The retain until date must be in the future!")


def retained(fields: Parameters, wanted: Parameters, now: float, bypass: bool) -> Parameters:
    """The fields with another retention, {} for none. Raises AccessDenied if the one that there is forbids it."""
    mode, until = wanted.get("Mode"), wanted.get("RetainUntilDate")
    until = None if until is None else int(until)  # to the second, as it is told
    if (mode is None) != (until is None):
        raise malformed()
    if mode is not None and until is not None:
        _check_retention(mode, until, now)
    was_mode, was_until = fields.get(_MODE), fields.get(_UNTIL, 0.0)
    is_weaker = mode != was_mode or (until or 0.0) < was_until
    if was_until > now and is_weaker and not (was_mode == "GOVERNANCE" and bypass):
        raise _protected()
    rest = {name: value for name, value in fields.items() if name not in {_MODE, _UNTIL}}
    return rest if mode is None else rest | {_MODE: mode, _UNTIL: until}


def held(fields: Parameters, status: str) -> Parameters:
    return {**fields, _HOLD: status}


def retention(fields: Parameters) -> Parameters:
    """GetObjectRetention's. Raises NoSuchObjectLockConfiguration."""
    if _MODE not in fields:
        raise _no_lock()
    return {"Mode": fields[_MODE], "RetainUntilDate": fields[_UNTIL]}


def legal_hold(fields: Parameters) -> Parameters:
    """GetObjectLegalHold's. Raises NoSuchObjectLockConfiguration."""
    if _HOLD not in fields:
        raise _no_lock()
    return {"Status": fields[_HOLD]}


def check_deletable(fields: Parameters, now: float, bypass: bool) -> None:
    """Raises AccessDenied for a version that may not go yet."""
    is_retained = fields.get(_UNTIL, 0.0) > now and not (bypass and fields[_MODE] == "GOVERNANCE")
    if is_retained or fields.get(_HOLD) == "ON":
        raise _protected()


def check_configured(configuration: Parameters | None) -> None:
    if configuration is None:
        raise _no_configuration()


def _protected() -> AwsError:
    return AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)


def _no_configuration() -> AwsError:
    return AwsError("InvalidRequest", "Bucket is missing Object Lock Configuration")


def _no_lock() -> AwsError:
    text = "The specified object does not have a ObjectLock configuration"
    return AwsError("NoSuchObjectLockConfiguration", text, 404)
