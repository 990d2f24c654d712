"""What commands print: people's lines or JSON Lines, safe for a terminal, and a sign of life on stderr."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

DRAW_SECONDS = 0.5  # between two pictures on a terminal
LINE_SECONDS = 60.0  # between two lines elsewhere
_ERASE_LINE = "\x1b[2K"
_UP = "\x1b[1A"
_BOLD, _NOT_BOLD = "\x1b[1m", "\x1b[22m"
_CLIP, _WRAP = "\x1b[?7l", "\x1b[?7h"  # DECAWM: a line that is too wide loses its end and stays one line


def printable(text: str) -> str:
    """Text of others, safe for a terminal: no control characters, no changes of direction."""
    unfit = {
        *range(32),
        *range(127, 160),
        0x61C,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    }
    return text.translate(dict.fromkeys(unfit - {10}, "\N{REPLACEMENT CHARACTER}"))


class Output:
    """People's lines, or JSON Lines on stdout and people's text on stderr."""

    def __init__(self, as_json: bool, *, aside: bool = False) -> None:
        """`aside`: people's text goes to stderr also without JSON, for stdout holds what was asked for."""
        self._json, self._aside = as_json, as_json or aside
        self._lock = threading.RLock()
        self._picture: list[str] = []  # lines that stand at the bottom of the terminal
        self._drawn = 0

    def say(self, text: str) -> None:
        self._echo(printable(text), err=self._aside)

    def text(self, text: str) -> None:
        """What the person asked for, where the JSON does not hold it already."""
        if not self._json:
            self._echo(printable(text), err=False)

    def parts(self, parts: Iterable[tuple[str, bool]]) -> None:
        """The same in one line, of which some parts stand out on a terminal."""
        strong = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        texts = [(printable(text.replace("\n", " ")), marked and strong) for text, marked in parts]
        if not self._json:
            self._echo(
                "".join(f"{_BOLD}{text}{_NOT_BOLD}" if bold else text for text, bold in texts), err=False
            )

    def row(self, row: dict[str, Any]) -> None:
        if self._json:
            self._echo(json.dumps(row, ensure_ascii=False), err=False)

    @contextmanager
    def alive(
        self, line: Callable[[], str], picture: Callable[[], list[str]] | None = None
    ) -> Iterator[None]:
        """Show on stderr that work goes on: in place on a terminal, else `line` once a minute.

        `picture` gives the lines that stand on a terminal, in place of `line`; they may hold colours. What
        is said meanwhile scrolls above them.
        """
        terminal, done, started = is_terminal(), threading.Event(), time.monotonic()

        def beat() -> None:
            while not done.wait(DRAW_SECONDS if terminal else LINE_SECONDS):
                if terminal and picture is not None:
                    self._draw(picture())
                    continue
                text = printable(f"{line()}, {time.monotonic() - started:.0f} s")
                if terminal:
                    self._draw([text])
                else:
                    self._echo(text, err=True)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            if terminal:
                self._draw([])

    def _draw(self, lines: list[str]) -> None:
        with self._lock:
            self._picture = lines
            self._write(self._erased() + self._shown(), err=True)

    def _echo(self, text: str, *, err: bool) -> None:
        """Print a line, on a terminal above what stands there."""
        with self._lock:
            if not self._picture or not (sys.stderr if err else sys.stdout).isatty():
                self._write(text + "\n", err=err)
                return
            self._write(self._erased(), err=True)
            self._write(text + "\n", err=err)
            self._write(self._shown(), err=True)

    def _erased(self) -> str:
        drawn, self._drawn = self._drawn, 0
        return f"\r{_ERASE_LINE}" + f"{_UP}{_ERASE_LINE}" * (drawn - 1) if drawn else ""

    def _shown(self) -> str:
        """The picture, with the cursor left at the end of its last line."""
        self._drawn = len(self._picture)
        return _CLIP + "\n".join(self._picture) + _WRAP if self._picture else ""

    @staticmethod
    def _write(text: str, *, err: bool) -> None:
        """Write; bytes that are no UTF-8 become escapes. When it cannot be written, the work goes on."""
        try:
            click.echo(text.encode("utf-8", "backslashreplace"), err=err, nl=False)
        except OSError:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
                os.dup2(nowhere.fileno(), (sys.stderr if err else sys.stdout).fileno())


def is_terminal() -> bool:
    """Whether stderr is a terminal on which a picture can be drawn over an older one."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
