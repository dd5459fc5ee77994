"""Statements kept for later: named queries and prepared statements. Both belong to a workgroup."""

from collections.abc import Callable

from localaws.athena.catalog import Document
from localaws.athena.pages import invalid, page
from localaws.errors import AwsError
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

_PRIMARY = "primary"


class Saved:
    """`operations` is this part of the API; `workgroup` raises if there is none of that name."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        ids: Callable[[], str],
        workgroup: Callable[[str], Document],
    ) -> None:
        self._queries = Documents(store, "athena-named-query")
        self._prepared = Documents(store, "athena-prepared-statement")
        self._clock = clock
        self._ids = ids
        self._workgroup = workgroup
        self.operations: dict[str, Operation] = {
            "CreateNamedQuery": self._create_named_query,
            "GetNamedQuery": lambda p: {"NamedQuery": self._named_query(p["NamedQueryId"])},
            "BatchGetNamedQuery": self._batch_get_named_query,
            "ListNamedQueries": self._list_named_queries,
            "UpdateNamedQuery": self._update_named_query,
            "DeleteNamedQuery": self._delete_named_query,
            "CreatePreparedStatement": self.create_prepared,
            "GetPreparedStatement": self._get_prepared,
            "BatchGetPreparedStatement": self._batch_get_prepared,
            "UpdatePreparedStatement": self._update_prepared,
            "DeletePreparedStatement": self.delete_prepared,
            "ListPreparedStatements": self._list_prepared,
        }

    def of_workgroup(self, name: str) -> tuple[list[str], list[str]] | None:
        """(named queries, prepared statements) of a workgroup; None if it has neither."""
        queries = [i for i, q in self._queries.items() if q["WorkGroup"] == name]
        statements = [i for i, _ in self._prepared.items(f"{name}/")]
        return (queries, statements) if queries or statements else None

    def workgroup(self, number: str) -> str | None:
        """A named query's; None if there is no such one."""
        found = self._queries.get(number)
        return str(found["WorkGroup"]) if found else None

    def forget(self, name: str) -> None:
        """Delete what belongs to a workgroup."""
        queries, statements = self.of_workgroup(name) or ([], [])
        for number in queries:
            self._queries.delete(number)
        for statement in statements:
            self._prepared.delete(statement)

    # Named queries

    def _create_named_query(self, p: Parameters) -> Parameters:
        number = self._ids()
        group = p.get("WorkGroup", _PRIMARY)
        self._workgroup(group)
        kept = {k: p[k] for k in ("Name", "Description", "Database", "QueryString") if k in p}
        self._queries.put(number, kept | {"NamedQueryId": number, "WorkGroup": group})
        return {"NamedQueryId": number}

    def _named_query(self, number: str) -> Document:
        found = self._queries.get(number)
        if found is None:
            raise invalid(f"NamedQuery {number} was not found")
        return found

    def _batch_get_named_query(self, p: Parameters) -> Parameters:
        found = {i: self._queries.get(i) for i in p["NamedQueryIds"]}
        missing = [i for i, query in found.items() if query is None]
        return {
            "NamedQueries": [q for q in found.values() if q is not None],
            "UnprocessedNamedQueryIds": [
                {"NamedQueryId": i, "ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": f"NamedQuery {i} was not found"}
                for i in missing
            ],
        }

    def _list_named_queries(self, p: Parameters) -> Parameters:
        group = p.get("WorkGroup", _PRIMARY)
        return page("NamedQueryIds", [i for i, q in self._queries.items() if q["WorkGroup"] == group], p)

    def _update_named_query(self, p: Parameters) -> Parameters:
        found = self._named_query(p["NamedQueryId"])
        changes = {k: p[k] for k in ("Name", "Description", "QueryString") if k in p}
        self._queries.put(found["NamedQueryId"], found | changes)
        return {}

    def _delete_named_query(self, p: Parameters) -> Parameters:
        self._named_query(p["NamedQueryId"])
        self._queries.delete(p["NamedQueryId"])
        return {}

    # Prepared statements

    def create_prepared(self, p: Parameters) -> Parameters:
        key = f"{p['WorkGroup']}/{p['StatementName']}"
        self._workgroup(p["WorkGroup"])
        if self._prepared.get(key) is not None:
            raise invalid(f"PreparedStatement {p['StatementName']} already exists")
        return self._put_prepared(key, p)

    def _put_prepared(self, key: str, p: Parameters) -> Parameters:
        kept = {k: p[k] for k in ("StatementName", "QueryStatement", "Description") if k in p}
        changed = {"WorkGroupName": p["WorkGroup"], "LastModifiedTime": self._clock()}
        self._prepared.put(key, kept | changed)
        return {}

    def prepared_statement(self, p: Parameters) -> Document:
        found = self._prepared.get(f"{p['WorkGroup']}/{p['StatementName']}")
        if found is None:
            message = f"PreparedStatement {p['StatementName']} was not found in workGroup {p['WorkGroup']}"
            raise AwsError("ResourceNotFoundException", message)
        return found

    def _get_prepared(self, p: Parameters) -> Parameters:
        return {"PreparedStatement": self.prepared_statement(p)}

    def _batch_get_prepared(self, p: Parameters) -> Parameters:
        found, missing = [], []
        self._workgroup(p["WorkGroup"])
        for name in p["PreparedStatementNames"]:
            try:
                found.append(self.prepared_statement({"WorkGroup": p["WorkGroup"], "StatementName": name}))
            except AwsError as e:
                missing.append({"StatementName": name, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": e.message})
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def _update_prepared(self, p: Parameters) -> Parameters:
        self.prepared_statement(p)
        return self._put_prepared(f"{p['WorkGroup']}/{p['StatementName']}", p)

    def delete_prepared(self, p: Parameters) -> Parameters:
        self.prepared_statement(p)
        self._prepared.delete(f"{p['WorkGroup']}/{p['StatementName']}")
        return {}

    def _list_prepared(self, p: Parameters) -> Parameters:
        statements = [s for _, s in self._prepared.items(f"{p['WorkGroup']}/")]
        summaries = [{k: s[k] for k in ("StatementName", "LastModifiedTime")} for s in statements]
        return page("PreparedStatements", summaries, p)
