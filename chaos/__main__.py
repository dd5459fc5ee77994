"""`python -m chaos`: exit status 0 if everything adds up, 1 if not."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from chaos import disk, plan, reckoning
from chaos.blows import Ring
from chaos.lake import Files, Lake
from chaos.senders import Sender, Sent
from clicklake import pipeline, query
from clicklake.endpoint import Endpoint
from clicklake.pipeline import Names, Pipeline
from clicklake.terminal import Terminal

_CLIENTS = {"once": (False, False), "retrying": (True, True), "both": (False, True)}
_PATIENCE = 120.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="so many kills at least (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=20261123, help="decides which blow falls when (default: %(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, default=15, help="no further blow after so long (default: %(default)s)"
    )
    parser.add_argument(
        "--clients", choices=_CLIENTS, default="both", help="do they send what was not acknowledged again?"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="an empty directory, kept; default: a temporary one, kept on failure"
    )
    arguments = parser.parse_args()
    folder = arguments.data_dir or Path(tempfile.mkdtemp(prefix="clicklake-chaos-"))
    balances = _run(Terminal(sys.stdout), folder, arguments)
    if balances and arguments.data_dir is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if balances else 1


def _run(screen: Terminal, folder: Path, arguments: argparse.Namespace) -> bool:
    began = time.monotonic()
    data_dir = folder / "data"
    data_dir.mkdir(parents=True)
    filling, endpoint = disk.small(data_dir), Endpoint(data_dir)
    described = pipeline.load(pipeline.FILE)
    names = described.names()
    try:
        endpoint.start()
        senders = [
            Sender(number, arguments.seed, endpoint.target(), names.delivery_stream, retries=retries)
            for number, retries in enumerate(_CLIENTS[arguments.clients])
        ]
        for sender in senders:
            sender.start()
        ring = Ring(endpoint, Files(data_dir, described, names), filling, senders)
        screen.line(f"chaos: seed {arguments.seed}, {arguments.kills} kills, {filling.what}, in {folder}", "bold")
        _fight(screen, ring, arguments, began)
        balances = _reckon(screen, ring, described, names)
        screen.line(f"{time.monotonic() - began:.0f} s")
        if not balances and arguments.data_dir is None:
            shutil.copytree(data_dir, folder / "kept")
        return balances
    finally:
        endpoint.end()
        filling.close()


def _fight(screen: Terminal, ring: Ring, arguments: argparse.Namespace, began: float) -> None:
    strikes = plan.strikes(arguments.seed, arguments.kills)
    ring.endpoint.kill()
    ring.start(arguments.seed)
    for number, strike in enumerate(strikes, start=1):
        if time.monotonic() - began > arguments.minutes * 60:
            screen.line(f"the time is up after {number - 1} of {len(strikes)} blows", "yellow")
            break
        ring.strike(strike)
        acknowledged = sum(len(sender.sent.acknowledged) for sender in ring.senders)
        suffered = f"; the log: {strike.damage}" if strike.damage is not plan.Damage.NONE else ""
        screen.line(
            f"{number:4} {time.monotonic() - began:5.0f} s  {acknowledged:9,} acknowledged  {strike.blow}{suffered}"
        )
    for sender in ring.senders:
        sender.stop()
    ring.rest()


def _reckon(screen: Terminal, ring: Ring, described: Pipeline, names: Names) -> bool:
    """Wait until nothing is under way, then compare."""
    files, deadline = ring.files, time.monotonic() + _PATIENCE
    while (files.waiting() or files.unledgered()) and time.monotonic() < deadline:
        time.sleep(0.2)
    sent = Sent()
    for sender in ring.senders:
        sent |= sender.sent
    ring.listen()
    lake = files.lake()
    screen.lines(_summary(ring, sent, lake))
    found = list(reckoning.wrongs(sent, ring.destroyed, ring.told, lake))
    target = ring.endpoint.target()
    ask = lambda sql: query.run(target, sql, names.workgroup, names.database)  # noqa: E731
    found += reckoning.through_athena(ask, described, names, lake)
    for wrong in found:
        if wrong.which:
            screen.lines(reckoning.lines(wrong, files))
    balances = not any(wrong.which for wrong in found)
    screen.line("It balances." if balances else "It does not balance.", "green" if balances else "red")
    return balances


def _summary(ring: Ring, sent: Sent, lake: Lake) -> Iterator[str]:
    acknowledged = len(sent.acknowledged)
    yield f"{ring.kills} kills, {ring.starts} starts, {len(lake.ledger):,} raw objects"
    yield f"sent {len(sent.events):,} events and {len(sent.malformed):,} malformed; {acknowledged:,} were acknowledged"
    yield f"there are {lake.events.total():,} events and {lake.failed.total():,} failed records"
    yield f"damaged on purpose: {len(ring.destroyed):,} acknowledged; {len(lake.set_aside):,} segments were set aside"


sys.exit(main())
