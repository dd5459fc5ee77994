"""What the seed promises: its files, names and commands work here (docs/seed.md maps what moved)."""

from endpoint_process import EndpointProcess
from seed_walk import ROOT, walk


def test_the_sample_event_survives_the_seeds_own_put_record_command() -> None:
    """GNU base64 wraps at 76 columns, and a line end inside the JSON argument breaks it: 57 bytes are one line."""
    assert len((ROOT / "sample-event.json").read_bytes()) <= 57


def test_the_seeds_walk_works_on_what_up_provisions(stack: EndpointProcess) -> None:
    walk(stack.environment(), "clickstream-lake-dev", stack.client)
