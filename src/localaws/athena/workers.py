"""The pool of worker processes, seen from the endpoint.

A worker runs one query at a time and asks its questions meanwhile. It starts before it is needed, is killed when its
query is stopped, and is replaced when it ends; a crash fails the query it was running and nothing else. Each has a
directory of its own for what it spills, which goes with it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localaws.athena import frames
from localaws.athena.failures import SYSTEM, QueryFailure
from localaws.athena.limits import Limits

Message = dict[str, Any]
Answer = Callable[[Message], Message]

_PATIENCE = 10.0  # seconds that a text may take to be read before it is run unread


class Stopped(Exception):  # noqa: N818 - not an error: it was asked for
    """The query was stopped while it ran."""


class Pool:
    """At most `limits.queries` worker processes. `answer` takes a worker's question; `roots` are the directories that
    it may read, and `scratch` the one in which it writes."""

    def __init__(self, roots: list[Path], scratch: Path, limits: Limits, answer: Answer) -> None:
        self._settings = {
            "roots": [str(r) for r in roots],
            "scratch": str(scratch),
            "memory": limits.memory,
            "spill": limits.spill,
            "threads": limits.threads,
        }
        self._answer = answer
        self._free = threading.Semaphore(limits.queries)
        self._idle: list[_Process] = []
        self._running: dict[str, _Process] = {}
        self._changing = threading.Lock()
        self._asking = threading.Lock()
        self._closed = False

    def warm(self) -> None:
        """Start one worker, if none is there, and wait until it has loaded."""
        with self._changing:
            if self._idle or self._running or self._closed:
                return
            process = _Process(self._settings)
            self._idle.append(process)

    def run(self, key: str, job: Message, begin: Callable[[], bool]) -> Message:
        """The worker's result. Waits for a free one and then asks `begin` whether the query is still wanted; from there
        on `stop` reaches it. Raises QueryFailure, or Stopped."""
        with self._free:
            found = self._attempt(key, job, begin)
            # One that died while it was idle has not looked at the query yet: another may have it.
            if found is None:
                found = self._attempt(key, job, lambda: True, again=False)
            assert found is not None
            return found

    def _attempt(self, key: str, job: Message, begin: Callable[[], bool], again: bool = True) -> Message | None:
        """The worker's result; None if the worker turned out to be dead and `again` allows another try."""
        process = self._take(key)
        try:
            if not begin():
                raise Stopped
            return process.run(job, self._answer)
        except EOFError as e:
            if process.stopped:
                raise Stopped from e
            if again and not process.heard:
                return None
            raise QueryFailure("GENERIC_INTERNAL_ERROR: the query's worker ended unexpectedly", SYSTEM) from e
        finally:
            self._give_back(key, process)

    def check(self, sql: str) -> str:
        """What a worker says against the text of a query, "" if nothing. It is asked of one that is idle, or where all
        are running of one more, which is kept: nobody waits for a query to end. One text at a time."""
        with self._asking:
            try:
                process = self._take("")
            except Stopped:
                return ""
            impatient = threading.Timer(_PATIENCE, process.kill)
            impatient.start()
            try:
                return str(process.run({"check": sql}, self._answer)["malformed"])
            except (EOFError, QueryFailure):
                return ""  # the one that runs it will find out
            finally:
                impatient.cancel()
                self._give_back("", process)

    def stop(self, key: str) -> None:
        """Kill the worker that runs this query, if one does."""
        with self._changing:
            process = self._running.get(key)
            if process is not None:
                process.kill()

    def close(self) -> None:
        with self._changing:
            self._closed = True
            every = [*self._idle, *self._running.values()]
            self._idle.clear()
        for process in every:
            process.kill()
        for process in every:
            process.clear()

    def _take(self, key: str) -> "_Process":
        with self._changing:
            if self._closed:
                raise Stopped
            while self._idle:
                process = self._idle.pop()
                if process.alive():
                    break
                process.clear()
            else:
                process = _Process(self._settings)
            self._running[key] = process
            return process

    def _give_back(self, key: str, process: "_Process") -> None:
        with self._changing:
            self._running.pop(key, None)
            if not self._closed and process.alive() and not process.stopped:  # one that is stopped is dying
                self._idle.append(process)
                return
            process.kill()
            process.clear()
            if not self._closed and not self._idle:  # the next query shall find one that has loaded
                self._idle.append(_Process(self._settings))


class _Process:
    def __init__(self, settings: Message) -> None:
        self._spilled = Path(tempfile.mkdtemp(prefix="spill-", dir=settings["scratch"]))
        settings = settings | {"spilled": str(self._spilled)}
        command = [sys.executable, "-m", "localaws.athena.worker", json.dumps(settings)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for its parent alone
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self.stopped = False
        self.heard = False  # has it said anything of the query it runs?

    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self.stopped = True
        self._process.kill()

    def clear(self) -> None:
        """Of one that is dead or dying: it leaves nothing."""
        self._process.wait()
        shutil.rmtree(self._spilled, ignore_errors=True)

    def run(self, job: Message, answer: Answer) -> Message:
        """One job; EOFError if the process ends before it has answered."""
        self.heard = False
        try:
            frames.send(self._to, {"run": job})
            while True:
                message = frames.receive(self._from)
                if message is None:
                    self._process.wait()
                    raise EOFError
                self.heard = self.heard or "ready" not in message
                if "ask" in message:
                    frames.send(self._to, _answered(answer, message))
                elif "done" in message:
                    done: Message = message["done"]
                    return done
                elif "failed" in message:
                    raise QueryFailure(message["failed"]["message"], message["failed"]["category"])
        except (BrokenPipeError, ConnectionError) as e:
            raise EOFError from e


def _answered(answer: Answer, question: Message) -> Message:
    try:
        return answer(question)
    except Exception as e:
        return {"error": str(e)}
