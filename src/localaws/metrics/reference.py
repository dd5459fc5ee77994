"""The table in docs/observability.md: `python -m localaws.metrics.reference` prints it."""

from collections.abc import Iterator

from localaws.metrics.definitions import DEFINITIONS, Definition

HEAD = "| metric | kind | labels | what it is | in CloudWatch |\n|---|---|---|---|---|\n"


def table() -> str:
    return HEAD + "".join(_row(definition) for definition in DEFINITIONS)


def _row(definition: Definition) -> str:
    labels = ", ".join(f"`{label}`" for label in definition.labels)
    name, kind, text = f"`{definition.name}`", definition.kind.value, definition.help
    return f"| {name} | {kind} | {labels} | {text} | {'; '.join(_fed(definition))} |\n"


def _fed(definition: Definition) -> Iterator[str]:
    for feed in definition.feeds:
        operations = ("PutRecord", "PutRecordBatch") if "{operation}" in feed.metric else ("",)
        for operation in operations:
            yield f"`{feed.namespace}` {feed.metric.format(operation=operation)} ({feed.unit})"


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201 - a command's output
