"""Snowplow's tracker protocol, version 2: what its trackers send, by POST to `.../tp2` or as the query of a pixel.

The parameters: docs.snowplow.io/docs/events/going-deeper/event-parameters. What they are called in Snowplow's tables,
and of which types: docs.snowplow.io/docs/fundamentals/canonical-event. A parameter that has no field of ours gets its
canonical name; one that the canonical model has not either keeps its own.

Every value is a text on the wire. One that is not what its row says (a number that is none, JSON that is cut off) stays
as it is under the parameter's own name, and the event is taken all the same; Snowplow would make a failed event of it.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from clicklake.collector import body
from clicklake.collector.dialects.route import Outcome, Route
from clicklake.collector.event import Batch, of_any
from clicklake.collector.request import Answer, Request, RequestError

Kind = Literal["text", "number", "yes or no", "size", "platform", "address", "event", "entities", "code"]


@dataclass(frozen=True, slots=True)
class Row:
    """`at`: the parameter. `name`: of the input event's field, or of Snowplow's canonical model; two for a size. Of
    several rows for one name the first that was sent has it; then another's name is `then`, or its own."""

    at: str
    name: str
    kind: Kind = "text"
    then: str = ""


ROWS = (
    # Fields of the input event.
    Row("eid", "event_id"),
    Row("ttm", "event_time"),
    Row("dtm", "event_time", then="dvce_created_tstamp"),
    Row("stm", "sent_time"),
    Row("aid", "app_id"),
    Row("p", "platform", "platform"),
    Row("uid", "user_id"),
    Row("duid", "anonymous_id"),
    Row("sid", "session_id"),
    Row("url", "page_url"),
    Row("page", "page_title"),
    Row("refr", "referrer"),
    Row("ua", "user_agent"),
    Row("ip", "ip", "address"),
    Row("lang", "locale"),
    Row("se_va", "value", "number"),
    Row("ev_va", "value", "number"),
    Row("tr_tt", "value", "number"),
    Row("tr_cu", "currency"),
    Row("ti_cu", "currency"),
    # What the canonical model has besides.
    Row("tnuid", "network_userid"),
    Row("nuid", "network_userid"),
    Row("vid", "domain_sessionidx", "number"),
    Row("fp", "user_fingerprint"),
    Row("tid", "txn_id", "number"),
    Row("tna", "name_tracker"),
    Row("tv", "v_tracker"),
    Row("cv", "v_collector"),
    Row("tz", "os_timezone"),
    Row("cs", "doc_charset"),
    Row("cd", "br_colordepth"),
    Row("res", "dvce_screenwidth dvce_screenheight", "size"),
    Row("vp", "br_viewwidth br_viewheight", "size"),
    Row("ds", "doc_width doc_height", "size"),
    Row("cookie", "br_cookies", "yes or no"),
    Row("f_pdf", "br_features_pdf", "yes or no"),
    Row("f_fla", "br_features_flash", "yes or no"),
    Row("f_java", "br_features_java", "yes or no"),
    Row("f_dir", "br_features_director", "yes or no"),
    Row("f_qt", "br_features_quicktime", "yes or no"),
    Row("f_realp", "br_features_realplayer", "yes or no"),
    Row("f_wma", "br_features_windowsmedia", "yes or no"),
    Row("f_gears", "br_features_gears", "yes or no"),
    Row("f_ag", "br_features_silverlight", "yes or no"),
    Row("se_ca", "se_category"),
    Row("se_ac", "se_action"),
    Row("se_la", "se_label"),
    Row("se_pr", "se_property"),
    Row("ev_ca", "se_category"),
    Row("ev_ac", "se_action"),
    Row("ev_la", "se_label"),
    Row("ev_pr", "se_property"),
    Row("tr_id", "tr_orderid"),
    Row("tr_af", "tr_affiliation"),
    Row("tr_tx", "tr_tax", "number"),
    Row("tr_sh", "tr_shipping", "number"),
    Row("tr_ci", "tr_city"),
    Row("tr_st", "tr_state"),
    Row("tr_co", "tr_country"),
    Row("ti_id", "ti_orderid"),
    Row("ti_sk", "ti_sku"),
    Row("ti_nm", "ti_name"),
    Row("ti_na", "ti_name"),
    Row("ti_ca", "ti_category"),
    Row("ti_pr", "ti_price", "number"),
    Row("ti_qu", "ti_quantity", "number"),
    Row("pp_mix", "pp_xoffset_min", "number"),
    Row("pp_max", "pp_xoffset_max", "number"),
    Row("pp_miy", "pp_yoffset_min", "number"),
    Row("pp_may", "pp_yoffset_max", "number"),
    Row("ue_pr", "unstruct_event", "event"),
    Row("ue_px", "unstruct_event", "event"),
    Row("co", "contexts", "entities"),
    Row("cx", "contexts", "entities"),
    Row("e", "event_type", "code"),  # the last, for it may stand in the event
)
# Snowplow's column event_name, but for `ue`, whose schema has the name (Enrich: EventEnrichments.scala and
# SchemaEnrichment.scala); `ev` and `ad` are of old trackers.
EVENT_TYPES = {
    "pv": "page_view",
    "pp": "page_ping",
    "se": "event",
    "ev": "event",
    "tr": "transaction",
    "ti": "transaction_item",
    "ad": "ad_impression",
    "ue": "unstruct",
}
# Codes to the words of the input event; another code stays.
PLATFORMS = {"web": "web", "srv": "server", "mob": "mobile", "pc": "desktop", "cnsl": "console"}
TRACKERS = {"ios": "ios", "andr": "android"}  # how `tv` begins, of a mobile tracker
PIXEL = binascii.a2b_base64("R0lGODlhAQABAPAAAP///wAAACH5BAUAAAAALAAAAAABAAEAAAICRAEAOw==")  # the real collector's

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]{1,9})x([0-9]{1,9})")
_SCHEMA = re.compile(r"iglu:[\w.-]+/([\w.-]+)/[\w.-]+/[0-9]+-[0-9]+-[0-9]+", re.ASCII)  # SchemaKey in iglu-core
_SESSION = re.compile(r"iglu:com\.snowplowanalytics\.snowplow/client_session/.*", re.DOTALL)
_MOST_PLANS, _LONGEST_PLAN = 1000, 2000  # names together have so many characters
_NOT_SENT = (None, "")
_NOBODY = "00000000-0000-0000-0000-000000000000"  # userId of whoever asked not to be told apart
_FROM_URL_SAFE = bytes.maketrans(b"-_ ", b"+/+")  # a plus in a query is read as a space
_ANOTHERS = frozenset({"write_key", "access_token"})  # of a query, for the collector


