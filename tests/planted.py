"""Values that must not get out, where senders may put them, and a search that finds them in any bytes."""

import base64
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from string import Template
from typing import Any
from urllib.parse import quote

from transforming import event


@dataclass(frozen=True)
class Secrets:
    """One person's, made of a seed: each can be told from every other person's."""

    user_id: str
    number: int
    email: str
    ipv4: str
    ipv6: str
    token: str

    @classmethod
    @cache
    def of(cls, seed: str) -> "Secrets":
        chance = random.Random(seed)
        return cls(
            user_id=f"user-{chance.getrandbits(48):012x}",
            number=chance.randrange(10**11, 10**12),
            email=f"kim.{chance.getrandbits(40):010x}@mail{chance.randrange(1000)}.example",
            ipv4=str(IPv4Address((chance.randrange(20, 200) << 24) | (1 << 23) | chance.getrandbits(23))),
            ipv6=IPv6Address((0x20010DB8 << 96) | (1 << 80) | chance.getrandbits(79)).compressed,
            token=f"{chance.getrandbits(128):032x}",
        )


def leaks(data: bytes, secrets: Secrets) -> set[str]:
    """Which of the secrets are in the data, in any of the forms that text takes on its way."""
    lower = data.lower()
    return {str(secret) for secret in astuple(secrets) if any(form in lower for form in _forms(str(secret)))}


class Search:
    """For the secrets of many in much data: only whose secrets' first bytes are there are looked for one by one."""

    def __init__(self, seeds: Iterable[str]) -> None:
        self._seeds: dict[bytes, set[str]] = {}
        for seed in seeds:
            for form in {form for secret in astuple(Secrets.of(seed)) for form in _forms(str(secret))}:
                assert len(form) >= _WINDOW
                self._seeds.setdefault(form[:_WINDOW], set()).add(seed)

    def leaking(self, data: bytes) -> list[str]:
        """The seeds of whom the data has something."""
        windows = _windows(data.lower())
        suspects = {seed for window in self._seeds.keys() & windows for seed in self._seeds[window]}
        return sorted(seed for seed in suspects if leaks(data, Secrets.of(seed)))


_WINDOW = 8  # bytes; no form of a secret is shorter


def _windows(data: bytes) -> set[bytes]:
    return {data[at : at + _WINDOW] for at in range(len(data) - _WINDOW + 1)}


@cache
def _forms(secret: str) -> tuple[bytes, ...]:
    return tuple(_all_forms(secret))


def _all_forms(secret: str) -> Iterable[bytes]:
    quoted = quote(secret, safe="")
    texts = {secret, quoted, quote(quoted, safe=""), json.dumps(secret)[1:-1], secret.replace("@", "\\u0040")}
    yield from (text.lower().encode() for text in texts)
    for shift in range(3):  # base64 of something that has it inside; its ends depend on what stands around it
        inside = base64.b64encode(b"\0" * shift + secret.encode())
        yield inside[2 + shift : -4].lower()
    if secret.count(".") == 3 and "@" not in secret:
        yield str(int(IPv4Address(secret))).encode()


# --- where they are put ----------------------------------------------------------------------------------------------

Planting = Callable[[Secrets], dict[str, Any] | bytes]


def _raw(text: str) -> Planting:
    """A record as bytes, in which $u, $n, $i, $s, $e and $t stand for the secrets' JSON."""

    def plant(s: Secrets) -> bytes:
        values = {"u": s.user_id, "n": s.number, "i": s.ipv4, "s": s.ipv6, "e": s.email, "t": s.token}
        return Template(text).substitute({name: json.dumps(value) for name, value in values.items()}).encode() + b"\n"

    return plant


def named(name: str) -> dict[str, Planting]:
    """This name at the top of the event, in properties, and deep in a field that is not known."""
    return {
        f"{name} of the event": lambda s: event(**{name: s.user_id}),
        f"{name} in properties": lambda s: event(properties={name: [s.number], "n": {"l": [{name: s.token}]}}),
        f"{name} in an unknown field": lambda s: event(context=[{"a": {name: s.user_id}}, [[{name: s.ipv4}]]]),
    }


