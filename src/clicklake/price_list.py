"""prices.json: each price with its source, and when it was read there.

listed = read(FILE)         everything
prices = load(FILE)         the name of a price -> USD
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clicklake.errors import UsageError

FILE = Path(__file__).with_name("prices.json")
_FORM = "it is a changed copy of the package's own: docs/cost.md"

Prices = dict[str, float]


@dataclass(frozen=True, slots=True)
class Price:
    """USD for what it is a price `of`, up to an amount a month from which AWS asks less."""

    usd: float
    of: str
    source: str
    read: str
    up_to: float = math.inf


@dataclass(frozen=True, slots=True)
class PriceList:
    region: str
    prices: dict[str, Price]

    @property
    def usd(self) -> Prices:
        return {name: price.usd for name, price in self.prices.items()}

    @property
    def read(self) -> str:
        """From the oldest month in which a price was read to the youngest: `2024-07 to 2026-11`."""
        months = sorted(price.read for price in self.prices.values())
        return months[0] if months[0] == months[-1] else f"{months[0]} to {months[-1]}"


def read(file: Path = FILE) -> PriceList:
    """Raises UsageError for a file that is no price list, or lacks a price."""
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        prices = {name: Price(**price) for name, price in document["prices"].items()}
        found = PriceList(str(document["region"]), prices)
    except OSError as e:
        raise UsageError(f"{file} can't be read ({e.strerror})", _FORM) from e
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise UsageError(f"{file} is no price list ({type(e).__name__}: {e})", _FORM) from e
    for name, price in prices.items():
        if not _is_amount(price.usd) or not _is_amount(price.up_to) or not isinstance(price.read, str):
            raise UsageError(f"{file}: {name} is no price", "usd and up_to are numbers, 0 or more, and read is a month")
    if file != FILE and (missing := read(FILE).prices.keys() - prices.keys()):
        raise UsageError(f"{file} lacks {', '.join(sorted(missing))}", _FORM)
    return found


def load(file: Path = FILE) -> Prices:
    return read(file).usd


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
