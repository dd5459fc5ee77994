"""Producers that are killed, and an endpoint that goes away: `python -m chaos.producer`.

    python -m chaos.producer                    20 kills and 3 outages of each kind
    python -m chaos.producer --kills 3 --outages 1 --seed 7

Two processes at a time track events into one spool. They are killed with SIGKILL, others take their places, and
meanwhile the endpoint is killed and started again, refuses connections, cuts them, loses answers, throttles and fails.
In the end every event for which track() had returned must be in `clickstream_events_unique`, exactly once, and nothing
else. Exit status 0
if that is so.
"""

import argparse
import multiprocessing
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

from chaos.producing import finish, produce
from chaos.proxy import Mode, Proxy
from clicklake import pipeline, query
from clicklake.arrival import look, wait_until_queryable
from clicklake.endpoint import Endpoint
from clicklake.errors import NoError

_AT_ONCE = 2
_PATIENCE = 60.0
_OUTAGES = (None, *(mode for mode in Mode if mode is not Mode.PASS))  # None: the endpoint is killed and started again


class Ring:
    """One endpoint, the proxy before it, and the producers."""

    def __init__(self, folder: Path, seed: int, data_dir: Path | None) -> None:
        self.endpoint = Endpoint(data_dir or folder / "data")
        self.endpoint.variables = {"CLICKLAKE_WARM": "0"}
        self.endpoint.start()
        self.target = self.endpoint.target()
        credentials = self.target.session.get_credentials()
        self.keys = (credentials.access_key, credentials.secret_key)
        self.proxy = Proxy(int(self.endpoint.url.rpartition(":")[2]))
        self.spool, self.accepted = folder / "spool", folder / "accepted"
        self.accepted.mkdir()
        self._seed = seed
        self._started = 0
        # Forked from a server that has imported everything and has no threads: a start costs milliseconds.
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["chaos.producing"])
        self.running: list[BaseProcess] = []

    def start_one(self) -> None:
        self._started += 1
        number = self._started
        arguments = (number, self._seed, self.proxy.url, self.keys, self.spool, self.accepted / f"{number:03}")
        process = self._processes.Process(target=produce, args=arguments, daemon=True)
        process.start()
        self.running.append(process)

    def kill_one(self, chance: random.Random) -> None:
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.kill()
        victim.join()

    def outage(self, mode: Mode | None, seconds: float) -> None:
        if mode is None:
            self.endpoint.kill()
            time.sleep(seconds)
            self.endpoint.start()
            return
        self.proxy.set(mode)
        time.sleep(seconds)
        self.proxy.set(Mode.PASS)

    def ids(self) -> Counter[str]:
        """Of what was accepted."""
        return Counter(line for path in self.accepted.iterdir() for line in path.read_text().split())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos.producer", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--outages", type=int, default=3, help="of each kind; default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="an outage lasts up to so long; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=20261123, help="default: %(default)s")
    parser.add_argument("--data-dir", type=Path, help="an endpoint's, with its stack; default: a new one")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="clicklake-producer-"))
    ring = Ring(folder, arguments.seed, arguments.data_dir)
    try:
        landmark = look(ring.target, pipeline.load(), pipeline.load().names().delivery_stream)
        _fight(ring, arguments)
        ring.proxy.set(Mode.PASS)
        if not finish(ring.proxy.url, ring.keys, ring.spool, _PATIENCE):
            print("the spool was not sent in time")
            return 1
        accepted = ring.ids()
        # What was sent twice is two records: as many as there are ids may be there before the last id is.
        wait_until_queryable(ring.target, pipeline.load(), landmark, len(accepted), 2 * len(accepted))
        balances = _reckon(ring, accepted)
    except NoError as e:
        print(e)
        return 1
    finally:
        for process in ring.running:
            process.kill()
        ring.proxy.close()
        ring.endpoint.end()
    if balances:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if balances else 1


def _fight(ring: Ring, arguments: argparse.Namespace) -> None:
    """Kills and outages at the same time, each at moments of its own; in the end none is alive."""
    chance = random.Random(arguments.seed)
    outages = [mode for mode in _OUTAGES for _ in range(arguments.outages)]
    chance.shuffle(outages)
    lengths = [chance.uniform(0.1, arguments.seconds) for _ in outages]
    moods = threading.Thread(target=_outages, args=(ring, outages, lengths), daemon=True)
    for _ in range(_AT_ONCE):
        ring.start_one()
    moods.start()
    for number in range(1, arguments.kills + 1):
        if number + _AT_ONCE > arguments.kills:
            moods.join()  # the last ones live to see every outage
        time.sleep(chance.uniform(0.1, arguments.seconds))
        ring.kill_one(chance)
        print(f"kill {number:3}  {len(ring.ids()):8,} accepted", flush=True)
        if number + _AT_ONCE <= arguments.kills:
            ring.start_one()


def _outages(ring: Ring, outages: list[Mode | None], lengths: list[float]) -> None:
    for mode, seconds in zip(outages, lengths, strict=True):
        time.sleep(seconds / 2)
        print(f"for {seconds:.1f} s: {mode.value if mode else 'the endpoint is killed'}", flush=True)
        ring.outage(mode, seconds)


def _reckon(ring: Ring, accepted: Counter[str]) -> bool:
    names = pipeline.load().names()

    def ask(what: str, table: str) -> query.Result:
        sql = f"SELECT {what} FROM {names.database}.{table} WHERE app_id = 'producer'"
        return query.run(ring.target, sql, names.workgroup, names.database)

    found = Counter(str(row[0]) for row in ask("event_id", names.unique_view).rows)
    stored = int(ask("count(*)", pipeline.load().tables.events.name).rows[0][0] or 0)
    lost = accepted.keys() - found.keys()
    twice = {event_id for event_id, count in found.items() if count > 1}
    # A process may be killed when track() has kept an event and not returned yet: one each at most.
    unknown = found.keys() - accepted.keys()
    stray = {e for e, n in Counter(event_id.rpartition("-")[0] for event_id in unknown).items() if n > 1}
    print(f"{len(accepted):,} accepted, {len(found):,} in {names.unique_view}, {stored:,} rows stored")
    for what, which in (("lost", lost), ("twice", twice), ("more than track() can have kept", stray)):
        print(f"{what}: {len(which)} {sorted(which)[:10] if which else ''}")
    return not lost and not twice and not stray and bool(accepted)


if __name__ == "__main__":
    sys.exit(main())
