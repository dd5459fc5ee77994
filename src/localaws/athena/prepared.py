"""PREPARE, EXECUTE and DEALLOCATE PREPARE: the SQL side of the prepared statements that saved.py keeps.

docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html: they belong to the workgroup, their names
are unique in it, and only SELECT, INSERT INTO, CTAS and UNLOAD can be prepared. Values come from USING, or from
ExecutionParameters where there is no USING.
"""

from collections.abc import Sequence

from localaws.athena.failures import QueryFailure, syntax_error
from localaws.athena.requests import values
from localaws.athena.saved import Saved
from localaws.athena.statements import Statement, Token, classify
from localaws.errors import AwsError

KINDS = frozenset({"PREPARE", "DEALLOCATE"})
_PREPARABLE = frozenset({"SELECT", "INSERT", "CREATE_TABLE_AS_SELECT", "UNLOAD"})


def keep(statement: Statement, workgroup: str, saved: Saved) -> None:
    """Carry out PREPARE or DEALLOCATE PREPARE; AwsError as the API has it."""
    parts = statement.tokens
    if statement.kind == "DEALLOCATE":
        _expect(statement, 1, "PREPARE")
        name = _name(statement, 2)
        _end(statement, 3)
        saved.delete_prepared({"WorkGroup": workgroup, "StatementName": name})
        return
    name = _name(statement, 1)
    _expect(statement, 2, "FROM")
    if len(parts) < 4:
        raise _unexpected(statement, 3)
    sql = statement.text[parts[3].start :]
    _preparable(sql)
    saved.create_prepared({"WorkGroup": workgroup, "StatementName": name, "QueryStatement": sql})


def executed(
    statement: Statement, workgroup: str, parameters: Sequence[str], saved: Saved
) -> tuple[Statement, list[str]]:
    """The statement that an EXECUTE means, and the values of its question marks."""
    name = _name(statement, 1)
    using = _using(statement)
    if using and parameters:
        raise QueryFailure("INVALID_PARAMETER_USAGE: line 1:1: values come from USING or from ExecutionParameters")
    try:
        found = saved.prepared_statement({"WorkGroup": workgroup, "StatementName": name})
    except AwsError as e:
        raise QueryFailure(f"NOT_FOUND: Prepared statement not found: {name}") from e
    return _preparable(found["QueryStatement"]), using or values(parameters)


def _preparable(sql: str) -> Statement:
    try:
        statement = classify(sql)
    except AwsError as e:
        raise QueryFailure(f"SYNTAX_ERROR: {e.message}") from e
    if statement.kind not in _PREPARABLE:
        raise QueryFailure(f"NOT_SUPPORTED: {statement.kind.replace('_', ' ')} can't be a prepared statement")
    return statement


def _using(statement: Statement) -> list[str]:
    """The expressions behind USING, parted by the commas that stand in no bracket."""
    parts = statement.tokens
    if len(parts) == 2:
        return []
    _expect(statement, 2, "USING")
    found, depth, start = [], 0, 3
    for i, token in enumerate(parts[3:], 3):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if token.kind == "symbol" and token.text == "," and depth == 0:
            found.append(_between(statement, parts[start:i], i))
            start = i + 1
    return [*found, _between(statement, parts[start:], len(parts))]


def _between(statement: Statement, parts: Sequence[Token], following: int) -> str:
    if not parts:
        raise _unexpected(statement, following)
    return statement.text[parts[0].start : parts[-1].end]


def _name(statement: Statement, index: int) -> str:
    if index >= len(statement.tokens) or statement.tokens[index].kind not in {"word", "quoted"}:
        raise _unexpected(statement, index)
    return statement.tokens[index].text


def _expect(statement: Statement, index: int, word: str) -> None:
    if index >= len(statement.tokens) or statement.tokens[index].word() != word:
        raise _unexpected(statement, index)


def _end(statement: Statement, index: int) -> None:
    if index < len(statement.tokens):
        raise _unexpected(statement, index)


def _unexpected(statement: Statement, index: int) -> QueryFailure:
    token = statement.tokens[index] if index < len(statement.tokens) else None
    offset = token.start if token else len(statement.text)
    return syntax_error(statement.text, offset, f"mismatched input '{token.text if token else '<EOF>'}'")
