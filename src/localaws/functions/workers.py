"""Worker processes: the execution environments of a function.

A worker has its own Runtime API, scratch directory and log stream, runs one invocation at a time and stays warm for
the next. It leads its own process group and dies with the endpoint (bootstrap.py, `die_with_parent`). Its environment
is made from nothing: what the endpoint's own process has in its environment never reaches a function.

Code that is declared for arm64 or another Python runs on this interpreter: the first line of the log says which one it
is. What is installed beside it is not there for a function, but for boto3 (sdk.py).

Memory is watched, as the kernel would on AWS: a process whose peak was beyond its limit is killed, and its invocation
fails, even if it has answered. On Linux no file can become larger than the ephemeral storage (EFBIG; AWS: ENOSPC when
all of /tmp is full); elsewhere that has no limit. A function that names /tmp itself, rather than asking for the
temporary directory, finds this machine's.
"""

import contextlib
import json
import os
import platform
import queue
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from localaws.functions.bounds import WATCH_SECONDS, limit, memory_mb
from localaws.functions.log import FunctionLog, Measured, end_lines, exit_line, start_line, timeout_line
from localaws.functions.runtime_api import Invocation, Report, RuntimeApi, Said
from localaws.functions.spec import Spec, environment

# -B: nothing is written beside the code, as on AWS, where /var/task is read-only. A compiled module that a full disk
# cut off (CPython's gh-126606), or that was never fsynced, would have the function fail ever after.
BOOTSTRAP = (sys.executable, "-S", "-P", "-B", str(Path(__file__).with_name("bootstrap.py")))

