"""How a query fails, in Athena's words.

    QueryFailure    the message of a FAILED execution ("SYNTAX_ERROR: line 1:8: ..."), with Athena's error category
    Cancelled       why Athena itself makes an execution CANCELLED

Categories are AthenaError's: 1 system, 2 user, 3 other.
"""

SYSTEM, USER = 1, 2
EXHAUSTED = "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor"


class QueryFailure(Exception):  # noqa: N818 - Athena calls it a failure
    """A statement that can't be carried out. `message` is what GetQueryExecution's StateChangeReason says."""

    def __init__(self, message: str, category: int = USER) -> None:
        super().__init__(message)
        self.message = message
        self.category = category


class Cancelled(Exception):  # noqa: N818 - the state's name
    """A statement that could be carried out and may not. Its text is StateChangeReason."""


def not_supported(what: str) -> QueryFailure:
    return QueryFailure(f"NOT_SUPPORTED: {what} is not supported by the local Athena yet")


def syntax_error(text: str, offset: int, problem: str) -> QueryFailure:
    return QueryFailure(f"SYNTAX_ERROR: line {position(text, offset)}: {problem}")


def position(text: str, offset: int) -> str:
    """ "line:column" of a character, both from 1."""
    line = text.count("\n", 0, offset) + 1
    return f"{line}:{offset - text.rfind(chr(10), 0, offset)}"
