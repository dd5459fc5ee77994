"""How each blow is dealt, and how the endpoint gets up again."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from chaos import damage
from chaos.disk import Filling
from chaos.lake import Files
from chaos.plan import Blow, Strike, faults
from chaos.senders import Sender
from clicklake.endpoint import Endpoint
from clicklake.errors import UnreachableError

_FUNCTION, _ATHENA = "localaws/functions/bootstrap.py", "localaws.athena.worker"
_LONGEST_FULL = 1.5


@dataclass
class Ring:
    """Where it happens: one endpoint, its disk and its clients. `kills` counts processes that were killed by a blow's
    own SIGKILLs, the endpoint and its workers; `destroyed` are the acknowledged ids that damage has hit."""

    endpoint: Endpoint
    files: Files
    disk: Filling
    senders: list[Sender]
    faulty: bool = True
    kills: int = 0
    starts: int = 0
    destroyed: set[str] = field(default_factory=set)
    told: str = ""  # what the endpoint's log has said

    def start(self, seed: int) -> None:
        """Start it and let the clients go on. A start may fail while the disk is full; it is free again soon."""
        self.endpoint.variables = {"CLICKLAKE_FAULTS": json.dumps(faults(seed))} if self.faulty else {}
        self.endpoint.start()
        self.starts += 1
        for sender in self.senders:
            sender.open()

    def strike(self, strike: Strike) -> None:
        """Deal the blow; afterwards the endpoint runs and is whole."""
        chance = random.Random(strike.seed)
        time.sleep(strike.quiet)
        match strike.blow:
            case Blow.FUNCTION:
                self._kill_workers(_FUNCTION)
                return
            case Blow.ATHENA:
                self._kill_workers(_ATHENA)
                return
            case Blow.FULL:
                self._kill_when_full(chance)
            case Blow.ALL:
                self._kill_all()
            case _:
                self._kill()
        self._damage(strike, chance)
        if strike.blow is Blow.STARTING:
            self._kill_starting(chance.uniform(0.2, 1.2))
        self.start(strike.seed)

    def rest(self) -> None:
        """A last start, without faults and without new records."""
        self._kill()
        self.close()
        self.faulty = False
        self.endpoint.variables = {}
        self.endpoint.start()

    def close(self) -> None:
        """No record is sent any more, until the next start."""
        for sender in self.senders:
            sender.close()

    def _kill(self) -> None:
        self.endpoint.kill()
        self.kills += 1
        self.listen()

    def _kill_all(self) -> None:
        workers = list(_children(self.endpoint.pid))
        self._kill()
        for pid, _ in workers:
            _kill_process(pid)

    def _kill_workers(self, kind: str) -> None:
        """Those that there are; it does not matter if there are none."""
        found = [pid for pid, command in _children(self.endpoint.pid) if kind in command]
        for pid in found:
            _kill_process(pid)
        self.kills += bool(found)

    def _kill_when_full(self, chance: random.Random) -> None:
        """Full for a while, or to the end; then free again, or only after a start was tried."""
        self.disk.fill(self.endpoint.pid, chance.choice((0, chance.randrange(1 << 16), chance.randrange(1 << 20))))
        time.sleep(chance.uniform(0.1, _LONGEST_FULL))
        if chance.random() < 0.5:
            self.disk.free(self.endpoint.pid)
            time.sleep(chance.uniform(0, 0.5))
        self._kill()
        if chance.random() < 0.3:
            self._kill_starting(chance.uniform(0.2, 3))
        self.disk.free(self.endpoint.pid)

    def _kill_starting(self, after: float) -> None:
        """Start it, and kill it so many seconds later, ready or not."""

        def start() -> None:
            with contextlib.suppress(UnreachableError):
                self.endpoint.start()

        starting = threading.Thread(target=start)
        starting.start()
        time.sleep(after)
        self._kill()
        starting.join()

    def _damage(self, strike: Strike, chance: random.Random) -> None:
        self.close()
        acknowledged = set().union(*(sender.sent.acknowledged for sender in self.senders))
        self.destroyed |= damage.strike(self.files.log, strike.damage, acknowledged, chance)

    def listen(self) -> None:
        """Hear what the endpoint has said: it writes its log anew at each start."""
        with contextlib.suppress(FileNotFoundError):
            self.told += self.endpoint.log.read_text(errors="replace")


def _children(pid: int) -> Iterator[tuple[int, str]]:
    """(pid, command) of the processes that it has started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
    ).stdout
    for line in listed.splitlines():
        number, parent, command = line.split(None, 2)
        if int(parent) == pid:
            yield int(number), command


def _kill_process(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
