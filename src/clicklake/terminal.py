"""What a command shows while it runs: lines, some colour, a progress bar. On a pipe: plain lines, and few."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TextIO

from clicklake import table

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
Style = Literal["bold", "dim", "red", "green", "yellow", "cyan"]
_PLAIN_WIDTH = 100
_BAR = 30
_REDRAW_SECONDS = 0.05
_CLEAR_LINE = "\r\x1b[2K"


class Terminal:
    """An output stream. Colour only on a terminal and without NO_COLOR (no-color.org)."""

    def __init__(self, out: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self.is_live = out.isatty() and environ.get("TERM") != "dumb"
        self._colour = self.is_live and not environ.get("NO_COLOR")
        self.width = min(140, shutil.get_terminal_size().columns) if self.is_live else _PLAIN_WIDTH
        self._lock = threading.RLock()
        self._below: str | None = None

    def line(self, text: str = "", style: Style | None = None) -> None:
        with self._lock:
            self._write(f"{_CLEAR_LINE if self._below else ''}{self.styled(text, style)}\n{self._below or ''}")

    def lines(self, texts: Iterable[str], indent: str = "") -> None:
        for text in texts:
            self.line(f"{indent}{text}" if text else "")

    def styled(self, text: str, style: Style | None) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and self._colour else text

    def below(self, text: str | None) -> None:
        """Keep `text` on the last line, under what `line` writes; None takes it away."""
        with self._lock:
            self._write((_CLEAR_LINE if self._below else "") + (text or ""))
            self._below = text

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()


class Progress:
    """How far something is: on a terminal a bar, or a count if the `total` is unknown; elsewhere a line for every
    quarter. Call it with the number reached, from any thread, and `close` when it is over."""

    def __init__(
        self, terminal: Terminal, label: str, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._terminal = terminal
        self._label = label
        self._total = total
        self._clock = clock
        self._drawn = -_REDRAW_SECONDS
        self._quarters = 0
        self._began = clock()

    def __call__(self, done: int) -> None:
        if self._terminal.is_live:
            self._draw(done)
        elif self._total and (quarters := 4 * done // self._total) > self._quarters:
            self._quarters = quarters
            self._terminal.line(f"{self._label}{done:,} of {self._total:,}")

    def _draw(self, done: int) -> None:
        now = self._clock()
        if now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        if self._total:
            bar = table.pad(table.bar(min(1.0, done / self._total), _BAR), _BAR)
            self._terminal.below(f"{self._label}{self._terminal.styled(bar, 'cyan')} {done:,} of {self._total:,}")
        else:
            self._terminal.below(f"{self._label}{done:,}")

    def close(self) -> float:
        """Take the bar away; the seconds since the beginning."""
        self._terminal.below(None)
        return self._clock() - self._began