SPELLINGS = ("user_id", "userId", "UserId", "userID", "user-id", "USER_ID", "USER-ID", "userid", "User Id", "user.id",
             "traits.user_id", "traits[user_id]", "_event.user_id", "_event._event.userId", "\tuser_id", "user__id")  # fmt: skip
IP_SPELLINGS = ("ip", "IP", "Ip", "ip_address", "ipAddress", "IP-Address", "context.ip", "_event.ip", "ip.v4")
PRIVATE_NAMES = ("client_ip", "clientIp", "remote_addr", "X-Forwarded-For", "cf-connecting-ip", "email", "E-Mail", "user.email",
                 "emailAddress", "phone", "PhoneNumber", "password", "Cookie", "cookies", "Authorization")  # fmt: skip
HEADER_SPELLINGS = ("headers", "Headers", "HEADERS", "headers.cookie", "request.headers", "_event.headers")

FORMS: dict[str, Planting] = {
    "text": lambda s: event(user_id=s.user_id, ip=s.ipv4),
    "an e-mail address as the id": lambda s: event(user_id=s.email, ip=s.ipv6),
    "an integer": lambda s: event(user_id=s.number, ip=int(IPv4Address(s.ipv4))),
    "a float": lambda s: event(user_id=float(s.number), ip=s.ipv4),
    "an integer of 40 digits": lambda s: event(user_id=int(str(s.number) * 4), ip=s.number * 10**20),
    "an array": lambda s: event(user_id=[s.user_id, s.number], ip=[s.ipv4, s.ipv6]),
    "an object": lambda s: event(user_id={"id": s.user_id}, ip={"v4": s.ipv4}),
    "an array in an object in an array": lambda s: event(user_id=[{"ids": [s.user_id]}], ip=[{"v": [s.ipv4]}]),
    "a name": lambda s: event(user_id={s.user_id: 1}, ip={s.ipv4: 1}, headers={s.token: 1}),
    "an alias": lambda s: event(userId=s.user_id),
    "both names": lambda s: event(user_id=s.user_id, userId=s.email, ip=s.ipv4, ip_address=s.ipv6, ipAddress=s.token),
    "a list of addresses": lambda s: event(ip=f"{s.ipv4}, {s.ipv6}"),
    "an address with a port": lambda s: event(ip=f"[{s.ipv6}]:443"),
    "no address": lambda s: event(ip=s.user_id),
    "first of a repeated name": _raw('{"event_type":"x","user_id":$u,"user_id":null,"ip":$i,"ip":7,"headers":[$t],"headers":1}'),
    "last of a repeated name": _raw('{"event_type":"x","user_id":null,"user_id":$u,"ip":7,"ip":$i,"headers":1,"headers":[$t]}'),
    "a repeated name of two kinds": _raw('{"event_type":"x","user_id":[$u],"user_id":{"a":$n},"ip":{"a":$i},"ip":[$s]}'),
    "a repeated properties": _raw('{"event_type":"x","properties":{"userId":$u},"properties":{"ip":$i,"user_id":$n}}'),
    "a repeated name in properties": _raw('{"event_type":"x","properties":{"ip":$i,"ip":$s,"userId":$u,"userId":$e}}'),
    "an escaped name": _raw('{"event_type":"x","user\\u005fid":$u,"\\u0069p":$i,"properties":{"user\\u005fid":$u}}'),
    "headers": lambda s: event(
        headers={"cookie": f"sid={s.token}", "x-forwarded-for": s.ipv4, "authorization": s.token, "x-user": s.user_id,
                 "from": s.email, "forwarded": f"for={s.ipv6}", "cf-connecting-ip": s.ipv4,
                 "cloudfront-viewer-address": f"{s.ipv4}:443", "user-agent": s.token}
    ),
    "headers that are a list": lambda s: event(headers=[["cookie", s.token], ["x-forwarded-for", s.ipv4]]),
    "headers that are a text": lambda s: event(headers=f"Cookie: {s.token}\r\nX-Forwarded-For: {s.ipv4}"),
    "a server-owned name": lambda s: event(
        visitor_id={"user_id": s.user_id}, ip_truncated={"ip": s.ipv4}, page_host=f"https://a.example/?t={s.token}"
    ),
    "an event that fails": lambda s: {"user_id": s.user_id, "ip": s.ipv4, "email": s.email},
    "a broken event": _raw('{"event_type":"x","user_id":$u,"ip":$i,"n":$n'),
    "an event of the wrong type": _raw('{"event_type":[$u],"ip":$i,"user_id":$e}'),
    "no event": _raw('[$u,$n,{"user_id":$u},$i,"user_id"]'),
    "an id of the wrong time": lambda s: event(event_time="yesterday", sent_time=[1], user_id=s.user_id, ip=s.ipv4),
}  # fmt: skip

