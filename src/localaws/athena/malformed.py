"""What of a statement StartQueryExecution itself refuses: text that isn't in Trino's grammar.

AWS parses before it takes a query: `InvalidRequestException ... line 2:9: mismatched input` (dbt-labs/dbt-athena
issue 54, objectiv/objectiv-analytics issue 1311), and what its analyzer refuses is a FAILED execution. Hive's DDL is
parsed later there, too. The grammar itself is in the workers; here is which part of a statement is theirs to read.
"""

import re
from collections.abc import Callable

from localaws.athena import ddl, explain, writing
from localaws.athena.failures import QueryFailure
from localaws.athena.statements import Run, Statement, malformed

_OF_READER = re.compile(r"(?:FAILED: ParseException|SYNTAX_ERROR:) line (\d+:\d+):? (.*)", re.DOTALL)
Check = Callable[[str], str]


def refuse(statement: Statement, check: Check) -> None:
    """Raises InvalidRequestException. `check` says what is wrong with a query's text, "" if it is nothing."""
    if any(t.kind == "symbol" and t.text == ";" for t in statement.tokens):
        raise malformed(f"Only one sql statement is allowed. Got: {statement.text}")
    try:
        query = _query(statement)
    except QueryFailure as e:
        found = _OF_READER.fullmatch(e.message)
        if found is None:
            return  # what is not supported fails when it runs
        raise malformed(f"line {found[1]}: {found[2]}") from e
    told = check(query) if query else ""
    if told:
        raise malformed(told.removeprefix("SYNTAX_ERROR: "))


def _query(statement: Statement) -> str:
    """The part that is a query of Trino's, at its line and column; "" if there is none."""
    if statement.run is Run.QUERY:
        return statement.text if statement.kind != "EXECUTE" else ""
    if statement.run is Run.WRITE:
        return writing.parse(statement).query
    if statement.kind == "EXPLAIN":
        return explain.requested(statement)[0]
    if statement.run is Run.VIEW:
        return ddl.view_query(statement)
    return ""
