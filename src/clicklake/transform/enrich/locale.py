"""The language that the sender wants: its own `locale`, else the first choice of the Accept-Language header.

The header's order is by weight, and as written among equals (RFC 9110, section 12.5.4; `q` is 1 unless given, and 0
means "not this one"; `*` names no language). Its tag gets the letter case that RFC 5646, section 2.1.1, recommends,
de-at -> de-AT, so that equal languages are equal text. What the sender says itself stays as sent.
"""

import re
from typing import Any

from clicklake.transform.enrich.context import Context, Enrichment

_LONGEST = 4096  # characters of a header; browsers send some dozens
_CHOICE = re.compile(
    r"[ \t]*(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[qQ]=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)


def _locale(_context: Context, sent: Any, accept_language: Any) -> tuple[str | None]:
    return (sent if type(sent) is str and sent else preferred(accept_language),)


def preferred(accept_language: Any) -> str | None:
    """The first language of an Accept-Language header; choices that are not of its grammar don't count."""
    if type(accept_language) is not str or len(accept_language) > _LONGEST:
        return None
    best, heaviest = None, 0.0
    for choice in accept_language.split(","):
        found = _CHOICE.fullmatch(choice)
        weight = float(found["weight"] or 1) if found else 0.0
        if found and weight > heaviest:
            best, heaviest = found["tag"], weight
    return None if best is None else _recommended_case(best)


def _recommended_case(tag: str) -> str:
    """Countries in capitals, scripts with one, all else in lower case, as is all from a singleton (x-...) on."""
    subtags = tag.lower().split("-")
    plain = next((at for at, subtag in enumerate(subtags) if len(subtag) == 1), len(subtags))
    return "-".join((subtags[0], *map(_subtag, subtags[1:plain]), *subtags[max(plain, 1) :]))


def _subtag(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag


locale = Enrichment(reads=("locale", "headers.accept-language"), makes=("locale",), make=_locale)
