"""Which earlier result answers a query again, where its ResultReuseConfiguration allows one that is not too old.

docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html: the last result of the same text in the same workgroup,
with the same database, catalog and result configuration, while its file is there. Not of a query whose answer may be
another one each time (rand(), LIMIT without ORDER BY); nor, here, of one that asks for the time. Whether the tables
have changed since is not looked at: that is what the user allows.
"""

import hashlib
import json
from collections.abc import Sequence

from localaws.athena.catalog import Document
from localaws.athena.pages import invalid
from localaws.athena.statements import Statement, Token

_CATALOG = "awsdatacatalog"
_DEFAULT_AGE, _OLDEST = 60, 10080  # minutes, API_ResultReuseByAgeConfiguration.html
_DIFFERS = {"RAND", "RANDOM", "SHUFFLE", "UUID", "TABLESAMPLE"} | {
    "NOW", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP",
}  # fmt: skip
_SOME = {"LIMIT", "FETCH", "OFFSET"}  # of the rows, any of them unless they are ordered


def checked(configuration: Document) -> Document:
    """A ResultReuseConfiguration as it was sent. Raises InvalidRequestException."""
    age = configuration.get("ResultReuseByAgeConfiguration", {}).get("MaxAgeInMinutes", _DEFAULT_AGE)
    if not 0 <= age <= _OLDEST:
        raise invalid(f"MaxAgeInMinutes must be between 0 and {_OLDEST}")
    return configuration


def oldest(document: Document, now: float) -> float | None:
    """Of a QueryExecution: since when a result is young enough (epoch seconds), None if none may be reused."""
    asked = document["ResultReuseConfiguration"].get("ResultReuseByAgeConfiguration", {})
    return now - 60 * asked.get("MaxAgeInMinutes", _DEFAULT_AGE) if asked.get("Enabled") else None


def key(statement: Statement, parameters: Sequence[str], document: Document, own: str | None) -> str:
    """The same for queries that one result answers, "" for one that none does. `statement` is the query that runs (of
    an EXECUTE the prepared one), `own` the result location of the workgroup, which no request may have overridden."""
    configuration = dict(document["ResultConfiguration"])
    place = configuration.pop("OutputLocation", "").rpartition("/")[0]
    if not place or (own and place.rstrip("/") != own.rstrip("/")) or _differs(statement.tokens):
        return ""
    context = {"Catalog": _CATALOG} | document["QueryExecutionContext"]
    text = statement.text.strip()
    said = json.dumps([document["WorkGroup"], text, parameters, context, place, configuration], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _differs(parts: Sequence[Token]) -> bool:
    """May the answer be another one the next time, over the same data?"""
    scopes = [(False, False)]  # of each open bracket: is there a LIMIT, is there an ORDER BY?
    for token in parts:
        word = token.word()
        if word in _DIFFERS:
            return True
        limited, ordered = scopes[-1]
        if token.kind == "symbol" and token.text == "(":
            scopes.append((False, False))
        elif token.kind == "symbol" and token.text == ")" and len(scopes) > 1:
            if scopes.pop() == (True, False):
                return True
        else:
            scopes[-1] = (limited or word in _SOME, ordered or word == "ORDER")
    return (True, False) in scopes
