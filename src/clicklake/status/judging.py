"""Is data flowing, and if not, where does it stop: a sentence from the numbers. Pure.

The first rule of RULES that applies is the answer; what others say is added as notes.
"""

from dataclasses import dataclass
from typing import Literal

from clicklake.pipeline import Names
from clicklake.status.numbers import Numbers
from clicklake.status.rules import RULES, Stage, counted, rate, spelled

Flowing = Literal["yes", "idle", "partly", "no"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`stops_at` is the stage of what is wrong; None if nothing is."""

    flowing: Flowing
    stops_at: Stage | None
    sentence: str
    notes: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        return self.stops_at is None


def judge(numbers: Numbers, names: Names) -> Verdict:
    found = [rule for rule in RULES if rule.applies(numbers)]
    said = [rule.says(numbers, names) for rule in found]
    first = found[0] if found else None
    if first and first.kind == "stop":
        # What comes after it in the pipeline mostly follows from it.
        others = zip(found, said, strict=True)
        notes = [text for rule, text in others if rule.kind != "stop" and rule.stage != first.stage]
        return Verdict("no", first.stage, f"Data does not flow: {said[0]}.", _sentences(notes))
    flowing, sentence = _course(numbers)
    if first and first.kind == "part":
        return Verdict("partly", first.stage, f"{sentence} But {said[0]}.", _sentences(said[1:]))
    return Verdict(flowing, None, sentence, _sentences(said))


def _sentences(texts: list[str]) -> tuple[str, ...]:
    return tuple(f"{text[0].upper()}{text[1:]}." for text in texts)


def _course(n: Numbers) -> tuple[Flowing, str]:
    """How it goes where nothing is in the way."""
    window = spelled(n.window_seconds)
    if n.processed.records:
        age = spelled(n.age(n.processed.newest) or 0)
        return (
            "yes",
            f"Data is flowing: {rate(n.processed.records, n)} records a second, the newest could be queried {age} ago.",
        )
    if n.raw.waiting:
        return "yes", f"Data is flowing: the function has {counted(n.raw.waiting, 'raw object')} to process."
    if n.firehose.records:
        buffer = spelled(n.firehose.buffer_seconds)
        return "yes", f"Records come in; Firehose delivers them within {buffer} or so."
    if n.processed.newest is None:
        return "idle", "Nothing was sent in the last 24 hours, and nothing is in the way."
    age = spelled(n.age(n.processed.newest) or 0)
    return "idle", f"Nothing was sent in the last {window}; what came before, until {age} ago, is processed."
