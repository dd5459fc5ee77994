"""What a month costs: the formulae against sums worked out elsewhere, and the document's tables against the formulae."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from clicklake.cost import FILE, Function, Stored, Use, cost, load

PRICES = load()
DEPLOY = Path(__file__).parent.parent / "docs" / "deploy.md"
# A student project as it is usually built: one plain JSON object an event, small buffers, nothing ever deleted.
NAIVE = Use(
    0,
    event_bytes=601,
    buffer_mib=5,
    compression=6,
    raw_months=12,
    processed=Stored(event_bytes=800, share_read=1, gets=1),
    function=Function(events_per_second=15_000, architecture="x86"),
    puts_per_object=2,
    traced=False,
)
MILLIONS = (1, 10, 100, 1_000, 10_000)
PACKED = {"events_per_record": 8, "buffer_seconds": 900}


@pytest.mark.parametrize(
    ("events", "firehose", "stored", "athena"),
    [(1e6, 0.14, 0.23, 2.13), (1e8, 13.83, 23.13, 110.52), (1e9, 138.28, 231.39, 1105.15), (1e10, 1382.83, 2313.83, 11051.50)],
)  # fmt: skip
def test_the_sums_of_the_study_that_the_formulae_are_from(
    events: float, firehose: float, stored: float, athena: float
) -> None:
    lines = cost(replace(NAIVE, events=events), PRICES)
    found = [lines[name] for name in ("Firehose", "storage", "Athena")]
    assert found == pytest.approx([firehose, stored, athena], rel=0.002, abs=0.006)


def test_what_has_no_events_and_no_queries_costs_nothing() -> None:
    assert sum(cost(Use(0, queries=0), PRICES).values()) == 0


def test_a_record_is_billed_in_steps_of_5_kib() -> None:
    def of(event_bytes: int, per_record: int = 1) -> float:
        return cost(Use(1e9, event_bytes=event_bytes, events_per_record=per_record), PRICES)["Firehose"]

    assert of(1) == of(5120)
    assert of(5121) == 2 * of(5120)
    assert of(640, per_record=8) == of(640) / 8


def test_a_buffer_that_fills_makes_more_objects_than_one_that_waits() -> None:
    assert Use(1e6, buffer_seconds=300).objects == 8640
    assert Use(1e10, event_bytes=2**20, buffer_mib=128).objects == pytest.approx(1e10 / 128)
    assert Use(3).objects == 3


def test_a_query_costs_what_10_mb_cost_at_least() -> None:
    few = cost(Use(1, queries=1), PRICES)["Athena"]
    assert few == pytest.approx(10e6 / 2**40 * 5, rel=0.1)


def test_each_price_has_its_unit_its_source_and_when_it_was_read() -> None:
    for name, price in json.loads(FILE.read_text())["prices"].items():
        assert price["usd"] > 0, name
        assert price["of"], name
        assert price["source"], name
        assert re.fullmatch(r"20\d\d-\d\d", price["read"]), name


# --- docs/deploy.md --------------------------------------------------------------------------------------------------


def usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"


def rows() -> list[str]:
    """By events a month: the defaults line by line, their sum, packed, and the naive one."""
    lines = []
    for millions in MILLIONS:
        use = Use(millions * 1e6)
        naive = replace(NAIVE, events=use.events, event_bytes=use.event_bytes, compression=use.compression)
        default = cost(use, PRICES)
        sums = [sum(cost(other, PRICES).values()) for other in (use, replace(use, **PACKED), naive)]  # type: ignore[arg-type]
        cells = [f"{millions:,} M", *map(usd, default.values()), f"**{usd(sums[0])}**", *map(usd, sums[1:])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def test_the_documents_table_is_what_the_formulae_say() -> None:
    assert re.findall(r"^\| [\d,]+ M \|.*\|$", DEPLOY.read_text(), re.MULTILINE) == rows()


def test_the_documents_prices_are_the_price_list() -> None:
    listed = json.loads(FILE.read_text())["prices"].values()
    told = re.findall(r"^\| ([\d.]+) \| (.+?) \| (.+?), (20\d\d-\d\d) \|$", DEPLOY.read_text(), re.MULTILINE)
    assert told == [(f"{p['usd']:.10f}".rstrip("0").rstrip("."), p["of"], p["source"], p["read"]) for p in listed]