# --- values ----------------------------------------------------------------------------------------------------------


class _Inner(msgspec.Struct, gc=False):
    schema: Any = None


class _Outer(msgspec.Struct, gc=False):
    """Self-describing JSON around another; `data` is looked at only as far as its schema."""

    data: _Inner | list[msgspec.Raw] | str | int | float | bool | None = None


_outer = msgspec.json.Decoder(_Outer).decode
Made = dict[str, Any]
Put = Callable[[Made, str, Any], bool]


def _number(made: Made, name: str, value: Any) -> bool:
    """Digit by digit as it was sent."""
    is_one = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    if is_one:
        made[name] = msgspec.Raw(value.encode())
    return is_one


def _yes_or_no(made: Made, name: str, value: Any) -> bool:
    is_one = value in {"0", "1"} if isinstance(value, str) else False
    if is_one:
        made[name] = value == "1"
    return is_one


def _size(made: Made, names: str, value: Any) -> bool:
    found = _sizes(names, value) if isinstance(value, str) and len(value) < 20 else {}
    made.update(found)
    return bool(found)


@lru_cache(1000)
def _sizes(names: str, value: str) -> dict[str, int]:
    found = _SIZE.fullmatch(value)
    return dict(zip(names.split(), map(int, found.groups()), strict=True)) if found else {}


def _platform(made: Made, name: str, value: Any) -> bool:
    made[name] = PLATFORMS.get(value, value) if isinstance(value, str) else value
    return True


def _address(made: Made, name: str, value: Any) -> bool:
    """Of several the first, as Enrich takes it (MiscEnrichments.extractIp)."""
    made[name] = re.split("[,| ]", value, maxsplit=1)[0] if isinstance(value, str) else value
    return True


