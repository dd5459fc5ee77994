"""`python -m clicklake.score`: send traffic whose truth is known to an endpoint of its own, and score what comes out.

Exit code 1 if a score is below its floor. With --write the page docs/quality.md gets the numbers of this run.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from clicklake import pipeline, query
from clicklake.endpoint import Endpoint
from clicklake.errors import ClicklakeError, NoError
from clicklake.score import page
from clicklake.score.counts import Shares, score
from clicklake.score.deliveries import Delivery, Lake, buffered, live
from clicklake.score.found import ask
from clicklake.score.scores import SECTIONS, below, table
from clicklake.terminal import Progress, Terminal

SHORT = {"hours": 1.5, "rate": 0.3, "seconds": 3.0, "live_rate": 600.0}
PAGE = Path("docs/quality.md")
FULL = {"hours": 24.0, "rate": 0.5, "seconds": 60.0, "live_rate": 200.0}


def main(argv: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m clicklake.score", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--short", action="store_true", help="a twentieth of the traffic, held to the same floors")
    options.add_argument("--seed", type=int, default=1, metavar="N", help="other traffic (default: %(default)s)")
    where = f"put the numbers into a page (default: {PAGE})"
    options.add_argument("--write", type=Path, nargs="?", const=PAGE, metavar="FILE", help=where)
    options.add_argument("--json", action="store_true", help="one JSON object: each score, its numbers and its floor")
    chosen = options.parse_args(argv)
    screen = Terminal(sys.stderr)
    try:
        runs = run(screen, chosen.seed, **(SHORT if chosen.short else FULL))
        _show(runs, as_json=chosen.json)
        if chosen.write:
            page.write(chosen.write, runs, chosen.seed)
        failing = [text for name, shares in runs.items() for text in below(name, shares)]
        if failing:
            raise NoError("; ".join(failing))
    except ClicklakeError as error:
        print(f"score: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(
    screen: Terminal, seed: int, *, hours: float, rate: float, seconds: float, live_rate: float
) -> dict[str, Shares]:
    """The scores of both ways of delivery, by its name."""
    folder = Path(tempfile.mkdtemp(prefix="clicklake-score-"))
    endpoint = Endpoint(folder / "data")
    try:
        endpoint.start()
        pipe = pipeline.load(pipeline.FILE)
        lake = Lake(endpoint.target(), pipe, pipe.names())
        progress = Progress(screen, "five minutes an object  ", int(3600 * hours * rate))
        first = buffered(lake, seed, hours, rate, progress)
        progress.close()
        scored = {"buffered": _scored(lake, first)}
        screen.line(f"live, for {seconds:.0f} s")
        second = _scored(lake, live(lake, seed + 1, seconds, live_rate))
        del second["sessions"]  # the saved query counts those of both
        return scored | {"live": second}
    finally:
        endpoint.end()
        shutil.rmtree(folder, ignore_errors=True)


def _scored(lake: Lake, delivery: Delivery) -> Shares:
    def athena(sql: str) -> query.Result:
        return query.run(lake.target, sql, lake.names.workgroup, lake.names.database)

    return score(delivery.told, ask(athena, lake.pipeline, lake.names, delivery.days))


def _show(runs: dict[str, Shares], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({name: {key: [s.right, s.of] for key, s in shares.items()} for name, shares in runs.items()}))
        return
    for section, scores in SECTIONS.items():
        print(f"{section:<70} {'five minutes':>25}  {'one second':>25}")
        for line in table(runs, tuple(each.name for each in scores)):
            print(line)


if __name__ == "__main__":
    sys.exit(main())
