"""What commands print: people's lines or JSON Lines, safe for a terminal, and a sign of life."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


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

    def __init__(self, as_json: bool) -> None:
        self._json = as_json

    def say(self, text: str) -> None:
        self._echo(printable(text), err=self._json)

    def text(self, text: str) -> None:
        """What the person asked for, where the JSON does not hold it already."""
        if not self._json:
            self.say(text)

    def row(self, row: dict[str, Any]) -> None:
        if self._json:
            self._echo(json.dumps(row, ensure_ascii=False), err=False)

    @staticmethod
    def _echo(text: str, *, err: bool) -> None:
        """Print; bytes that are no UTF-8 become escapes. When it cannot be written, the work goes on."""
        try:
            click.echo(text.encode("utf-8", "backslashreplace"), err=err)
        except OSError:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
                os.dup2(nowhere.fileno(), (sys.stderr if err else sys.stdout).fileno())


@contextmanager
def heartbeat(state: Callable[[], str]) -> Iterator[None]:
    """Show on stderr that work goes on: in place on a terminal, else in a line a minute."""
    terminal, done, started = sys.stderr.isatty(), threading.Event(), time.monotonic()

    def beat() -> None:
        while not done.wait(1 if terminal else 60):
            text = f"{state()}, {time.monotonic() - started:.0f} s"
            click.echo(f"\r\x1b[K{text}" if terminal else text, err=True, nl=not terminal)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if terminal:
            click.echo("\r\x1b[K", err=True, nl=False)
