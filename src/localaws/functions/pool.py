"""The workers of one function: started when needed, reused while warm, at most `limit` busy at once.

Unlike AWS, where a thousand may run, an invocation waits here when `limit` workers are busy. Only one that a function
made does not: that function may be what keeps a worker busy until it is answered.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from localaws.errors import AwsError
from localaws.functions.runtime_api import Invocation
from localaws.functions.spec import Spec
from localaws.functions.workers import EndedIdleError, Outcome, Worker

# So many invocations made by functions run at once beyond the limit; the recursion guard stops them long before.
_MOST_NESTED = 64


class Pool:
    """Waiting invocations run in their order, each on a thread of the pool."""

    def __init__(self, function: str, limit: int, start: Callable[[Spec], Worker], clock: Callable[[], float]) -> None:
        self._start = start
        self._clock = clock
        self._threads = ThreadPoolExecutor(limit, f"invoke {function}")
        self._nested = ThreadPoolExecutor(_MOST_NESTED, f"invoke nested {function}")
        self._changing = threading.Lock()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._current: frozenset[str] = frozenset()
        self._stopped = False
        self.in_flight = 0

    def submit(self, spec: Callable[[], Spec], invocation: Invocation, nested: bool) -> Future[Outcome]:
        """Run it when its turn comes, at once if it is `nested`. `spec` is asked for only then, so what waits runs on
        the newest code."""
        with self._changing:
            if self._stopped:
                raise _stopping()
            threads = self._nested if nested else self._threads
            future = threads.submit(self._run, spec, invocation)
            self.in_flight += 1
        future.add_done_callback(self._landed)
        return future

    def keep(self, revisions: frozenset[str]) -> None:
        """Only workers of these revisions are used from now on; others finish what they do, and then stop."""
        with self._changing:
            self._current = revisions
            stale = [w for w in self._idle if w.spec.revision not in revisions]
        self._stop(stale)

    def reap(self, idle_seconds: float) -> None:
        """Stop the workers that were idle for so long."""
        with self._changing:
            old = [w for w in self._idle if self._clock() - w.idle_since > idle_seconds]
        self._stop(old)

    def stop(self) -> None:
        """Kill every worker; the invocations that run end as Runtime.ExitError, those that wait are refused."""
        with self._changing:
            self._stopped = True
            workers = list(self._all)
        for threads in (self._threads, self._nested):
            threads.shutdown(wait=False)
        self._stop(workers)

    def _landed(self, _: Future[Outcome]) -> None:
        with self._changing:
            self.in_flight -= 1

    def _run(self, spec: Callable[[], Spec], invocation: Invocation) -> Outcome:
        while True:
            worker = self._take(spec())  # first: a function that is gone is not found, rather than stopping
            try:
                return worker.run(invocation)
            except EndedIdleError:
                worker.stop()
            except BaseException:
                worker.stop()
                raise
            finally:
                self._give_back(worker)

    def _take(self, spec: Spec) -> Worker:
        with self._changing:
            if self._stopped:
                raise _stopping()
            ended = [w for w in self._idle if not w.alive]
            usable = [w for w in self._idle if w.alive and w.spec.revision == spec.revision]
            if usable:
                self._idle.remove(usable[0])
        self._stop(ended)  # the processes are gone, but not their listeners
        if usable:
            return usable[0]
        worker = self._start(spec)
        with self._changing:
            if not self._stopped:
                self._all.add(worker)
                return worker
        worker.stop()
        raise _stopping()

    def _give_back(self, worker: Worker) -> None:
        with self._changing:
            usable = worker.alive and worker.spec.revision in self._current and not self._stopped
            if usable:
                self._idle.append(worker)
        if not usable:
            self._stop([worker])

    def _stop(self, workers: list[Worker]) -> None:
        with self._changing:
            self._idle = [w for w in self._idle if w not in workers]
            self._all.difference_update(workers)
        for worker in workers:
            worker.stop()


def _stopping() -> AwsError:
    return AwsError("ServiceException", "The function's workers are being stopped", 500, Type="Service")
