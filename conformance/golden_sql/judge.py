"""Pairs run and judged: right, refused (with Athena's reason), or wrong.

Many expressions go into one SELECT; one that fails is found by halving. What is refused costs a query each time, so
what is known to be refused is asked for alone. Doubles are equal to 1e-9 of their size.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from conformance.golden_sql.pairs import Pair, Rows

_BATCH = 32
_CLOSE = 1e-9
_NUMBER = re.compile(r"-?\d+\.\d+(?:E-?\d+)?")
_REFUSALS = ("not supported by the local Athena", "not registered")  # ours; Trino says NOT_SUPPORTED of joins, too


@dataclass(frozen=True, slots=True)
class Failure:
    reason: str


Run = Callable[[str], Rows | Failure]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refused` is the reason, `wrong` what came instead; all empty: right. `lax`: what came where Trino refuses;
    `words`: it fails, in other words."""

    pair: Pair
    refused: str = ""
    wrong: str = ""
    lax: str = ""
    words: str = ""


def judged(pairs: Sequence[Pair], run: Run, alone: Collection[str] = ()) -> list[Verdict]:
    """`alone`: origins of the pairs that are not put together with others."""
    together = [p for p in pairs if p.one_value and p.origin not in alone]
    rest = [p for p in pairs if not (p.one_value and p.origin not in alone)]
    found = [v for i in range(0, len(together), _BATCH) for v in _batch(together[i : i + _BATCH], run)]
    return found + [_verdict(p, run(p.sql)) for p in rest]


def _batch(pairs: Sequence[Pair], run: Run) -> list[Verdict]:
    if len(pairs) == 1:
        return [_verdict(pairs[0], run(pairs[0].sql))]
    answer = run("SELECT " + ",\n".join(p.sql[len("SELECT ") :] for p in pairs))
    if isinstance(answer, Failure) or len(answer[0]) != len(pairs):
        half = len(pairs) // 2
        return _batch(pairs[:half], run) + _batch(pairs[half:], run)
    return [_verdict(p, [[value]]) for p, value in zip(pairs, answer[0], strict=True)]


def _verdict(pair: Pair, answer: Rows | Failure) -> Verdict:
    if isinstance(answer, Failure):
        return _failed(pair, answer.reason)
    if pair.rows is None:
        return Verdict(pair, lax=f"answered, and not {pair.fails}")
    wanted, got = pair.rows, answer
    if pair.any_order:
        wanted, got = _ordered(wanted), _ordered(got)
    return Verdict(pair) if _same(wanted, got) else Verdict(pair, wrong=str(answer))


def _failed(pair: Pair, reason: str) -> Verdict:
    code = reason.partition(":")[0]
    if pair.rows is not None or (pair.fails != code and any(words in reason for words in _REFUSALS)):
        return Verdict(pair, refused=reason)
    return Verdict(pair, words="" if pair.fails in {"?", code} else f"{code}, and not {pair.fails}")


def _ordered(rows: Rows) -> Rows:
    """Rows sorted, and so are the entries of the maps in them."""
    return sorted(([None if v is None else _entries(v) for v in row] for row in rows), key=str)


def _entries(text: str) -> str:
    return "{" + ", ".join(sorted(text[1:-1].split(", "))) + "}" if text.startswith("{") else text


def _same(wanted: Rows, got: Rows) -> bool:
    return len(wanted) == len(got) and all(
        len(w) == len(g) and all(map(_equal, w, g)) for w, g in zip(wanted, got, strict=True)
    )


def _equal(wanted: str | None, got: str | None) -> bool:
    if wanted is None or got is None or wanted == got:
        return wanted == got
    if _NUMBER.sub("#", wanted) != _NUMBER.sub("#", got):
        return False
    return all(_near(float(a), float(b)) for a, b in zip(_NUMBER.findall(wanted), _NUMBER.findall(got), strict=True))


def _near(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= _CLOSE * max(abs(a), abs(b))
