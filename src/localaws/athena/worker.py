"""A worker process: DuckDB behind a pipe. `python -m localaws.athena.worker <settings as JSON>`

It gets frames on stdin: {"run": {...}}, one at a time, and the parent's answers to its own questions. On what was
stdout it says {"begun": ...}, asks {"ask": ...}, and ends with {"done": ...} or {"failed": ...}. A thread reads stdin
all the time, so when the parent dies the process ends, whatever DuckDB is doing.
"""

import contextlib
import json
import os
import queue
import resource
import shutil
import sys
import threading
from pathlib import Path
from typing import IO, Any

import duckdb

from localaws.athena import files_out, frames, plans
from localaws.athena.connection import Connection
from localaws.athena.failures import EXHAUSTED, SYSTEM, USER, QueryFailure
from localaws.athena.lake import Lake
from localaws.athena.query import Engine, Plan

Message = dict[str, Any]


# Beside DuckDB's own memory: Python, sqlglot, and what DuckDB does not count (setrlimit(2), RLIMIT_DATA).
_UNCOUNTED = 2 << 30


def connect(settings: Message) -> Connection:
    """A DuckDB that can reach the files under `roots` and `scratch` and nothing else, and whose settings are final."""
    scratch = settings["scratch"]
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "memory_limit": f"{settings['memory']} bytes",
            "threads": settings["threads"],
            "temp_directory": settings["spilled"],
            "max_temp_directory_size": f"{_spill(settings)} bytes",
            "preserve_insertion_order": True,
            # It computes what two TRY have in common before either of them, where an error is not caught.
            "disabled_optimizers": "common_subexpressions",
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_profiling = 'no_output'")
    connection.execute("SET profiling_coverage = 'ALL'")
    connection.execute(f"SET allowed_directories = [{', '.join(_string(r) for r in [*settings['roots'], scratch])}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return Connection(connection)


def _spill(settings: Message) -> int:
    """Bytes. Half of what is free stays free for others: delivery has to go on."""
    return min(int(settings["spill"]), shutil.disk_usage(settings["spilled"]).free // 2)


def _bound(memory: int) -> None:
    """A worker that takes too much must go, and nothing else: it can't have much more than its `memory`, and where the
    whole machine has too little it is the one that the kernel ends (proc_pid_oom_score_adj(5))."""
    if sys.platform == "linux":
        most = memory + memory // 2 + _UNCOUNTED
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


def _string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Worker:
    """Answers one `run` after the other."""

    def __init__(self, settings: Message, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._outgoing = outgoing
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(incoming,), daemon=True).start()
        _bound(settings["memory"])
        self._engine = Engine(connect(settings), Lake(self._ask))

    def _listen(self, incoming: IO[bytes]) -> None:
        while (message := frames.receive(incoming)) is not None:
            self._messages.put(message)
        os._exit(0)

    def _ask(self, question: Message) -> Message:
        frames.send(self._outgoing, question)
        answer = self._messages.get()
        if "error" in answer:
            raise QueryFailure(f"GENERIC_INTERNAL_ERROR: {answer['error']}", SYSTEM)
        return answer

    def serve(self) -> None:
        frames.send(self._outgoing, {"ready": True})
        while True:
            job = self._messages.get()["run"]
            frames.send(self._outgoing, {"begun": True})
            try:
                frames.send(self._outgoing, {"done": self._run(job)})
            except QueryFailure as e:
                frames.send(self._outgoing, {"failed": {"message": e.message, "category": e.category}})
            except RecursionError:
                told = "SYNTAX_ERROR: statement is too large (stack overflow during analysis)"
                frames.send(self._outgoing, {"failed": {"message": told, "category": USER}})
            except MemoryError:
                frames.send(self._outgoing, {"failed": {"message": EXHAUSTED, "category": USER}})
            except Exception as e:
                told = f"GENERIC_INTERNAL_ERROR: {type(e).__name__}: {e}"
                frames.send(self._outgoing, {"failed": {"message": told, "category": SYSTEM}})

    def _run(self, job: Message) -> Message:
        """`job` has a text to `check`; or sql, database, parameters, and a file as `target` unless only the columns are
        asked for."""
        if "check" in job:
            return {"malformed": self._engine.read.problem(job["check"])}
        plan = self._engine.plan(job["sql"], job["database"], job.get("parameters") or ())
        result = _described(plan)
        if "explain" in job:
            return result | {"lines": plans.lines(plan, self._engine.rows)}
        if "write" in job:
            return result | files_out.write(self._engine, plan, job["sql"], job["write"])
        if "target" in job:
            rows, read = self._engine.run(plan, job["sql"], Path(job["target"]))
            result |= {"bytes": read, "counted": {"OutputRows": rows}}
        return result


def _described(plan: Plan) -> Message:
    columns = [t.column_info(n) for n, t in zip(plan.names, plan.shown, strict=True)]
    return {
        "columns": columns,
        "hive": [t.hive() for t in plan.types],
        "trino": [t.trino() for t in plan.types],
        "planning": plan.seconds,
    }


def main() -> None:
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints may write between the frames
    Worker(json.loads(sys.argv[1]), sys.stdin.buffer, outgoing).serve()


if __name__ == "__main__":
    main()
