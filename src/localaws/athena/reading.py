"""A query's text read once: first to say whether it is in the grammar, and then by the same worker to run it."""

from sqlglot import exp

from localaws.athena import grammar
from localaws.athena.failures import QueryFailure


class Reading:
    """Keeps the last text that was asked about, with its tree."""

    def __init__(self) -> None:
        self._kept: tuple[str, exp.Query] | None = None

    def problem(self, sql: str) -> str:
        """The message of what isn't in the grammar; "" if nothing, or if it is only known when the query runs."""
        self._kept = None
        try:
            self._kept = (sql, grammar.parse(sql))
        except QueryFailure as e:
            return e.message if e.message.startswith("SYNTAX_ERROR: line ") else ""
        return ""

    def tree(self, sql: str) -> exp.Query:
        """Raises QueryFailure. The caller may change it."""
        kept, self._kept = self._kept, None
        return kept[1] if kept is not None and kept[0] == sql else grammar.parse(sql)
