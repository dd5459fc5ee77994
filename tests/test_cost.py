"""What a month costs: the formulae against sums worked out by hand and elsewhere, the command, and the pages."""

import io
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clicklake import cost_report, price_list
from clicklake.cli import main
from clicklake.cost import PARQUET, Function, Queries, Stored, Use, bill, cost, packed
from clicklake.cost_deployed import of_pipeline
from clicklake.cost_measured import DEMO
from clicklake.cost_savings import Packing, compact, savings
from clicklake.price_list import FILE, load
from endpoint_process import EndpointProcess
from proven_lake import PIPELINE, ROOT, Said, console, variables
from typed_pages import undescribed

PRICES = load()
DEPLOY, PAGE = ROOT / "docs" / "deploy.md", ROOT / "docs" / "cost.md"
# A student project as it is usually built: one plain JSON object an event, small buffers, nothing ever deleted.
NAIVE = Use(
    0,
    event_bytes=601,
    buffer_mib=5,
    compression=6,
    raw_days=None,
    processed=Stored(((1, 800), (2, 1600)), share_read=1, gets=1),
    function=Function(events_per_second=15_000, architecture="x86_64"),
    failed_bytes=0,
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
    lines = {f"{line.service} {line.what}": line.usd(PRICES) for line in bill(replace(NAIVE, events=events))}
    storage = lines["S3 raw/ kept"] + lines["S3 processed/ kept"]
    found = [lines["Firehose taken in"], storage, lines["Athena read by queries"] + lines["S3 reads of queries"]]
    assert found == pytest.approx([firehose, stored, athena], rel=0.002, abs=0.006)


def test_what_has_no_events_and_no_queries_costs_nothing() -> None:
    assert sum(cost(Use(0, queries=Queries(0)), PRICES).values()) == 0


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
    few = cost(Use(1, queries=Queries(1)), PRICES)["Athena"]
    assert few == pytest.approx(10e6 / 2**40 * 5, rel=0.1)


def test_each_price_has_its_unit_its_source_and_when_it_was_read() -> None:
    for name, price in json.loads(FILE.read_text())["prices"].items():
        assert price["usd"] > 0, name
        assert price["of"], name
        assert price["source"], name
        assert re.fullmatch(r"20\d\d-\d\d", price["read"]), name


def test_a_million_requests_to_the_collector_are_a_dollar_and_a_half() -> None:
    """An HTTP API's, an invocation's, 0.015 GiB seconds of arm64, and 220 bytes of log for a month."""
    with_it, without = (cost(Use(8e6, events_per_record=8, requests=n), PRICES) for n in (1e6, 0))
    more = {service: usd - without[service] for service, usd in with_it.items() if usd != without[service]}
    log = 1e6 * 220 / 2**30
    wanted = {"API Gateway": 1.00, "Lambda": 0.20 + 1e6 * 0.015 * 0.0000133334, "CloudWatch": log * 0.53}
    assert more == pytest.approx(wanted)
    assert sum(more.values()) == pytest.approx(1.51, abs=0.005)


def test_who_sends_through_the_collector_is_not_told_to_use_the_producer() -> None:
    document = run("clicklake cost --events-per-day 1M --collector 8 --json").document
    assert document["events_per_record"] == 8
    assert "pack" not in [saving["name"] for saving in document["savings"]]
    (requests,) = [line["amount"] for line in document["lines"] if line["service"] == "API Gateway"]
    assert requests == 30e6 / 8


# --- by hand ---------------------------------------------------------------------------------------------------------

GIB = 2**30
# A million events a day of 1,000 bytes in records of four, each object of 5 minutes, and 100 bytes an event in Parquet.
PLAIN = Stored(((100, 10_000), (1_000_000, 100_000_000)), share_read=0.5, gets=2)
BY_HAND = Use(
    30e6,
    event_bytes=1000,
    events_per_record=4,
    compression=4,
    failed_bytes=10,
    processed=PLAIN,
    function=Function(memory_gib=2),
    puts_per_object=4,
    queries=Queries(60, days=10),
    failed_invocations=1000,
    alarms=9,
    dashboards=1,
    keys=1,
    requests=2e6,
)


@pytest.mark.parametrize(
    ("line", "usd"),
    [
        ("Firehose taken in", 7_500_000 * 5120 / GIB * 0.029),  # 4,000 bytes are billed as 5,120
        ("S3 raw/ kept", 30e6 * 250 * (90 + 30) / 30 / GIB * 0.023),
        ("S3 processed/ kept", 30e6 * 100 * 12 / GIB * 0.023),
        ("S3 failed/ kept", 30e6 * 10 * (30 + 30) / 30 / GIB * 0.023),
        ("S3 ledger/ kept", 8640 * 550 * 12 / GIB * 0.023),
        ("S3 writes of the pipeline", 8640 * 4 * 0.005 / 1000),
        ("S3 reads of the function", 8640 * 0.0004 / 1000),
        ("S3 reads of queries", 60 * 8640 / 3 * 2 * 0.0004 / 1000),
        ("Lambda invocations", 8640 * 0.20 / 1e6),
        ("Lambda time", (8640 * 0.5 + 30e6 / (10_000 * 1769 / 1024)) * 2 * 0.0000133334),  # one core of the two GiB
        ("Glue requests", 0),
        ("Athena read by queries", 60 * 10e6 * 100 * 0.5 / 2**40 * 5),
        ("CloudWatch logs", 8640 * 2000 / GIB * 0.5),
        ("CloudWatch logs kept", 8640 * 2000 / GIB * 0.03),
        ("CloudWatch alarms", 0.90),
        ("CloudWatch dashboards", 3.00),
        ("X-Ray traces", 8640 * 5 / 1e6),
        ("SQS failed invocations", 3000 * 0.40 / 1e6),
        ("KMS keys", 1.00),
        ("KMS requests", 8640 * 5 * 0.03 / 10_000),
        ("API Gateway requests to the collector", 2e6 * 1.00 / 1e6),
        ("Lambda the collector's invocations", 2e6 * 0.20 / 1e6),
        ("Lambda the collector's time", 2e6 * 0.030 * 0.5 * 0.0000133334),
        ("CloudWatch the collector's access log", 2e6 * 220 / GIB * 0.50),
        ("CloudWatch that log kept", 2e6 * 220 / GIB * 0.03),
    ],
)
def test_each_line_is_what_it_is_by_hand(line: str, usd: float) -> None:
    found = {f"{each.service} {each.what}": each.usd(PRICES) for each in bill(BY_HAND)}
    assert found[line] == pytest.approx(usd)
    assert len(found) == 25


def test_the_catalog_is_charged_above_its_first_million_requests() -> None:
    use = replace(BY_HAND, buffer_seconds=1, queries=Queries(0))  # 2,592,000 objects, two requests each
    assert cost(use, PRICES)["Glue"] == pytest.approx(4.184)


def test_the_producer_packs_what_comes_while_it_waits() -> None:
    million_a_day = 30e6
    assert packed(million_a_day, 730, linger=1, producers=1) == 11  # of 11.57 a second
    assert packed(million_a_day, 730, linger=1, producers=20) == 1
    assert packed(million_a_day, 730, linger=60, producers=1) == 102400 // 730
    assert packed(1000 * million_a_day, 100, linger=1, producers=1) == 500  # a record has no more events


def test_a_file_is_as_large_as_it_was_measured_and_small_files_cost_more_an_event() -> None:
    for events, size in PARQUET.points:
        assert PARQUET.size(events) == pytest.approx(size)
    each = [PARQUET.size(events) / events for events in (1, 10, 100, 500, 1_000, 5_000, 50_000, 150_000, 1e7)]
    assert each == sorted(each, reverse=True)
    assert PARQUET.size(1) > 20_000  # there is a footer


def test_a_month_that_is_compacted_has_a_file_a_day_or_as_many_as_hold_128_mib() -> None:
    assert (few := compact(BY_HAND)) is not None
    assert few.files == 30
    assert (many := compact(replace(BY_HAND, events=30e9))) is not None
    assert many.files == 30 * 746  # 100 GB a day
    assert compact(replace(BY_HAND, buffer_seconds=90_000, buffer_mib=1e6)) is None


def test_a_saving_is_the_difference_of_two_bills() -> None:
    use = replace(BY_HAND, events_per_record=1, requests=0)
    found = {saving.name: saving.usd for saving in savings(use, PRICES, Packing())}
    assert found["pack"] == pytest.approx((30e6 * 5120 - 30e6 / 11 * 15360) / GIB * 0.029)
    longer = sum(cost(use, PRICES).values()) - sum(cost(replace(use, buffer_seconds=900), PRICES).values())
    assert found["interval"] == pytest.approx(longer)
    kept = 30e6 * 250 * (90 - 30) / 30 / GIB * 0.023
    assert found["retention"] == pytest.approx(kept)
    job = 30 * 100e6 / 2**40 * 5 + 8640 * 2 * 4e-7 + 30 * 2 * 5e-6 + 30e6 * 100 / GIB * 0.023
    fewer_reads = 60 * (8640 - 30) / 3 * 2 * 4e-7
    assert found["compaction"] == pytest.approx(fewer_reads - job)
    assert max(found, key=lambda name: found[name]) == "everything"


@pytest.mark.parametrize("events", [1e4, 1e6, 1e8, 1e10])
@pytest.mark.parametrize("stored", [PARQUET, PLAIN])
def test_all_together_saves_no_less_than_any_alone(events: float, stored: Stored) -> None:
    found = savings(
        Use(events, processed=stored, buffer_mib=1, function=Function(architecture="x86_64")), PRICES, Packing()
    )
    assert found[-1].name == "everything"
    assert found[-1].usd >= max(saving.usd for saving in found[:-1])


def test_what_is_set_best_already_saves_nothing() -> None:
    best = replace(BY_HAND, buffer_seconds=900, raw_days=30, traced=False, processed=PARQUET, events_per_record=11)
    assert {saving.name for saving in savings(best, PRICES, Packing())} == {"compaction"}


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nobodys_settings() -> Iterator[None]:
    with variables({}):
        yield


def run(command: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(shlex.split(command)[1:])
        except SystemExit as e:
            code = int(str(e.code))
    return Said(code, out.getvalue(), err.getvalue())


def test_the_page_shows_what_it_prints() -> None:
    for command, printed in console("cost.md"):
        assert run(command).out == printed


def test_the_sum_is_that_of_its_lines() -> None:
    document = run("clicklake cost --events-per-day 1M --json").document
    assert document["usd"] == pytest.approx(sum(line["usd"] for line in document["lines"]))
    assert document["usd"] == pytest.approx(sum(cost(Use(30e6), PRICES).values()))


@pytest.mark.parametrize(
    ("typed", "meant"), [("250000", 250e3), ("250k", 250e3), ("1.5M", 1.5e6), ("2e6", 2e6), ("1_000", 1e3)]
)
def test_numbers_of_events_as_people_write_them(typed: str, meant: float) -> None:
    assert run(f"clicklake cost --events-per-day {typed} --json").document["events_per_day"] == pytest.approx(meant)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "how many events come is not known; clicklake cost --events-per-day 1M, or --lake"),
        ("--events-per-day 0", "not above 0"),
        ("--events-per-day many", "'many' is no number"),
        ("--events-per-day 1 --from today", "--from and --to are days of a lake; add --lake"),
        ("--events-per-day 1 --sample nothing.json", "nothing.json: No such file or directory"),
        ("--events-per-day 1 --price-file nothing.json", "nothing.json can't be read"),
    ],
)
def test_wrong_usage_is_one_line_and_2(options: str, said: str) -> None:
    done = run(f"clicklake cost {options}")
    assert done.code == 2
    assert said in done.err.splitlines()[-1]


