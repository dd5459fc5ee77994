"""The transform's contract once more, with the standard library alone: what the benchmark measures against.

It is written to be plainly right, not fast: one function an event, no cache, gzip NDJSON out. It reads lines only; the
benchmark's broken lines fail in it as in the product, and it must make the same rows (`content_sha256`).
"""

import gzip
import hashlib
import hmac
import ipaddress
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from clicklake.pipeline import Pipeline
from clicklake.transform.enrich.campaign import CLICK_IDS, UTM

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADDRESS = re.compile(r"((?:([^:/?#]+):)?(?://([^/?#]*))?)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)


class Reference:
    """`rows(raw)` are the good rows in the table's order; `encoded(rows)` the object that they make."""

    def __init__(self, pipeline: Pipeline, user_key: bytes, raw_key: str, received: datetime, version: str) -> None:
        self.pipeline, self.user_key, self.raw_key, self.version = pipeline, user_key, raw_key, version
        self.received_ms = ms(received)
        self.columns = [column.name for column in pipeline.tables.events.columns]
        self.names = {
            name: (field, rank) for field in pipeline.fields for rank, name in enumerate((field.name, *field.aliases))
        }
        self.private = {spelling(name) for name, (field, _) in self.names.items() if field.private}

    def rows(self, raw: bytes) -> list[tuple[Any, ...]]:
        rows, seen, offset, index = [], set(), 0, 0
        for line in gzip.decompress(raw).split(b"\n"):
            at, offset = offset, offset + len(line) + 1
            if not line:
                continue
            index += 1
            try:
                record = json.loads(line)
            except ValueError:
                continue
            fields = self.fields(record) if isinstance(record, dict) else {}
            if "event_type" not in fields:
                continue
            properties = json.dumps(fields["properties"], separators=(",", ":"), ensure_ascii=False, sort_keys=True)
            if "event_id" in fields:
                content = {k: v for k, v in fields.items() if k not in {"sent_time", "collector_time", "ip", "headers"}}
                identity = (fields.get("app_id"), fields["event_id"], json.dumps(content, sort_keys=True))
                if identity in seen:
                    continue
                seen.add(identity)
            values = self.values(fields, index - 1, at)
            values["properties"] = properties
            rows.append(tuple(values.get(column) for column in self.columns))
        return rows

    def fields(self, record: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for name, value in sorted(record.items(), key=lambda item: self.names.get(item[0], (None, 0))[1]):
            field, _ = self.names.get(name, (None, 0))
            if field is None:
                others[name] = value
            elif value not in (None, ""):
                converted = convert(field.accepts, value)
                if converted is not None and field.name not in fields:
                    fields[field.name] = converted
                elif not field.private and (converted is None or fields[field.name] != converted):
                    others[name] = value
        sent = fields.get("properties", {})
        merged = {(f"_event.{name}" if name in sent else name): value for name, value in others.items()} | sent
        fields["properties"] = self.clean(merged)
        return fields

    def clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.clean(item) for name, item in value.items() if spelling(name) not in self.private}
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        return self.redacted(value) if isinstance(value, str) and "://" in value else value

    def redacted(self, address: str) -> str:
        found = ADDRESS.fullmatch(address)
        assert found
        origin, _, _, path, query, fragment = (part or "" for part in found.groups())
        parts = [self.parameter(part) for part in query[1:].split("&")]
        return re.sub(r"//[^/@]*@", "//", origin) + path + query[:1] + "&".join(parts) + fragment

    def parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        kept = not equals or not value or unquote_plus(name).lower() in self.pipeline.kept_query_parameters
        return part if kept else f"{name}=redacted"

    def values(self, fields: dict[str, Any], index: int, offset: int) -> dict[str, Any]:
        sent, happened, received = fields.get("sent_time"), fields.get("event_time"), self.received_ms
        skew = None
        if sent is not None:
            buffer = self.pipeline.buffering.aws.seconds * 1000
            skew = 0 if received - buffer - 900_000 <= sent <= received + buffer + 5000 else sent - received
        source = "received" if happened is None else "derived" if skew else "event"
        happened = received if happened is None else happened - (skew or 0)
        user = fields.get("user_id")
        user_key = hmac.new(self.user_key, user.encode(), "sha256").hexdigest() if user is not None else None
        visitor = fields.get("anonymous_id") or user_key
        if visitor is None and ("ip" in fields or "user_agent" in fields):
            known = (happened // 86_400_000, *(fields.get(name, "") for name in ("app_id", "ip", "user_agent")))
            visitor = hmac.new(self.user_key, "|".join(map(str, known)).encode(), "sha256").hexdigest()[:32]
        values = {**fields, "event_ts": happened, "event_ts_source": source, "event_date": happened // 86_400_000}
        values |= {"late_by_seconds": (received - happened) // 1000, "clock_skew_ms": skew, "received_ts": received}
        values |= {"user_key": user_key, "visitor_id": visitor, "ip_truncated": network(fields.get("ip"))}
        values |= {
            "raw_key": self.raw_key,
            "raw_offset": offset,
            "record_index": index,
            "processor_version": self.version,
        }
        if "event_id" not in fields:
            values["event_id"] = hashlib.sha256(f"{self.raw_key}\n{index}".encode()).hexdigest()[:32]
        if "page_url" in fields:
            values["page_url"] = self.redacted(fields["page_url"])
            values["page_host"], values["page_path"] = host_and_path(values["page_url"])
            values |= campaign(values["page_url"])
        if "referrer" in fields:
            values["referrer"] = self.redacted(fields["referrer"])
            values["referrer_host"], _ = host_and_path(values["referrer"])
        return values

    def encoded(self, rows: list[tuple[Any, ...]]) -> bytes:
        times = {column.name for column in self.pipeline.tables.events.columns if column.type == "timestamp"}
        lines = []
        for row in rows:
            line = {name: value for name, value in zip(self.columns, row, strict=True) if value is not None}
            for name in times & line.keys():
                moment = datetime.fromtimestamp(line[name] / 1000, UTC)
                line[name] = moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{line[name] % 1000:03}"
            line["event_date"] = datetime.fromtimestamp(line["event_date"] * 86400, UTC).strftime("%Y-%m-%d")
            lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False))
        return gzip.compress("\n".join(lines).encode(), 6, mtime=0)


def convert(accepts: str, value: Any) -> Any:
    if accepts == "object":
        return value if isinstance(value, dict) else None
    if accepts == "time":
        return moment(value)
    if accepts == "number":
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    number = {"text": (), "text or integer": (int,), "text or number": (int, float)}[accepts]
    return value if isinstance(value, str) else str(value) if type(value) in number else None


def moment(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        return ms(datetime.fromisoformat(value))
    except ValueError:
        return None


def ms(moment: datetime) -> int:
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000


def spelling(name: str) -> str:
    return name.removeprefix("_event.").replace("_", "").replace("-", "").replace(" ", "").lower()


def host_and_path(address: str) -> tuple[str | None, str | None]:
    found = ADDRESS.fullmatch(address)
    assert found
    _, _, authority, path, _, _ = found.groups()
    host = re.sub(r":\d*$", "", (authority or "").rpartition("@")[2]).rstrip(".").lower()
    return host or None, path or ("/" if host else None)


def campaign(address: str) -> dict[str, str]:
    sent: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(address).query):
        sent.setdefault(name.lower(), value)
    found = {name: sent[name] for name in UTM if name in sent}
    for name, seller in CLICK_IDS.items():
        if name in sent and "click_id" not in found:
            found |= {"click_id": sent[name], "click_network": seller}
    return found


def network(address: str | None) -> str | None:
    if address is None:
        return None
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
