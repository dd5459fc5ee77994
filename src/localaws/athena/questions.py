"""What a worker asks while it plans a query: tables, partitions and files, answered from the catalog and from S3."""

from localaws.athena.catalog import Catalog, Document, Files
from localaws.athena.listing import list_files
from localaws.errors import AwsError


class Questions:
    """`answer` takes a question of lake.py; it may raise."""

    def __init__(self, catalog: Catalog, files: Files) -> None:
        self._catalog = catalog
        self._files = files

    def answer(self, question: Document) -> Document:
        asked = question["ask"]
        if asked == "files":
            return {"files": list_files(self._files, question["locations"])}
        if asked == "databases":
            return {"databases": [d["Name"] for d in self._catalog.databases()]}
        if asked == "tables":
            return {"tables": self._catalog.tables(question["database"])}
        database, name = question["database"], question["name"]
        if asked == "partitions":
            return self._partitions(database, name, question["known"])
        return self._table(database, name)

    def _partitions(self, database: str, name: str, known: int) -> Document:
        """Nothing, if the table's generation is the one that the worker knows."""
        generation = self._catalog.generation(database, name)
        if generation == known:
            return {}
        return {"generation": generation, "partitions": self._catalog.partition_locations(database, name)}

    def _table(self, database: str, name: str) -> Document:
        try:
            return {"table": self._catalog.table(database, name)}
        except AwsError:
            exists = any(d["Name"] == database for d in self._catalog.databases())
            return {"missing": "table" if exists else "database"}