def test_a_price_file_of_ones_own_is_what_counts(tmp_path: Path) -> None:
    document = json.loads(FILE.read_text())
    document["region"] = "eu-central-1"
    document["prices"]["firehose_gib"]["usd"] *= 2
    (own := tmp_path / "own.json").write_text(json.dumps(document))
    mine, theirs = (run(f"clicklake cost --events-per-day 1M --json {o}").document for o in (f"--price-file {own}", ""))
    assert mine["prices"] | {"read": None} == {"file": "own.json", "region": "eu-central-1", "read": None}
    assert mine["usd"] - theirs["usd"] == pytest.approx(cost(Use(30e6), PRICES)["Firehose"])


@pytest.mark.parametrize(
    "break_", [lambda p: p.pop("kms_request"), lambda p: p.update(s3_get={}), lambda p: p["s3_get"].update(usd="1")]
)
def test_a_price_file_that_lacks_something_is_refused_by_name(tmp_path: Path, break_: Any) -> None:
    document = json.loads(FILE.read_text())
    break_(document["prices"])
    (own := tmp_path / "own.json").write_text(json.dumps(document))
    done = run(f"clicklake cost --events-per-day 1M --price-file {own}")
    assert done.code == 2
    assert "own.json" in done.err


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sample") / "events.ndjson.gz"
    assert run(f"clicklake generate --events 1000 --out {file}").code == 0
    return file


