"""`verify --rebuild`: raw objects once more through the transform that is installed here, against the ledger.

Rows depend on more than the raw object: on the pipeline file, the user-agent rules, a geo database and the key of
user_key. Where the ledger says that those were others than ours, nothing can be said, and that is said. The processor's
version is a column of every row, so the ledger's own is put there; if all else is the same and the content is not, the
row or the transform is wrong when both are of one version, and nothing is proven when they are not.
"""

import gzip
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO

from clicklake import __version__
from clicklake.lake import Lake, Stored, milliseconds
from clicklake.processor import spool
from clicklake.target import translated
from clicklake.transform.enrich.device import rules_version
from clicklake.transform.enrich.geo import database_version
from clicklake.transform.process import Settings, process
from clicklake.user_key import key_of_function
from clicklake.verify.account import Account, account_of
from clicklake.verify.entries import Entry
from clicklake.verify.findings import Finding
from clicklake.verify.reading import Count
from clicklake.verify.report import Recomputed

_GEO = "CLICKLAKE_GEO_DATABASE"
_COMPARED = ("records_in", "good", "duplicate", "failed", "by_type", "content_sha256")


def recompute(lake: Lake, entries: Sequence[Entry], on_object: Count) -> Recomputed:
    """Entries without raw object or readable row are left out."""
    settings, same, findings, unknown = _settings(lake, entries), 0, list[Finding](), Counter[str]()
    for number, entry in enumerate(entries, 1):
        if entry.account and entry.raw:
            said = _compared(lake, entry.raw, entry.place.ledger, entry.account, settings)
            if isinstance(said, Finding):
                findings.append(said)
            elif said:
                unknown[said] += 1
            else:
                same += 1
        on_object(number)
    return Recomputed(same, tuple(findings), unknown)


def _settings(lake: Lake, entries: Sequence[Entry]) -> Settings:
    asked = any(entry.account and entry.account.makers.user_key_id for entry in entries)
    key = key_of_function(lake.target, lake.names.function) if asked else None
    return Settings(lake.pipeline, user_key=key, geo=_geo())


def _geo() -> Any | None:
    name = os.environ.get(_GEO)
    if not name:
        return None
    import maxminddb

    return maxminddb.open_database(name)


def _compared(lake: Lake, raw: Stored, ledger_key: str, account: Account, ours: Settings) -> Finding | str | None:
    """None if it is the same, else what differs, or why nothing can be said."""
    if other := _others(account, ours):
        return f"{other} was another than here"
    version = account.makers.processor_version
    key = ours.user_key if account.makers.user_key_id else None
    again = _again(lake, raw, Settings(ours.pipeline, key, version, ours.geo))
    differ = [name for name in _COMPARED if getattr(account, name) != getattr(again, name)]
    if not differ:
        return None
    if version != __version__:
        return f"clicklake {version} made other rows than {__version__} would"
    expected, found = ("; ".join(f"{name} {getattr(which, name)}" for name in differ) for which in (again, account))
    return Finding("content_differs", ledger_key, expected, found, raw.key)


def _others(account: Account, ours: Settings) -> str | None:
    makers = account.makers
    differ = {
        "the pipeline file": makers.contract_sha256 != ours.pipeline.contract_sha256,
        "the user-agent rules": makers.user_agent_rules != rules_version(),
        "the geo database": makers.geo_database != (database_version(ours.geo) if ours.geo else None),
        "the key of user_key": makers.user_key_id is not None and makers.user_key_id != ours.user_key_id,
    }
    return next((what for what, is_other in differ.items() if is_other), None)


def _again(lake: Lake, raw: Stored, settings: Settings) -> Account:
    """By way of the row that would be written."""
    with translated(), ExitStack() as files:

        def opened() -> BinaryIO:
            return files.enter_context(spool())

        file = opened()
        shutil.copyfileobj(lake.s3.get_object(Bucket=lake.bucket, Key=raw.key)["Body"], file)
        batch = process(file, raw.key, milliseconds(raw.modified), settings, spool=opened)
        account = account_of(json.loads(gzip.decompress(batch.ledger.body)))
    assert account is not None
    return account
