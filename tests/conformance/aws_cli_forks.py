"""The aws CLI, started once: each line of JSON on standard input (arguments, file to read, file to write) is a command
that a fork of this process runs as `aws` would, and its exit status is printed. A start of its own takes half a second
of CPU, nearly all of it to import."""

import io
import json
import os
import sys

import awscli.clidriver  # type: ignore[import-untyped]
import awscli.customizations.s3.subcommands  # type: ignore[import-untyped]
import s3transfer.manager  # type: ignore[import-untyped]  # noqa: F401 - what the commands import when they run

for line in sys.stdin:
    arguments, given, printed = json.loads(line)
    if (command := os.fork()) == 0:
        for path, flags, number in (
            (given, os.O_RDONLY, 0),
            (printed, os.O_WRONLY, 1),
            (f"{printed}.err", os.O_WRONLY, 2),
        ):
            os.dup2(os.open(path, flags | (os.O_CREAT if flags else 0)), number)
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)))
        sys.argv = ["aws", *arguments]
        code = awscli.clidriver.main()
        sys.stdout.flush()
        os._exit(code)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])}\n")
    sys.stdout.flush()