def test_a_sample_is_measured_by_the_transform(sample: Path) -> None:
    document = run(f"clicklake cost --events-per-day 1M --sample {sample} --json").document
    sizes = document["sizes"]
    assert sizes["of"] == "events.ndjson.gz"
    assert sizes["events"] == 1000
    assert 600 < sizes["event_bytes"] < 900
    assert 50 < sizes["raw_bytes"] < sizes["event_bytes"] / 3
    assert 50 < sizes["processed_bytes"] < sizes["event_bytes"] / 3
    assert undescribed(document, "cost.md") == []


def test_a_sample_whose_first_events_are_none_is_measured_by_the_rest(tmp_path: Path) -> None:
    lines = ["rubbish"] * 200 + [json.dumps({"event_type": "click", "event_id": str(n)}) for n in range(200)]
    (file := tmp_path / "half.ndjson").write_text("\n".join(['{"event_type": 1}', *lines]))
    assert run(f"clicklake cost --events-per-day 1M --sample {file} --json").document["sizes"]["processed_bytes"] > 10
    file.write_text("rubbish\n" * 100)
    assert "is an event; see why: clicklake process" in run(f"clicklake cost --events-per-day 1M --sample {file}").err


def test_what_the_prices_do_not_fit_is_noted() -> None:
    settings = replace(of_pipeline(PIPELINE), region="eu-central-1")
    many = replace(BY_HAND, events=1e12)
    asked = cost_report.Asked(many, replace(DEMO, events=99), settings, Packing(), price_list.read(), "prices.json")
    notes = cost_report.document(asked)["notes"]
    assert [note.partition(":")[0] for note in notes] == [
        "AWS asks less than firehose_gib for what is above 512,000 of it",
        "AWS asks less than s3_gib_month for what is above 51,200 of it",
        "the stack is in eu-central-1, the prices are those of us-east-1",
        "99 events are few",
    ]


