"""MSCK REPAIR TABLE carried out: the directories key1=v/key2=v/... under the table's location become partitions.

Not those whose keys are spelled with capital letters, nor values with a colon, as docs.aws.amazon.com/athena/latest/ug/
msck-repair-table.html has it. Partitions whose files are gone stay, and are named.
"""

import re

from localaws.athena import layouts
from localaws.athena.catalog import Catalog, Document, Files, bucket_and_key
from localaws.athena.named import Named, execution_error
from localaws.athena.outcome import Outcome
from localaws.athena.reader import Name

_SEGMENT = re.compile(r"([^/=]+)=([^/:]*)")
_Values = tuple[str, ...]


class Repairs:
    def __init__(self, catalog: Catalog, files: Files, named: Named) -> None:
        self._catalog = catalog
        self._files = files
        self._named = named

    def repair(self, name: Name, own: str) -> Outcome:
        table = self._named.table(name, own)
        names = layouts.keys(table)
        if not names:
            raise execution_error(f"Table {table['Name']} is not partitioned")
        places = self._catalog.partition_locations(table["DatabaseName"], table["Name"])
        known = {tuple(v): place for v, place in places}
        found, folders = self._found(table, names)
        missing = {v: place for v, place in found.items() if v not in known}
        inputs = [
            {"Values": list(v), "StorageDescriptor": table["StorageDescriptor"] | {"Location": place.rstrip("/")}}
            for v, place in missing.items()
        ]
        self._catalog.add_partitions(table["DatabaseName"], table["Name"], inputs)
        gone = [v for v, place in known.items() if _is_under(place, table) and place.rstrip("/") + "/" not in folders]
        return _told(table["Name"], names, list(missing), gone)

    def _found(self, table: Document, names: list[str]) -> tuple[dict[_Values, str], set[str]]:
        """(values to the place of each partition that its folders name, every folder of that depth or less)"""
        location = _root(table)
        bucket, prefix = bucket_and_key(location)
        found: dict[_Values, str] = {}
        folders = set()
        for file in self._files(bucket, prefix):
            *segments, _ = file.key[len(prefix) :].split("/")
            folders |= {location + "".join(f"{s}/" for s in segments[:i]) for i in range(1, len(segments) + 1)}
            matches = [_SEGMENT.fullmatch(s) for s in segments[: len(names)]]
            if len(matches) == len(names) and all(m and m[1] == n for m, n in zip(matches, names, strict=True)):
                values = tuple(layouts.unescaped(m[2]) for m in matches if m)
                found.setdefault(values, location + "/".join(segments[: len(names)]) + "/")
        return found, folders


def _root(table: Document) -> str:
    return str(table["StorageDescriptor"].get("Location", "")).rstrip("/") + "/"


def _is_under(place: str, table: Document) -> bool:
    return place.startswith(_root(table))


def _told(table: str, names: list[str], added: list[_Values], gone: list[_Values]) -> Outcome:
    def specs(values: list[_Values]) -> list[str]:
        return [f"{table}:{layouts.partition_spec(names, v)}" for v in values]

    lines = []
    if added:
        lines.append("Partitions not in metastore:\t" + "\t".join(specs(added)))
    if gone:
        lines.append("Partitions missing from filesystem:\t" + "\t".join(specs(gone)))
    lines += [f"Repair: Added partition to metastore {s}" for s in specs(added)]
    return Outcome(("result",), tuple(lines)) if lines else Outcome()
