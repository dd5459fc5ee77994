"""What a command can end with, in one small tree; cli.py prints it as one line and exits with its code.

ClicklakeError          `problem`, and a `hint` that says what to do
  NoError               1  the answer is no (a gap was found, a count does not match)
  UsageError            2  wrong usage: an option, a file, a name
  UnreachableError      3  the service can't be reached
  RefusedError          4  AWS refused: its code, its words
"""


class ClicklakeError(Exception):
    exit_code = 1

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem}; {hint}" if hint else problem)
        self.problem = problem
        self.hint = hint


class NoError(ClicklakeError):
    exit_code = 1


class UsageError(ClicklakeError):
    exit_code = 2


class UnreachableError(ClicklakeError):
    exit_code = 3


class RefusedError(ClicklakeError):
    """`code` is AWS's own, such as ThrottlingException."""

    exit_code = 4

    def __init__(self, problem: str, hint: str = "", code: str = "") -> None:
        super().__init__(problem, hint)
        self.code = code
