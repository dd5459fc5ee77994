"""docs/quality.md: the numbers of a run, between two marks; what stands around them is written by hand."""

from collections.abc import Iterator
from pathlib import Path

from clicklake import __version__
from clicklake.errors import UsageError
from clicklake.score.counts import Shares
from clicklake.score.scores import SECTIONS, Score, numbers, percent

BEGIN, END = "<!-- numbers: make score OPTIONS=--write -->", "<!-- end of numbers -->"
_CHANNEL = "channel found: "


def write(file: Path, runs: dict[str, Shares], seed: int) -> None:
    """Put the numbers into the page. Raises UsageError if it has no place for them."""
    try:
        text = file.read_text()
    except OSError as e:
        raise UsageError(f"{file} can't be read ({e.strerror})", "run it in a checkout: docs/quality.md") from e
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"{file} has no place for the numbers", f"between {BEGIN} and {END}")
    file.write_text("\n".join([before + BEGIN, *lines(runs, seed), END + after]))


def lines(runs: dict[str, Shares], seed: int) -> Iterator[str]:
    """Markdown: a table for each section, and one of the channels."""
    sent = " and ".join(f"{runs[run]['records in'].of:,} {how}" for run, how in _HOW.items())
    yield f"Records that were sent: {sent}; seeds {seed} and {seed + 1}; clicklake {__version__}."
    for section, scores in SECTIONS.items():
        yield from ("", f"### {section}", "| what | five minutes | one second | floor |", "|---|---|---|---|")
        for score in scores:
            cells = (f"{percent(runs[run], score.name)} ({numbers(runs[run], score.name)})" for run in _HOW)
            shown = [cell if cell != " ()" else "" for cell in cells]
            yield f"| {score.says} | {shown[0]} | {shown[1]} | {_floor(score)} |"
    yield from ("", "### Channel by channel", "| channel | recall | precision |", "|---|---|---|")
    yield from _channels(runs["buffered"])


_HOW = {"buffered": "in objects of five minutes", "live": "live, in objects of a second"}


def _floor(score: Score) -> str:
    texts = [f"{100 * floor:g} %" for floor in dict.fromkeys((score.floor, score.live)) if floor is not None]
    return f"{'at most ' if score.error else ''}{' / '.join(texts)}" if texts else ""


def _channels(shares: Shares) -> Iterator[str]:
    """Those of the visits whose channel something tells; the goes-on-with-a-visit of `None` is no channel."""
    for name in (name.removeprefix(_CHANNEL) for name in shares if name.startswith(_CHANNEL)):
        if name != "None":
            found, right = f"{_CHANNEL}{name}", f"found channel: {name}"
            recall, precision = (f"{percent(shares, key)} ({numbers(shares, key)})" for key in (found, right))
            yield f"| {name} | {recall} | {precision if shares[right].of else ''} |"