# AWS gives a cold start 10 s before the function's own timeout begins to count
# (docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Init phase").
_INIT_SECONDS = 10.0
_FLUSH_SECONDS = 1.0
# As much of its output is read at once; a process that prints without end must not hold whoever reads it.
_PIECE, _MOST_PIECES = 1 << 16, 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. With `failed`, `payload` is the error document; `log_tail` is the end of its log,
    `duration` in seconds and without the cold start, `version` the one that ran, or empty if none did. `system_error`:
    what failed was not the function. This endpoint answered a call of its with 5xx, for a full disk perhaps, or
    somebody else killed its process."""

    payload: bytes
    failed: bool
    log_tail: bytes = b""
    duration: float = 0.0
    version: str = ""
    system_error: bool = False


class EndedIdleError(Exception):
    """A warm process has ended since its last invocation: another one can run this."""


class Worker:
    """One process. `run` is called by one thread at a time; `stop` by any. `failures()` is how many of its calls this
    endpoint has failed."""

    def __init__(
        self,
        spec: Spec,
        scratch: Path,
        stream: str,
        log: Callable[[list[str]], None],
        clock: Callable[[], float],
        command: Sequence[str] = BOOTSTRAP,
        failures: Callable[[], int] = lambda: 0,
    ) -> None:
        self.spec = spec
        self._failures = failures
        self._killed = False
        self.idle_since = clock()
        self._born = time.monotonic()  # durations and waits: a laptop that slept has not used up a timeout
        self._clock = clock
        self._scratch = scratch
        self._cold = True
        self._peak = 0
        self._stopped = threading.Event()
        self._api = RuntimeApi()
        self._log = FunctionLog(log)
        self._log.begin(f"INIT_START Runtime Version: python:{platform.python_version()} (for {spec.runtime})")
        self._reading = threading.Lock()
        self._ended = False
        self._output, self._process = self._start(command, environment(spec, scratch, stream, self._api.address))
        limit(self._process.pid, spec.storage)
        threading.Thread(target=self._read_output, name=f"output of {spec.function}", daemon=True).start()
        threading.Thread(target=self._wait, name=f"exit of {spec.function}", daemon=True).start()

    def _start(self, command: Sequence[str], variables: Mapping[str, str]) -> tuple[int, subprocess.Popen[bytes]]:
        """The end of a pipe that its output comes from, and the process."""
        output, its = os.pipe()
        os.set_blocking(output, False)
        try:
            self._scratch.mkdir(parents=True)
            process = subprocess.Popen(
                [*command, self.spec.handler],
                stdin=subprocess.PIPE,
                stdout=its,
                stderr=its,
                cwd=self.spec.code,
                env=variables,
                start_new_session=True,
            )
        except OSError:
            self._api.close()
            os.close(output)
            raise
        finally:
            os.close(its)
        return output, process

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and not self._stopped.is_set()

    def run(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end, whatever that is. Afterwards the worker is `alive`, or of no more use.
        EndedIdleError if the process ended before it got the invocation, though it had run others."""
        report, is_warm = self._wait_for(_INIT_SECONDS + self.spec.timeout), not self._cold
        if is_warm and report is not None and report.said is Said.EXIT:
            raise EndedIdleError
        init = time.monotonic() - self._born if self._cold else 0.0
        self._cold = False
        self._drain()
        self._log.line(start_line(invocation.id, self.spec.version))
        begun, failures = time.monotonic(), self._failures()
        if report is not None and report.said is Said.READY:
            self._api.offer(invocation, self._clock() + self.spec.timeout)
            report = self._wait_for(self.spec.timeout)
            if is_warm and report is not None and report.said is Said.EXIT and not self._api.taken:
                raise EndedIdleError  # it was ready, and nobody had noticed yet
        duration = time.monotonic() - begun
        report = self._killed_for_memory(report)
        outcome, status = self._conclude(invocation.id, report)
        self._drain()
        self._log.end_line()
        if report is not None and report.said is Said.EXIT:
            self._log.line(exit_line(outcome.payload))
        measured = Measured(duration, init, self.spec.memory, self._peak, status)
        for line in end_lines(invocation.id, measured):
            self._log.line(line)
        self._log.flush()
        self.idle_since = self._clock()
        failed = outcome.system_error or (outcome.failed and self._failures() > failures)
        tail = self._log.take_tail()
        return replace(outcome, log_tail=tail, duration=duration, version=self.spec.version, system_error=failed)

    def stop(self) -> None:
        """Kill the process and what it started, at once."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._kill()
        self._api.close()

    def _wait_for(self, seconds: float) -> Report | None:
        """The worker's next report, or None after `seconds`. Meanwhile its memory is watched and its log goes out."""
        flushed = begun = time.monotonic()
        while (left := begun + seconds - time.monotonic()) > 0:
            try:
                return self._api.reports.get(timeout=min(left, WATCH_SECONDS))
            except queue.Empty:
                self._note_memory()
            if self._peak > self.spec.memory:
                self._kill()
            if time.monotonic() - flushed > _FLUSH_SECONDS:
                self._log.flush()
                flushed = time.monotonic()
        return None

    def _killed_for_memory(self, report: Report | None) -> Report | None:
        """The report, unless the process took more than its memory, if only for a moment."""
        self._note_memory()
        if self._peak <= self.spec.memory or report is None or report.said is Said.EXIT:
            return report
        self._kill()
        return Report(Said.EXIT)

    def _conclude(self, request_id: str, report: Report | None) -> tuple[Outcome, str]:
        """How it ended, and what REPORT says of that."""
        if report is None:
            self._log.line(timeout_line(self._clock(), request_id, self.spec.timeout))
            self.stop()
            text = f"Task timed out after {self.spec.timeout:.2f} seconds"
            return _failure(request_id, "Sandbox.Timedout", text), "timeout"
        if report.said is Said.EXIT:
            by_others = not self._killed and self._process.wait() == -signal.SIGKILL
            self.stop()
            failure = _failure(request_id, "Runtime.ExitError", _exit_text(self._process.wait()))
            return replace(failure, system_error=by_others), "error\tError Type: Runtime.ExitError"
        if report.said is Said.INIT_ERROR:
            self.stop()
        return Outcome(report.payload, report.said is not Said.RESPONSE), ""

    def _kill(self) -> None:
        self._killed = True
        if self._process.returncode is None:  # else its number may be somebody else's by now
            _kill_group(self._process.pid)

    def _wait(self) -> None:
        self._process.wait()
        _kill_group(self._process.pid)  # what it started and left behind
        self._drain()
        self._log.flush()
        self._api.reports.put(Report(Said.EXIT))
        if self._process.stdin is not None:
            self._process.stdin.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _read_output(self) -> None:
        waiting = select.poll()
        waiting.register(self._output, select.POLLIN | select.POLLHUP)
        while True:
            waiting.poll()
            if not self._drain():
                break
        with self._reading:  # the only place that closes it, so nobody reads a number that has become another file's
            self._ended = True
            os.close(self._output)

    def _drain(self) -> bool:
        """Take what the process has printed until now. False at the end of its output."""
        with self._reading:
            for _ in range(_MOST_PIECES):
                if self._ended:
                    return False
                try:
                    data = os.read(self._output, _PIECE)
                except BlockingIOError:
                    return True
                if not data:
                    return False
                self._log.feed(data)
            return True

    def _note_memory(self) -> None:
        self._peak = max(self._peak, memory_mb(self._process.pid))


def _kill_group(leader: int) -> None:
    # Gone already is fine, and macOS says EPERM for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _failure(request_id: str, kind: str, text: str) -> Outcome:
    document = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {text}"}
    return Outcome(json.dumps(document).encode(), True)


def _exit_text(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    how = f"exit status {status}" if status > 0 else f"signal: {signal.strsignal(-status)}".lower()
    return f"Runtime exited with error: {how}"