def _json(made: Made, name: str, value: Any) -> bool:
    """A JSON object in a text, in base64 or not, stays as it was written, but is no text any more."""
    try:
        text = value if value.lstrip()[:1] == "{" else _from_base64(value)
    except (AttributeError, ValueError):
        return False
    try:
        _outer(text)
        made[name] = msgspec.Raw(text.replace("\n", " ").replace("\r", " ").encode())
    except (ValueError, RecursionError):
        return _tolerantly(made, name, text)
    return True


def _tolerantly(made: Made, name: str, text: str) -> bool:
    """As body.py reads what msgspec does not: half of a surrogate pair, NaN."""
    try:
        found = body.value(text)
    except RequestError:
        return False
    if isinstance(found, dict):
        made[name] = found
    return isinstance(found, dict)


def _from_base64(text: str) -> str:
    """With the letters of URLs or the others, with padding or without (RFC 4648, 3.2 and 5). Raises ValueError."""
    digits = text.encode().translate(_FROM_URL_SAFE).rstrip(b"=")
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True).decode()


def _code(made: Made, name: str, code: Any) -> bool:
    """A code that the protocol does not have stays."""
    made[name] = EVENT_TYPES.get(code, code) if isinstance(code, str) else code
    if code == "ue" and "unstruct_event" in made:
        found = _SCHEMA.fullmatch(str(_schema(made["unstruct_event"])))
        if found is not None:
            made[name] = found[1]
    return True


def _schema(described: msgspec.Raw | Made) -> Any:
    """Of what a self-describing event describes."""
    if isinstance(described, dict):
        inner = described.get("data")
        return inner.get("schema") if isinstance(inner, dict) else None
    data = _outer(described).data
    return data.schema if isinstance(data, _Inner) else None


_PUT: dict[Kind, Put | None] = {
    "text": None,
    "number": _number,
    "yes or no": _yes_or_no,
    "size": _size,
    "platform": _platform,
    "address": _address,
    "event": _json,
    "entities": _json,
    "code": _code,
}


# --- events ----------------------------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """What becomes of parameters, by their names: `names` of all, and the values that are to be read."""

    names: tuple[str, ...]
    puts: tuple[tuple[str, str, Put], ...]


def event(said: Mapping[str, Any]) -> Made:
    """The parameters under the names of the input event."""
    values = said.values()
    if None in values or "" in values:  # as if they had not been sent
        said = {name: value for name, value in said.items() if value not in _NOT_SENT}
    names = tuple(said)
    plan = _plans.get(names) or _planned(names)
    made = dict(zip(plan.names, said.values(), strict=True))
    for name, field, put in plan.puts:
        if put(made, field, made[name]) and name != field:
            del made[name]
    _mobile(made)
    if "sent_time" in made:
        _sent_time(made, said)
    return made


_plans: dict[tuple[str, ...], _Plan] = {}  # measured: a site's names repeat, and this saves half of the time


def _planned(names: tuple[str, ...]) -> _Plan:
    plan = _plan(names)
    if len(_plans) >= _MOST_PLANS:
        _plans.clear()
    if sum(map(len, names)) <= _LONGEST_PLAN:
        _plans[names] = plan
    return plan


def _plan(names: tuple[str, ...]) -> _Plan:
    there = frozenset(names)
    becomes: dict[str, str] = {}
    puts: list[tuple[str, str, Put]] = []
    taken: set[str] = set()
    for row in ROWS:
        if row.at not in there:
            continue
        put = _PUT[row.kind]
        if row.name in taken:
            becomes[row.at] = row.then or row.at
        elif put is None:
            becomes[row.at] = row.name
        else:
            becomes[row.at] = row.at
            puts.append((row.at, row.name, put))
        taken.update((row.name, becomes[row.at], *row.name.split()))
    for name in there - becomes.keys():
        free = name
        while free in taken or (free != name and free in there):
            free = f"_event.{free}"
        becomes[name] = free
    return _Plan(tuple(becomes[name] for name in names), tuple(puts))


