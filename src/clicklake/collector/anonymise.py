"""An event without who it was, for a visitor who asks for that where the settings say `anonymise`: it must be gone from
the raw zone, too, which the transform never changes.

Names are told apart by the transform's own rule (transform/redact.py: any spelling, a path around it, any depth, in
JSON that is a text), but more names count, and only addresses' utm parameters keep their values. What can't be read
becomes `redacted`. docs/privacy.md says what is not found. This is the slow way, for few ask.
"""

import re
from collections.abc import Iterable
from typing import Any

from clicklake.collector import body
from clicklake.collector.event import TOO_DEEP, Event, written
from clicklake.collector.request import RequestError
from clicklake.transform.redact import (
    REDACTED,
    address_redactor,
    private_names,
    text_redactor,
    without_emails,
)

# What tells somebody apart. Case and underscores don't matter, and a dot also stands for an object around a name: both
# `device.id` and {"device": {"id": ...}}. What the dialects make their fields of is all in here (a test compares).
NAMES = """
user_id uid userid_hash hashed_user_id user user_name login_name visitor visitor_id customer customer_id member_id
person_id account_id profile_id contact_id previous_id group_id external_id external_ids subject

anonymous_id duid client_id client_ids app_instance_id domain_userid network_userid nuid tnuid user_fingerprint fp
fingerprint amp_id referrer_id

session_id sid ga_session_id domain_sessionid previous_session_id first_event_id session_cookie session_cookies

ip ip_address ip_override user_ipaddress client_ip remote_ip remote_addr x_forwarded_for x_real_ip true_client_ip
cf_connecting_ip cloudfront_viewer_address forwarded

user_agent ua http_user_agent user_agent_data headers cookie cookies http_cookie set_cookie authorization

device_id device.name device.token push_token advertising_id advertiser_id ad_id gaid aaid oaid idfa idfv apple_idfa
apple_idfv android_id android_idfa open_idfa app_set_id mac mac_address imei imsi meid udid serial_number

_ga _gid _gcl_au _fbp _fbc __utma __utmb __utmc __utmv __utmz
gclid gbraid wbraid dclid msclkid fbclid ttclid twclid li_fat_id mkt_clickid

traits user_properties user_data email email_address sha256_email_address phone phone_number sha256_phone_number
password first_name last_name full_name birthday date_of_birth address street postal_code zip
location user_location geolocation latitude longitude
"""
KEPT_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")

# Snowplow's entities that are about somebody whatever their members are called.
_ENTITIES = re.compile(
    r"iglu:(?:org\.ietf/http_(?:cookie|header|client_hints)|com\.google\.(?:analytics|ga4)/cookies"
    r"|com\.snowplowanalytics\.snowplow/(?:client_session|geolocation_context))/.*",
    re.DOTALL,
)
_ADDRESSES = frozenset({"page_url", "url", "page_location", "referrer", "refr", "page_referrer"})
_IDS = frozenset({"event_id", "messageId"})  # of the event: redacted, two events could become one
# Names under which dialects keep what they could not read.
_UNREAD = frozenset({"co", "cx", "ue_pr", "ue_px", "data_base64", "not_an_event", "not_a_cloudevent"})
_JSON = ("{", "[", '"')
# How JSON in base64 begins (a token, too), percent-encoded JSON, and XML.
_ENCODED = ("eyJ", "eyA", "ewo", "ewA", "W3si", "WyJ", "%7B", "%7b", "%5B", "%5b", "<")
_BEFORE = " \t\r\n\ufeff"
_DEEPEST = 110  # levels; deeper than the lake's, so that an event that is too deep stays so
_LONGEST_OUTER = 40  # characters of a name that is looked at once more with each name in its object
_NOBODY = b'{"unreadable":"redacted"}'


class Anonymiser:
    """`names`: those of a team's own, besides."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._is_private = private_names((*NAMES.split(), *names))
        self._address = address_redactor(KEPT_PARAMETERS)
        self._redacted = text_redactor(self._address)

    def __call__(self, event: Event) -> Event:
        """The same event, without. One that is so broken that nobody can say what is in it has nothing left."""
        try:
            text, problem = written(self._object(body.value(event.text), "", 1)), event.problem
        except RequestError:
            text, problem = _NOBODY, event.problem or TOO_DEEP
        return Event(text, event.voice, self._redacted(event.app_id), has_anonymous_id=False, problem=problem)

    def _object(self, said: dict[str, Any], outer: str, depth: int) -> dict[str, Any]:
        """`outer`: what the object itself is called."""
        left = {
            without_emails(name): self._member(name, value, depth)
            for name, value in said.items()
            if not self._is_of_somebody(outer, name)
        }
        schema, called = said.get("schema"), said.get("name", said.get("key"))
        if isinstance(schema, str) and _ENTITIES.fullmatch(schema):
            left.pop("data", None)
        if depth > 1 and isinstance(called, str) and self._is_of_somebody("", called):
            left.pop("value", None)
        return left

    def _is_of_somebody(self, outer: str, name: str) -> bool:
        return name.startswith("_ga_") or self._is_private(f"{outer}.{name}" if outer else name)

    def _member(self, name: str, value: Any, depth: int) -> Any:
        if name in _UNREAD and not isinstance(value, dict):
            return REDACTED
        if isinstance(value, str):
            if depth == 1 and name in _IDS:
                return value
            if name in _ADDRESSES:
                return str(self._address(value))
        last = name.rpartition(".")[2]
        return self._value(value, last if len(last) <= _LONGEST_OUTER else "", depth)

    def _value(self, value: Any, name: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value, name, depth)
        if not isinstance(value, (dict, list)):
            return value
        if depth >= _DEEPEST:
            return REDACTED
        if isinstance(value, dict):
            return self._object(value, name, depth + 1)
        return [self._value(one, name, depth + 1) for one in value]

    def _text(self, text: str, name: str, depth: int) -> str:
        begin = text.lstrip(_BEFORE)
        if begin.startswith(_ENCODED):
            return REDACTED
        if '"' not in text or not begin.startswith(_JSON):
            return self._redacted(text)
        try:
            found = body.value(text.strip(_BEFORE))
        except RequestError:
            is_quote = begin.startswith('"') and '":' not in text
            return self._redacted(text) if is_quote else REDACTED
        left = self._value(found, name, depth)
        return text if left == found else written(left).decode()
