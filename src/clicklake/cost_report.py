"""What `clicklake cost` prints: a document for programs, and lines of it for people. Pure."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from clicklake import table
from clicklake.cost import DAYS, Use, bill
from clicklake.cost_deployed import Settings
from clicklake.cost_measured import Measured
from clicklake.cost_savings import Packing, compact, savings
from clicklake.price_list import PriceList
from clicklake.query import size

VERSION = 1
_WIDTH = 100
_FEW = 1_000  # events of a sample, below which its sizes are those of small files
# How an amount is said, by its price.
_UNITS = {
    "firehose_gib": "GiB",
    "s3_gib_month": "GiB",
    "athena_tib": "TiB",
    "logs_gib": "GiB",
    "logs_gib_month": "GiB",
    "lambda_arm_gib_second": "GiB seconds",
    "lambda_x86_gib_second": "GiB seconds",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """All that the bill is made of."""

    use: Use
    measured: Measured
    settings: Settings
    packing: Packing
    prices: PriceList
    price_file: str


def document(asked: Asked) -> dict[str, Any]:
    """docs/cost.md describes it."""
    use, prices, settings = asked.use, asked.prices.usd, asked.settings
    lines = [
        {
            "service": line.service,
            "what": line.what,
            "amount": line.amount,
            "unit": _UNITS.get(line.price, ""),
            "price": line.price,
            "usd": line.usd(prices),
        }
        for line in bill(use)
    ]
    found = savings(use, prices, asked.packing, asked.measured.stored["parquet"])
    return {
        "version": VERSION,
        "usd": sum(line["usd"] for line in lines),
        "events_per_day": use.events / DAYS,
        "events_per_record": use.events_per_record,
        "queries": {"per_day": use.queries.number / DAYS, "days": use.queries.days},
        "kept_months": use.kept_months,
        "sizes": {
            "of": asked.measured.source,
            "events": asked.measured.events,
            "event_bytes": use.event_bytes,
            "raw_bytes": use.event_bytes / use.compression,
            "processed_bytes": use.processed_bytes / use.events,
        },
        "settings": {"of": settings.source, **{k: v for k, v in asdict(settings).items() if k != "source"}},
        "lines": lines,
        "savings": [asdict(saving) for saving in found],
        "files": _files(use),
        "prices": {"file": asked.price_file, "region": asked.prices.region, "read": asked.prices.read},
        "notes": list(_notes(asked)),
    }


def _files(use: Use) -> dict[str, Any]:
    compacted = compact(use)
    return {
        "per_day": use.files / DAYS,
        "bytes": use.processed_bytes / use.files,
        "compacted_per_day": compacted.files / DAYS if compacted else None,
        "compacted_bytes": compacted.processed_bytes / compacted.files if compacted else None,
    }


def _notes(asked: Asked) -> Iterator[str]:
    for name in {line.price: None for line in bill(asked.use) if line.amount > asked.prices.prices[line.price].up_to}:
        yield f"AWS asks less than {name} for what is above {asked.prices.prices[name].up_to:,.0f} of it"
    region = asked.settings.region
    if region and region != asked.prices.region:
        yield f"the stack is in {region}, the prices are those of {asked.prices.region}: --price-file"
    if asked.measured.events < _FEW:
        yield f"{asked.measured.events:,} events are few: sizes of large files are guessed from small ones"


# --- for people ------------------------------------------------------------------------------------------------------


def lines(document: dict[str, Any], width: int = _WIDTH) -> Iterator[str]:
    yield from _head(document)
    yield ""
    charged = [line for line in document["lines"] if line["usd"] > 0]
    rows = [(line["service"], line["what"], _amount(line), _usd(line["usd"])) for line in charged]
    rows.append(("sum", "", "", _usd(document["usd"])))
    yield from table.lines(("service", "what", "amount", "USD a month"), rows, (False, False, True, True), width)
    yield ""
    yield from _files_lines(document["files"])
    yield ""
    yield from _savings_lines(document["savings"], document["usd"], width)
    for note in document["notes"]:
        yield f"note: {note}"


def _head(document: dict[str, Any]) -> Iterator[str]:
    sizes, settings, queries = document["sizes"], document["settings"], document["queries"]
    per_record = document["events_per_record"]
    record = "one event a record" if per_record == 1 else f"{per_record:,.4g} events a record"
    yield f"events    {document['events_per_day']:,.0f} a day of {sizes['event_bytes']:,.0f} bytes, {record}"
    yield (
        f"sizes     of {sizes['of']}: {sizes['raw_bytes']:,.0f} bytes an event in raw/, "
        f"{sizes['processed_bytes']:,.0f} in processed/ ({settings['form']})"
    )
    kept = "for ever" if settings["raw_days"] is None else f"{settings['raw_days']:g} days"
    yield (
        f"settings  of {settings['of']}: {settings['buffer_mib']:g} MiB or {settings['buffer_seconds']:g} s, raw/ kept "
        f"{kept}, {settings['memory_mib']:g} MiB {settings['architecture']}"
    )
    days = "1 day" if queries["days"] == 1 else f"{queries['days']:g} days"
    yield f"queries   {queries['per_day']:g} a day, each of {days}; {document['kept_months']:g} months of events kept"
    prices = document["prices"]
    yield f"prices    {prices['region']}, read {prices['read']}; look them up before you rely on them"


def _files_lines(files: dict[str, Any]) -> Iterator[str]:
    said = f"files     {_number(files['per_day'])} a day of {size(files['bytes'])}"
    if files["compacted_per_day"] is None:
        yield f"{said}; compaction would not make them fewer"
    else:
        yield f"{said}; compacted {_number(files['compacted_per_day'])} of {size(files['compacted_bytes'])}"


def _savings_lines(savings: list[dict[str, Any]], total: float, width: int) -> Iterator[str]:
    worth = [saving for saving in savings if saving["usd"] >= 0.005]
    if not worth:
        yield "no other setting saves a cent"
        return
    rows = [(s["change"], _usd(s["usd"]), f"{100 * s['usd'] / total:.0f} %", s["but"]) for s in worth]
    yield from table.lines(("it would save", "USD", "", "but"), rows, (False, True, True, False), width)


def _amount(line: dict[str, Any]) -> str:
    return f"{_number(line['amount'])} {line['unit']}".rstrip()


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 or amount == int(amount) else f"{amount:,.3g}"


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"
