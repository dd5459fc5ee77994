"""A short run of `make fuzz` for the collector (fuzz_collector.py), the same each time."""

from pathlib import Path

from collector_process import CollectorProcess
from fuzz_collector import SETTINGS, fuzz


def test_no_request_breaks_the_collector_and_every_event_it_took_is_accounted_for(tmp_path: Path) -> None:
    collector = CollectorProcess(tmp_path / "c", SETTINGS)
    collector.start()
    try:
        fuzzer = fuzz(collector, count=150, seed=3, cases=1, step=7)
    finally:
        collector.stop()
    assert fuzzer.wrong == []
    assert {"200", "204", "400", "401", "403", "404", "405", "413", "415"} <= fuzzer.answers.keys()
