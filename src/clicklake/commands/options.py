"""What a command is, and the options that many commands share."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DATA_DIR = ".clicklake"

Arguments = argparse.Namespace


@dataclass(frozen=True, slots=True)
class Command:
    """`add` declares the options, `run` does it and returns the exit code (None is 0)."""

    run: Callable[[Arguments], int | None]
    help: str
    examples: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], None]


def add_data_dir(parser: argparse.ArgumentParser, *, found: bool = False) -> None:
    text = "default: the nearest .clicklake here or above" if found else "default: .clicklake"
    parser.add_argument("--data-dir", metavar="DIR", default=None if found else DATA_DIR, help=text)


def add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--environment", help="default: dev")
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")
    parser.add_argument("--region", help="as in the aws CLI")


def add_target(parser: argparse.ArgumentParser) -> None:
    add_stack(parser)
    parser.add_argument("--endpoint-url", metavar="URL", help="as in the aws CLI; default: AWS_ENDPOINT_URL, else AWS")
    parser.add_argument("--profile", help="as in the aws CLI")


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def day(text: str) -> date:
    today = datetime.now(UTC).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        return named.get(text) or date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: 2025-11-26, today or yesterday (UTC)") from None


def add_days(parser: argparse.ArgumentParser) -> None:
    """UTC days of arrival; aiming.days() reads them."""
    parser.add_argument("--from", dest="first", metavar="DAY", type=day, help="UTC day of arrival; default: the first")
    parser.add_argument("--to", dest="last", metavar="DAY", type=day, help="that day included; default: the last")


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535, or 0")
    return int(text)
