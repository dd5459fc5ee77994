"""EXPLAIN [(TYPE ..., FORMAT ...)] statement: which form of a plan is asked for, and of which query.

docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html. LOGICAL and DISTRIBUTED give this engine's own plan
as text, VALIDATE says that the query is right; the other forms are read by programs, which would read another engine's
plan wrongly, and so are refused. EXPLAIN ANALYZE is, too.
"""

from localaws.athena.failures import not_supported
from localaws.athena.reader import Reader
from localaws.athena.statements import Run, Statement, classify

_ASKED = {"TYPE": {"LOGICAL", "DISTRIBUTED", "VALIDATE"}, "FORMAT": {"TEXT"}}


def requested(statement: Statement) -> tuple[str, bool]:
    """The query's text, and whether it is only to be validated."""
    r = Reader(statement)
    r.expect("EXPLAIN")
    if r.take("ANALYZE"):
        raise not_supported("EXPLAIN ANALYZE")
    options = _options(r) if r.take("(") else {}
    for name, value in options.items():
        if value not in _ASKED.get(name, ()):
            raise not_supported(f"EXPLAIN ({name} {value})")
    sql = r.rest_in_place()
    inner = classify(sql)
    if inner.run is not Run.QUERY or inner.kind == "EXECUTE":
        raise not_supported(f"EXPLAIN of {inner.kind.replace('_', ' ')}")
    return sql, options.get("TYPE") == "VALIDATE"


def _options(r: Reader) -> dict[str, str]:
    """What stands in the brackets; a bracket may also begin the query: EXPLAIN (SELECT 1)."""
    token = r.peek()
    if token is None or token.word() not in _ASKED:
        raise not_supported("EXPLAIN of a query in brackets")
    found = {}
    while True:
        name = r.identifier().upper()
        found[name] = r.identifier().upper()
        if not r.take(","):
            r.expect(")")
            return found
