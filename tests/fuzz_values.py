"""Values for the parameters of an AWS operation, by botocore's models: mostly such as fit, now and then such as don't."""

import datetime
import random
from typing import Any

NAME = "fuzz"
ROLE = "arn:aws:iam::000000000000:role/fuzz"
TEXTS = [
    NAME, "", "x", "a/b", "../../x", "%00", "\x00", "é", "\U0001f600", "😀" * 300, "a" * 2000, "arn:aws:s3:::fuzz", ROLE, "arn:aws:lambda:us-east-1:000000000000:function:nobody",
    "-1", "0", "null", "true", "{}", "[]", "{", "<a>", "'", '"', "SELECT 1", "SELECT '", "day = '1' AND (", "NOT " * 500, "(" * 500, "*", "?", "s3://fuzz/r/", "s3://", "!{timestamp:yyyy}",
    "!{", "2026-01-01T00:00:00Z", "yyyy", "\r\n", "bytes=0-", '"etag"', "json", "v1", "$LATEST", "1", "AAAA", "Europe/Berlin", "https://sqs.us-east-1.amazonaws.com/000000000000/fuzz",
]  # fmt: skip
NUMBERS = [0, 1, 2, -1, 5, 900, 1000, 10**6, 2**31, 2**63, -(2**63), 10**400]
_DATES = [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)]


class Values:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def of(self, shape: Any) -> Any:
        return self._value(shape, 0) if shape is not None else {}

    def _value(self, shape: Any, depth: int) -> Any:
        if self._chance.random() < 0.02:
            return self._chance.choice([None, *TEXTS, *NUMBERS[:9], {}, [], True, 1.5])
        make = getattr(self, f"_a_{shape.type_name}", None)
        return make(shape, depth) if make else self._chance.choice(TEXTS)

    def _a_structure(self, shape: Any, depth: int) -> dict[str, Any]:
        often = 0.5 if depth < 3 else 0.1
        names = [n for n in shape.members if n in shape.required_members or self._chance.random() < often]
        if self._chance.random() < 0.05 and names:
            names.remove(self._chance.choice(names))
        return {name: self._value(shape.members[name], depth + 1) for name in names} if depth < 12 else {}

    def _a_list(self, shape: Any, depth: int) -> list[Any]:
        return [self._value(shape.member, depth + 1) for _ in range(self._chance.choice((0, 1, 1, 2)))]

    def _a_map(self, shape: Any, depth: int) -> dict[str, Any]:
        return {
            self._chance.choice(TEXTS): self._value(shape.value, depth + 1) for _ in range(self._chance.randint(0, 2))
        }

    def _a_string(self, shape: Any, _depth: int) -> str:
        if getattr(shape, "enum", None) and self._chance.random() < 0.8:
            return str(self._chance.choice(shape.enum))
        return NAME if self._chance.random() < 0.6 else self._chance.choice(TEXTS)

    def _a_integer(self, shape: Any, _depth: int) -> int:
        """Mostly what the model allows: what is refused at once goes no deeper."""
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 5)
        return (
            self._chance.randint(low, max(low, min(high, 5)))
            if self._chance.random() < 0.7
            else self._chance.choice(NUMBERS)
        )

    _a_long = _a_integer

    def _a_double(self, _shape: Any, _depth: int) -> float:
        return self._chance.choice([0.0, -1.5, 1e300, 1e-300, 5.0])

    _a_float = _a_double

    def _a_boolean(self, _shape: Any, _depth: int) -> bool:
        return self._chance.random() < 0.5

    def _a_timestamp(self, _shape: Any, _depth: int) -> datetime.datetime:
        return self._chance.choice(_DATES)

    def _a_blob(self, _shape: Any, _depth: int) -> bytes:
        return self._chance.choice(
            [b"", b"x", b"{}", b"\xff" * 50, b'{"event_type":"a"}\n', b"PK\x03\x04" + b"\x00" * 30]
        )
