"""What the zip of each function holds, beside `package.json`, which says what the zip was built for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contents:
    """`ours`: patterns of our own files. `extra`: of our metadata; what it names goes along, and all that those need in
    turn. `bakes_pipeline`: is the pipeline file in it?"""

    function: str
    ours: tuple[str, ...]
    extra: str
    bakes_pipeline: bool


PROCESSOR = Contents(
    "processor", ("__init__.py", "pipeline/*.py", "processor.py", "transform/**/*.py"), "transform", bakes_pipeline=True
)
# One of its own, for each start reads it: a hundredth of the other's bytes. What it is told stands in its variables.
COLLECTOR = Contents(
    "collector",
    (
        *("__init__.py", "collector/**/*.py", "errors.py", "producer/*.py", "target.py"),
        *("transform/__init__.py", "transform/redact.py"),  # which names and values are private
    ),
    "collector-function",
    bakes_pipeline=False,
)
FUNCTIONS = {contents.function: contents for contents in (PROCESSOR, COLLECTOR)}
