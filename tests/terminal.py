"""A terminal of our own: programs run on a pseudo-terminal, and what a person would see of it."""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from dataclasses import dataclass, field

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


@dataclass
class Screen:
    """As much of ECMA-48 as the archiver writes; any other sequence is a failure of the test."""

    columns: int = 80
    rows: int = 24
    lines: list[str] = field(default_factory=lambda: [""])  # all there ever were, also those scrolled away
    row: int = 0
    column: int = 0
    wraps: bool = True
    ends: dict[int, int] = field(default_factory=dict)  # row → column after its last character
    top: int = 0  # the first line that is in sight

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            if found := _SEQUENCE.match(text, at):
                self._obey(*found.groups())
                at = found.end()
            else:
                self._put(text[at])
                at += 1

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
            self.top = max(self.top, self.row - self.rows + 1)
        else:
            assert character.isprintable(), f"{character!r} reached the terminal"
            self._write(character)

    def _write(self, character: str) -> None:
        width = cells(character)
        if self.column + width > self.columns:
            if not self.wraps:
                return
            self._put("\r")
            self._put("\n")
        ends = self.ends.get(self.row, 0)
        assert ends <= self.column, "a line was written over"  # it is only ever erased as a whole
        self.lines[self.row] += " " * (self.column - ends) + character
        self.column += width
        self.ends[self.row] = self.column

    def _obey(self, parameters: str, command: str) -> None:
        match parameters, command:
            case "2", "K":
                self.lines[self.row] = ""
                self.ends[self.row] = 0
            case number, "A":
                assert self.row - int(number or 1) >= self.top, "the cursor left the screen"
                self.row -= int(number or 1)
            case "?7", "l" | "h":
                self.wraps = command == "h"
            case _, "m":
                pass
            case _:
                raise AssertionError(f"CSI {parameters} {command} was not expected")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def visible(self) -> list[str]:
        return self.lines[self.top : self.top + self.rows]


def cells(text: str) -> int:
    """How many columns a terminal gives to a text."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


@dataclass
class Seen:
    """What came of a program on a terminal."""

    code: int
    screen: Screen
    frames: list[list[str]]  # the screen after each piece of output
    stdout: bytes  # where it was no terminal


def watch(
    *arguments: str,
    columns: int = 80,
    rows: int = 24,
    pipe_stdout: bool = False,
    hang_up_after: float | None = None,
    environment: dict[str, str] | None = None,
) -> Seen:
    """Run Python with these arguments on a terminal; `hang_up_after` seconds the terminal goes away."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    screen, frames, stdout = Screen(columns, rows), [], b""
    full = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")} | {
        "TERM": "xterm-256color",
        **(environment or {}),
    }
    child = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipe_stdout else follower,
        stderr=follower,
        env=full,
    )
    os.close(follower)
    began, rest, decoder = time.monotonic(), "", codecs.getincrementaldecoder("utf-8")()
    files = [leader] + ([child.stdout.fileno()] if child.stdout else [])
    try:
        while files:
            if hang_up_after is not None and time.monotonic() - began > hang_up_after and leader in files:
                files.remove(leader)
                os.close(leader)
                continue
            for ready in select.select(files, [], [], 0.1)[0]:
                try:
                    data = os.read(ready, 1 << 16)
                except OSError:  # how Linux says that the last writer of a terminal is gone
                    data = b""
                if not data:
                    files.remove(ready)
                elif ready == leader:
                    rest += decoder.decode(data)
                    cut = rest.rfind("\x1b")  # a sequence may be cut at the end
                    end = len(rest) if cut < 0 or _SEQUENCE.match(rest, cut) else cut
                    screen.feed(rest[:end])
                    rest = rest[end:]
                    frames.append(screen.visible)
                else:
                    stdout += data
        return Seen(child.wait(60), screen, frames, stdout)
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()
        if hang_up_after is None or leader in files:
            os.close(leader)
