"""The days of each table in Glue: registered, where the table's files lie, with the table's columns. Pure."""

from collections.abc import Iterable, Iterator

from clicklake.catalog import Document, format_of
from clicklake.glue_tables import location_of
from clicklake.lake import Days
from clicklake.verify.findings import Finding, Partition


def judge(
    table: Document, partitions: Iterable[Document], needed: Iterable[tuple[str, ...]], days: Days
) -> list[Finding]:
    """`needed` are the values of the days that have files, `partitions` what Glue has of the table."""
    known = {tuple(partition["Values"]): partition for partition in partitions}
    missing = sorted(set(needed) - known.keys())
    found = [_missing(table, values) for values in missing]
    for values, partition in sorted(known.items()):
        if values in days:
            found += _wrong(table, values, partition)
    return found


def _missing(table: Document, values: tuple[str, ...]) -> Finding:
    where = Partition(table["Name"], values)
    return Finding("partition_missing", _name(table, values), location_of(table, values), "no partition", None, where)


def _wrong(table: Document, values: tuple[str, ...], partition: Document) -> Iterator[Finding]:
    mine, wanted = partition["StorageDescriptor"], table["StorageDescriptor"]
    where, name = Partition(table["Name"], values), _name(table, values)
    location = location_of(table, values)
    if mine["Location"].rstrip("/") != location.rstrip("/"):
        yield Finding("partition_location", name, location, mine["Location"], None, where)
    elif format_of(mine) != format_of(wanted):
        yield Finding("partition_columns", name, format_of(wanted), format_of(mine), None, where)
    elif _columns(mine) != _columns(wanted):
        columns = f"the table's {len(wanted['Columns'])} columns", f"{len(mine['Columns'])} columns, not the same"
        yield Finding("partition_columns", name, *columns, None, where)


def _columns(storage: Document) -> list[tuple[str, str]]:
    """Without comments, which change no row."""
    return [(column["Name"], column["Type"]) for column in storage["Columns"]]


def _name(table: Document, values: tuple[str, ...]) -> str:
    """As SQL's DDL would name it: `clickstream_events year=2025/month=11/day=26`."""
    keys = (key["Name"] for key in table["PartitionKeys"])
    return f"{table['Name']} " + "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