TEXTS: dict[str, Planting] = {
    "a title": lambda s: event(page_title=f"Inbox (3) - {s.email} - Mail"),
    "a text": lambda s: event(properties={"search": f"mail to <{s.email}>, please"}, note=s.email),
    "texts in a list": lambda s: event(properties={"a": [s.email, [f"mailto:{s.email}"]]}),
    "JSON in a text": lambda s: event(properties={"body": json.dumps({"user_id": s.user_id, "a": [{"ip": s.ipv4}]})}),
    "JSON in JSON in a text": lambda s: event(context=json.dumps([json.dumps({"userId": s.user_id, "n": [s.email]})])),
    "properties as a text": lambda s: event(properties=json.dumps({"userId": s.user_id, "link": f"/?t={s.token}"})),
    "JSON too deep in a text": lambda s: event(
        properties={"body": " [" * 120 + json.dumps({"ip": s.ipv4}) + "]" * 120}
    ),
    "an encoded text": lambda s: event(properties={"body": f"name=kim&mail={quote(s.email)}"}),
}

ADDRESSES: dict[str, str] = {
    "a parameter": "https://shop.example/p?user_id=$u&ip=$i&email=$e&t=$t&n=$n",
    "a parameter without a value": "https://shop.example/p?$e=&$t=&$t",
    "an encoded parameter": "https://shop.example/p?mail=$e1&next=%2Flogin%3Ftoken%3D$t",
    "an e-mail address in a kept parameter": "https://shop.example/p?q=$e&search=$e1&utm_source=a+$e&utm_term=$e2",
    "an address in a kept parameter": "https://shop.example/p?ref=https://a.example/%3Ftoken=$t&source=%2Fa%3Fu%3D$u",
    "an address in an address": "https://shop.example/p?ref=https%253A%252F%252Fa%253Ftoken%253D$t",
    "semicolons": "https://shop.example/p?a=1;token=$t;id=$u",
    "a fragment": "https://shop.example/p#access_token=$t&id=$u",
    "a fragment of an app": "https://shop.example/#/reset?token=$t&mail=$e",
    "an e-mail address in the fragment": "https://shop.example/p#$e",
    "an e-mail address in the path": "https://shop.example/users/$e/orders/$e1/$e2",
    "a parameter of the path": "https://shop.example/cart;jsessionid=$t/items;u=$u?x=1",
    "a user": "https://$u:$t@shop.example/",
    "an e-mail address as the user": "https://$e:$t@shop.example/",
    "a relative address": "/p?user_id=$u&token=$t",
    "an address without a scheme": "//$e@shop.example/p?token=$t",
    "a mail address": "mailto:$e?subject=$u",
    "a query": "?token=$t&id=$u",
    "another protocol": "myapp://open/p?token=$t#id=$u",
}


def address(template: str, s: Secrets) -> str:
    once = quote(s.email, safe="")
    values = {"u": s.user_id, "n": s.number, "i": s.ipv4, "e": s.email, "t": s.token, "e1": once, "e2": quote(once)}
    return Template(template).substitute(values)


def _event_with(field: str, template: str) -> Planting:
    return lambda s: event(**{field: address(template, s)})


def _properties_with(template: str) -> Planting:
    return lambda s: event(properties={"to": address(template, s), "all": [{"to": address(template, s)}]})


def in_field(field: str) -> dict[str, Planting]:
    """Every address as the value of this field."""
    return {f"{name}, {field}": _event_with(field, template) for name, template in ADDRESSES.items()}


def in_properties() -> dict[str, Planting]:
    """Every address in texts inside of `properties`, at the top and deeper."""
    return {f"{name}, properties": _properties_with(template) for name, template in ADDRESSES.items()}
