"""Collectors that are killed while browsers send to them: `python -m chaos.collector`.

    python -m chaos.collector                    20 kills of the collector, 6 of the endpoint
    python -m chaos.collector --kills 3 --endpoint-kills 1 --browsers 12 --seed 7

Browsers send through several dialects to `clicklake collector` and to the endpoint's own /collect, and send again what
was not answered with success. Both processes are killed with SIGKILL and started again; before every third kill the
collector's disk is full for a while. In the end every event that was answered for must be in
`clickstream_events_unique`, every id once, nothing else, and no record may have failed. Exit status 0 if that is so.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from chaos.browsing import Crowd
from chaos.disk import Limit
from clicklake import pipeline, query
from clicklake.arrival import Arrived, look, wait_until_queryable
from clicklake.endpoint import Endpoint
from clicklake.errors import NoError
from clicklake.producer import segments

_PATIENCE = 60.0


class Collector:
    """`clicklake collector` on its own spool and port, which it keeps."""

    def __init__(self, folder: Path, endpoint: Endpoint) -> None:
        credentials = endpoint.target().session.get_credentials()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLICKLAKE_"))}
        keys = {"AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key}
        self._environment = kept | keys | {"AWS_REGION": "us-east-1"}
        self._words = ["--endpoint-url", endpoint.url, "--spool", str(folder / "spool")]
        self.folder = folder
        self._log = folder / "collector.log"
        self._port = "0"
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clicklake", "collector", "--port", self._port, *self._words],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
            )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        if " collects at " not in ready:
            raise NoError(f"the collector did not start: {self._log.read_text()}")
        self._port = ready.split()[3].rpartition(":")[2]

    def kill(self) -> None:
        if self.process is not None:
            assert self.process.stdout is not None
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos.collector", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of the collector; default: %(default)s")
    parser.add_argument("--endpoint-kills", type=int, default=6, help="default: %(default)s")
    parser.add_argument("--browsers", type=int, default=50, help="at a time; default: %(default)s")
    parser.add_argument("--pause", type=float, default=0.2, help="of a browser, in seconds; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=2.0, help="between two kills, at most; default: %(default)s")
    parser.add_argument("--seed", type=int, default=20261123, help="default: %(default)s")
    parser.add_argument("--data-dir", type=Path, help="an endpoint's, with its stack; default: a new one")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="clicklake-collector-"))
    (folder / "collector").mkdir()
    disk = Limit()
    endpoint = Endpoint(arguments.data_dir or folder / "data", "--buffer-interval", "1")
    endpoint.variables = {"CLICKLAKE_WARM": "0"}
    endpoint.start()
    collector = Collector(folder / "collector", endpoint)
    try:
        balances = _run(collector, endpoint, disk, arguments)
    except NoError as e:
        print(e)
        return 1
    finally:
        collector.kill()
        endpoint.end()
    if balances:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if balances else 1


def _run(collector: Collector, endpoint: Endpoint, disk: Limit, arguments: argparse.Namespace) -> bool:
    described = pipeline.load()
    landmark = look(endpoint.target(), described, described.names().delivery_stream)
    collector.start()
    crowd = Crowd([collector.url, collector.url, f"{endpoint.url}/collect"], arguments.seed, arguments.pause)
    crowd.start(arguments.browsers)
    _fight(collector, endpoint, disk, crowd, arguments)
    if not crowd.stop(_PATIENCE):
        print("not all browsers were answered in time")
        return False
    spools = (collector.folder, endpoint.data_dir / "collector")
    if not _sent(spools):
        print("the spools were not sent in time")
        return False
    arrived = wait_until_queryable(endpoint.target(), described, landmark, len(crowd.taken), 10**9)
    return _reckon(endpoint, crowd, arrived)


def _fight(collector: Collector, endpoint: Endpoint, disk: Limit, crowd: Crowd, arguments: argparse.Namespace) -> None:
    """Each is killed at moments of its own."""
    chance = random.Random(arguments.seed)
    pauses = [chance.uniform(0.1, arguments.seconds * 2) for _ in range(arguments.endpoint_kills)]
    other = threading.Thread(target=_endpoint_kills, args=(endpoint, pauses), daemon=True)
    other.start()
    for number in range(1, arguments.kills + 1):
        time.sleep(chance.uniform(0.1, arguments.seconds))
        if number % 3 == 2:
            assert collector.process is not None
            disk.fill(collector.process.pid, 8192)
            time.sleep(chance.uniform(0.1, 0.5))
        collector.kill()
        print(f"kill {number:3}  {len(crowd.taken):8,} answered for", flush=True)
        collector.start()
    other.join()
    time.sleep(arguments.seconds / 2)


def _endpoint_kills(endpoint: Endpoint, pauses: list[float]) -> None:
    for pause in pauses:
        time.sleep(pause)
        endpoint.kill()
        print("the endpoint is killed", flush=True)
        time.sleep(pause / 4)
        endpoint.start()


def _sent(folders: tuple[Path, ...]) -> bool:
    """Until nothing waits in the spools, twice in a row: a log may be handed from one producer to the next."""
    deadline = time.monotonic() + _PATIENCE
    quiet = 0
    while quiet < 2:
        quiet = 0 if any(_is_left(path) for folder in folders for path in folder.rglob("*.spool")) else quiet + 1
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _is_left(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    return segments.acknowledged(data[: segments.HEADER_BYTES]) < len(data)


def _reckon(endpoint: Endpoint, crowd: Crowd, arrived: Arrived) -> bool:
    names = pipeline.load().names()

    def ask(what: str, table: str) -> query.Result:
        return query.run(
            endpoint.target(), f"SELECT {what} FROM {names.database}.{table}", names.workgroup, names.database
        )

    found = Counter(str(row[0]) for row in ask("event_id", names.unique_view).rows)
    stored = int(ask("count(*)", pipeline.load().tables.events.name).rows[0][0] or 0)
    lost, unknown = crowd.taken - found.keys(), found.keys() - crowd.sent
    twice = {event_id for event_id, count in found.items() if count > 1}
    print(f"{len(crowd.taken):,} answered for, {len(found):,} in {names.unique_view}, {stored:,} rows stored")
    print(f"{crowd.again:,} requests were sent again; {arrived}; {stored - len(found):,} repeats of other objects")
    for what, which in (("lost", lost), ("twice", twice), ("that nobody sent", unknown)):
        print(f"{what}: {len(which)} {sorted(which)[:10] if which else ''}")
    accounted = arrived.good == stored and not arrived.failed
    return not lost and not twice and not unknown and accounted and bool(crowd.taken)


if __name__ == "__main__":
    sys.exit(main())