def _mobile(made: Made) -> None:
    """Mobile trackers say which they are in their version alone, and who and which visit in an entity."""
    if made.get("platform") == "mobile":
        made["platform"] = TRACKERS.get(str(made.get("v_tracker")).partition("-")[0], "mobile")
    if "contexts" in made and not ("anonymous_id" in made and "session_id" in made):
        session = _session(made["contexts"])
        for name, field in (("userId", "anonymous_id"), ("sessionId", "session_id")):
            if field not in made and isinstance(session.get(name), str) and session[name] != _NOBODY:
                made[field] = session[name]


def _session(contexts: msgspec.Raw | Made) -> dict[str, Any]:
    entities = (contexts if isinstance(contexts, dict) else body.value(bytes(contexts))).get("data")
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict) and _SESSION.fullmatch(str(entity.get("schema"))):
            return entity["data"] if isinstance(entity.get("data"), dict) else {}
    return {}


def _sent_time(made: Made, said: Mapping[str, Any]) -> None:
    """As Snowplow makes derived_tstamp (docs.snowplow.io/docs/events/timestamps): a true time is taken as it is, so no
    sent_time may correct it; and a clock can't have sent before it created: some trackers cut stm to seconds."""
    sent, created = made["sent_time"], said.get("dtm")
    if "ttm" in said:
        del made["sent_time"]
    elif isinstance(sent, str) and isinstance(created, str) and len(sent) == len(created) and sent < created:
        made["sent_time"] = created


# --- requests --------------------------------------------------------------------------------------------------------


def _batch(request: Request, events: list[Any]) -> Batch:
    """SP-Anonymous asks for server-side anonymisation (docs.snowplow.io/docs/events/anonymous-tracking): no address and
    no cookie. What the tracker itself says is the tracker's to leave out."""
    site = next((said["aid"] for said in events if isinstance(said, dict) and said.get("aid")), "")
    made = [of_any(event(said) if isinstance(said, dict) else said) for said in events]
    return Batch(made, site if isinstance(site, str) else "", "sp-anonymous" in request.headers)


def _query(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.parameters().items() if name not in _ANOTHERS}


def _read_post(request: Request) -> Batch:
    """Of an envelope, a bare array or one event. What stands in the query, too, is every event's (Tp2Adapter.scala)."""
    said = body.value(request.body)
    if isinstance(said, dict) and "data" in said:
        said = said["data"]
    events = said if isinstance(said, list) else [said]
    if not events:
        raise RequestError("the body has no event", 'such as {"schema": "iglu:...", "data": [{"e": "pv", ...}]}')
    if request.query and (besides := _query(request)):
        events = [one | besides if isinstance(one, dict) else one for one in events]
    return _batch(request, events)


def _read_pixel(request: Request) -> Batch:
    said = _query(request)
    return _batch(request, [said] if said else [])


def _ok(_: Request, __: Outcome) -> Answer:
    """Whatever the events are: so does the real collector, which does not look at them (Service.scala)."""
    return Answer(200, b"ok", "text/plain")


def _pixel(_: Request, __: Outcome) -> Answer:
    return Answer(200, PIXEL, "image/gif", (("cache-control", "no-cache, no-store, must-revalidate"),))


_EVENT = {
    "type": "object",
    "required": ["e"],
    "properties": {row.at: {"type": "string", "description": row.name} for row in ROWS},
    "additionalProperties": {"type": "string"},
}
_PAYLOAD = {
    "type": "object",
    "required": ["schema", "data"],
    "properties": {"schema": {"type": "string"}, "data": {"type": "array", "items": _EVENT, "minItems": 1}},
}
ROUTES = (
    Route(
        "POST",
        "/com.snowplowanalytics.snowplow/tp2",
        "Snowplow's tracker protocol: payload_data, or one event",
        _read_post,
        _ok,
        schemas={"application/json": {"anyOf": [_PAYLOAD, _EVENT]}},
        answer_type="text/plain",
    ),
    Route(
        "GET",
        "/i",
        "Snowplow's tracker protocol: an event as a query, answered with a pixel",
        _read_pixel,
        _pixel,
        parameters=tuple(row.at for row in ROWS),
        answer_type="image/gif",
    ),
)
