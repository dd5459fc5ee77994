"""Views as Athena keeps them in Glue: a VIRTUAL_VIEW whose text is a comment with base64 JSON inside.

Terraform and other tools write the same form (docs.aws.amazon.com/athena/latest/ug/views.html says only that views live
in the catalog; the form is Presto's ViewDefinition).
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from localaws.athena.failures import QueryFailure

Document = dict[str, Any]
_BEFORE, _AFTER = "/* Presto View: ", " */"


def is_view(table: Document) -> bool:
    return str(table.get("ViewOriginalText", "")).startswith(_BEFORE)


def definition(table: Document) -> Document:
    """The view's JSON: originalSql, catalog, schema, columns. QueryFailure if it can't be read."""
    try:
        encoded = table["ViewOriginalText"].removeprefix(_BEFORE).partition(_AFTER)[0]
        parsed: Document = json.loads(base64.b64decode(encoded))
        if not isinstance(parsed["originalSql"], str):
            raise TypeError
    except (KeyError, TypeError, ValueError, binascii.Error) as e:
        raise QueryFailure(f"INVALID_VIEW: Invalid view JSON of '{table.get('Name', '')}'") from e
    return parsed


def view_sql(table: Document) -> str:
    return str(definition(table)["originalSql"])


def view(database: str, name: str, sql: str, columns: Sequence[tuple[str, str, str]]) -> Document:
    """The TableInput of a view; `columns` are (name, Hive type, Trino type)."""
    described = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": n, "type": trino} for n, _, trino in columns],
    }
    encoded = base64.b64encode(json.dumps(described, separators=(",", ":")).encode()).decode()
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": n, "Type": hive} for n, hive, _ in columns],
            "Location": "",
            "SerdeInfo": {},
            "NumberOfBuckets": 0,
        },
        "ViewOriginalText": f"{_BEFORE}{encoded}{_AFTER}",
        "ViewExpandedText": "/* Presto View */",
    }