def test_a_sample_that_is_too_small_is_refused(tmp_path: Path) -> None:
    (few := tmp_path / "few.json").write_text('{"event_type": "click"}')
    done = run(f"clicklake cost --events-per-day 1M --sample {few}")
    assert (done.code, "few.json has 1 events; 20 at least" in done.err) == (2, True)


def test_a_lake_is_measured_by_its_ledger_and_its_stack(stack: EndpointProcess, sample: Path) -> None:
    with variables(stack.environment()):
        empty = run("clicklake cost --lake")
        assert (empty.code, "the ledger has no events" in empty.err) == (1, True)
        assert run(f"clicklake send {sample} --wait").code == 0
        stack.client("lambda").update_function_configuration(
            FunctionName="clickstream-raw-to-processed-dev", MemorySize=2048
        )
        document = run("clicklake cost --lake --json").document
    assert document["sizes"]["of"] == "the ledger, 1 day"
    assert document["sizes"]["events"] == document["events_per_day"] == 1000
    assert 600 < document["sizes"]["event_bytes"] < 900
    assert document["events_per_record"] > 100  # as `send` packs them, by the stream's own count
    settings = document["settings"]
    assert settings["of"] == "the deployed stack, its buffer from the pipeline file"
    assert (settings["buffer_seconds"], settings["raw_days"], settings["failed_days"]) == (300, 90, 30)
    assert (settings["memory_mib"], settings["form"], settings["noncurrent_days"]) == (2048, "parquet", 30)
    assert undescribed(document, "cost.md") == []


# --- docs/deploy.md and docs/cost.md ---------------------------------------------------------------------------------


def usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"


def rows() -> list[str]:
    """By events a month: the defaults line by line, their sum, packed, and the naive one."""
    lines = []
    for millions in MILLIONS:
        use = Use(millions * 1e6)
        naive = replace(NAIVE, events=use.events, event_bytes=use.event_bytes, compression=use.compression)
        default = cost(use, PRICES)
        named = [default.pop(service) for service in ("Firehose", "S3", "Lambda", "Athena")]
        sums = [sum(cost(other, PRICES).values()) for other in (use, replace(use, **PACKED), naive)]  # type: ignore[arg-type]
        cells = [
            f"{millions:,} M",
            *map(usd, [*named, sum(default.values())]),
            f"**{usd(sums[0])}**",
            *map(usd, sums[1:]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def test_the_documents_table_is_what_the_formulae_say() -> None:
    assert re.findall(r"^\| [\d,]+ M \|.*\|$", DEPLOY.read_text(), re.MULTILINE) == rows()


def test_the_documents_prices_are_the_price_list() -> None:
    listed = json.loads(FILE.read_text())["prices"].values()
    told = re.findall(r"^\| ([\d.]+) \| (.+?) \| (.+?), (20\d\d-\d\d) \|$", PAGE.read_text(), re.MULTILINE)
    assert told == [(f"{p['usd']:.10f}".rstrip("0").rstrip("."), p["of"], p["source"], p["read"]) for p in listed]
