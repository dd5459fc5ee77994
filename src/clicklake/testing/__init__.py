"""A team's own tests against the pipeline: a pytest plugin with a fixture; no Docker, no account. docs/testing.md.

    plugin.py      what pytest knows of it: options, fixtures, the section in the report of a test that failed
    fixture.py     Clicklake, which is what a test is handed
    stack.py       the endpoint of a test run and the stack on it
    address.py     where that will answer, known before it is started
    quiet.py       is anything still on its way?
    emptying.py    the lake as it was before anything was sent
    outcome.py     what became of what was sent, and why
    rows.py        Athena's text -> Python's values

`Clicklake` and `Outcome` are for annotations: `def test_x(clicklake: Clicklake) -> None`. They are imported when they
are asked for, for pytest imports plugin.py at every start, and boto3 takes a third of a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clicklake.testing.fixture import Clicklake
    from clicklake.testing.outcome import Outcome

__all__ = ["Clicklake", "Outcome"]

_HOMES = {"Clicklake": "fixture", "Outcome": "outcome"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"clicklake.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
