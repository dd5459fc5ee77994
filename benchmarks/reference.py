"""The transform's contract once more, with the standard library and pure ua-parser: what the benchmark compares with.

It is written to be plainly right, not fast: one function an event, gzip NDJSON out, and no cache but ua-parser's own
(reference_enrich.py). It reads lines only; the benchmark's broken lines fail in it as in the product, and it must make
the same rows (`content_sha256`).
"""

import gzip
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from benchmarks import reference_enrich as enrich
from clicklake.pipeline import Pipeline
from clicklake.transform.dedup import TRANSPORT_FIELDS, TRANSPORT_PROPERTIES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EMAIL = re.compile(r"[^\s/?#&=;,:@<>\"()\[\]{}|\\`]+(?:@|%(?:25)?40)(?:[\w-]+(?:\.|%2[eE]))+[^\W\d_]{2,}")
RELATIVE = re.compile(r"(?:[/?#]|\.{1,2}/)\S*|[^\s?]+\?\S*=\S*")


class Reference:
    """`rows(raw)` are the good rows in the table's order; `encoded(rows)` the object that they make. Caches are empty
    at first, so make a new one for each measurement."""

    def __init__(self, pipeline: Pipeline, user_key: bytes, raw_key: str, received: datetime, version: str) -> None:
        self.pipeline, self.user_key, self.raw_key, self.version = pipeline, user_key, raw_key, version
        self.received_ms = ms(received)
        self.agents = enrich.Agents()
        self.columns = [column.name for column in pipeline.tables.events.columns]
        self.names = {
            name: (field, rank) for field in pipeline.fields for rank, name in enumerate((field.name, *field.aliases))
        }
        self.private = {spelling(name) for name, (field, _) in self.names.items() if field.private}
        self.private |= set(map(spelling, pipeline.private_names))

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
                content = {name: value for name, value in fields.items() if name not in TRANSPORT_FIELDS}
                sent = fields["properties"].items()
                content["properties"] = {name: value for name, value in sent if name not in TRANSPORT_PROPERTIES}
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
            return {name: self.clean(item) for name, item in value.items() if not self.is_private(name)}
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        return self.public_text(value) if isinstance(value, str) else value

    def is_private(self, name: str) -> bool:
        parts = [spelling(part) for part in re.split(r"[.:/\[\]]+", name)]
        runs = ("".join(parts[at : at + length]) for length in (1, 2, 3) for at in range(len(parts)))
        return any(run in self.private for run in runs)

    def public_text(self, text: str) -> str:
        return self.redacted(text) if "://" in text or RELATIVE.fullmatch(text) else without_emails(text)

    def redacted(self, address: str) -> str:
        found = enrich.ADDRESS.fullmatch(address)
        assert found
        origin, _, _, path, query, fragment = (part or "" for part in found.groups())
        origin = re.sub(r"//[^/]*@", "//", origin)
        path = re.sub(r"(;[^/;=]*=)[^/;]+", r"\1redacted", without_emails(path))
        return origin + path + self.parameters(query) + self.fragment(fragment)

    def fragment(self, fragment: str) -> str:
        return self.parameters(fragment) if "=" in fragment else without_emails(fragment)

    def parameters(self, query: str) -> str:
        return query[:1] + "".join(self.parameter(part) for part in re.split("([&;])", query[1:]))

    def parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        if part in ("", "&", ";"):
            return part
        if not value:
            return part if re.fullmatch("[A-Za-z][A-Za-z_-]{0,19}", name) else f"redacted{equals}"
        if unquote_plus(name).lower() in self.pipeline.kept_query_parameters and is_public(value):
            return part
        return f"{without_emails(name) if len(name) <= 40 else 'redacted'}=redacted"

    def values(self, fields: dict[str, Any], index: int, offset: int) -> dict[str, Any]:
        values = {**fields, **self.time(fields)}
        values |= self.actor(fields, values["event_date"])
        values |= self.page(fields)
        agent, headers = fields.get("user_agent", "")[:1024], fields.get("headers", {})
        values |= self.agents.device(agent, headers)
        values |= self.agents.traffic(agent, fields.get("platform", ""), headers)
        values |= enrich.place(headers)
        values["locale"] = fields.get("locale") or enrich.language(headers)
        values["ip_truncated"] = enrich.network(fields["ip"]) if "ip" in fields else None
        values |= {
            "raw_key": self.raw_key,
            "raw_offset": offset,
            "record_index": index,
            "received_ts": self.received_ms,
            "processor_version": self.version,
        }
        if "event_id" not in fields:
            values["event_id"] = hashlib.sha256(f"{self.raw_key}\n{index}".encode()).hexdigest()[:32]
        return values

    def time(self, fields: dict[str, Any]) -> dict[str, Any]:
        sent, happened, received = fields.get("sent_time"), fields.get("event_time"), self.received_ms
        skew = None
        if sent is not None:
            buffer = self.pipeline.buffering.aws.seconds * 1000
            skew = 0 if received - buffer - 900_000 <= sent <= received + buffer + 5000 else sent - received
        source = "received" if happened is None else "derived" if skew else "event"
        happened = received if happened is None else happened - (skew or 0)
        late = (received - happened) // 1000
        values = {"event_ts": happened, "event_ts_source": source, "event_date": happened // 86_400_000}
        return values | {"late_by_seconds": late, "clock_skew_ms": skew}

    def actor(self, fields: dict[str, Any], day: int) -> dict[str, Any]:
        user = fields.get("user_id")
        user_key = hmac.new(self.user_key, user.encode(), "sha256").hexdigest() if user is not None else None
        visitor = fields.get("anonymous_id") or user_key
        if visitor is None and ("ip" in fields or "user_agent" in fields):
            known = (day, *(fields.get(name, "") for name in ("app_id", "ip", "user_agent")))
            visitor = hmac.new(self.user_key, "|".join(map(str, known)).encode(), "sha256").hexdigest()[:32]
        return {"user_key": user_key, "visitor_id": visitor}

    def page(self, fields: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if "page_title" in fields:
            values["page_title"] = without_emails(fields["page_title"])
        if "page_url" in fields:
            values["page_url"] = self.redacted(fields["page_url"])
            values["page_host"], values["page_path"] = enrich.host_and_path(values["page_url"])
            values |= enrich.campaign(values["page_url"])
        if "referrer" in fields:
            values["referrer"] = self.redacted(fields["referrer"])
            values["referrer_host"], _ = enrich.host_and_path(values["referrer"])
            values["referrer_class"] = enrich.referrer_class(fields["referrer"], values.get("page_host"))
        values["channel"] = enrich.channel(values)
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
    return re.sub(r"[\W_]+", "", name).casefold()


def without_emails(text: str) -> str:
    return EMAIL.sub("redacted", text) if "@" in text or "40" in text else text


def is_public(value: str) -> bool:
    """No e-mail address in it and no address with parameters of its own, even if it was encoded three times."""
    for _ in range(3):
        if re.search("[?#&].*=", value, re.DOTALL) or without_emails(value) != value:
            return False
        value = unquote_plus(value)
    return "%" not in value or value == unquote_plus(value)
