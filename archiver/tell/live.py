"""How far a run is → the picture on a terminal, and a line a minute elsewhere."""

import io
import math
import shutil
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from archiver.capture.engine import HostView
from archiver.console import Output, printable
from archiver.kept import Progress
from archiver.tell.words import counted, duration, many, one_line, size

HOSTS = 8  # rows of the picture, at most
RATE_SECONDS = 10.0  # over which the picture's rates are measured
_STOPPING = "Stopping: what is on its way is finished and stored. Ctrl-C again ends at once."


def watching(out: Output, progress: Callable[[], Progress]) -> AbstractContextManager[None]:
    """Show how far a run is until it ends; `progress` is called by another thread."""
    view = View(progress)
    return out.alive(view.line, view.picture)


class View:
    """One run as it goes on. Only one of `picture` and `line` is used."""

    def __init__(self, progress: Callable[[], Progress], clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._clock, self._began = progress, clock, clock()
        self._seen: deque[tuple[float, int, int]] = deque([(self._began, 0, 0)])

    def line(self) -> str:
        """The facts since the last call, in one line."""
        now = self._progress()
        facts = [*self._rates(now, 0.0), counted(now.outcomes)]
        asked = [host for host in now.hosts if host.asking]
        if asked:
            facts.append("asking " + _few([host.host for host in asked]))
        waiting = [host for host in now.hosts if not host.asking and _waits(host)]
        if waiting:
            facts.append(_few([f"{host.host} {_waits(host)}" for host in waiting]))
        if now.stopping:
            facts.append("stopping")
        return _fit("; ".join(fact for fact in facts if fact))

    def picture(self) -> list[str]:
        """Lines of the terminal's width, no more than it has."""
        now, room = self._progress(), shutil.get_terminal_size()
        width, height = max(room.columns - 1, 1), max(room.lines - 1, 1)
        lines = [Text(" · ".join(self._rates(now, RATE_SECONDS)), "bold")]
        if outcomes := counted(now.outcomes):
            lines.append(Text(outcomes))
        if now.stopping:
            lines.insert(0, Text(_STOPPING, "bold yellow"))
        lines = lines[:height]
        shown = now.hosts[: max(min(HOSTS, height - len(lines) - 1), 0)]
        console = Console(
            file=io.StringIO(), force_terminal=True, width=width, legacy_windows=False, highlight=False
        )
        with console.capture() as captured:
            for line in lines:
                console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
            if shown:
                console.print(_table(shown))
            if shown and len(now.hosts) > len(shown):
                console.print(_rest(now.hosts[len(shown) :]), no_wrap=True, overflow="ellipsis")
        return captured.get().splitlines()[:height]

    def _rates(self, now: Progress, seconds: float) -> list[str]:
        """Time, requests and bytes, with their rates since the last call or over some seconds."""
        moment = self._clock()
        while len(self._seen) > 1 and self._seen[1][0] <= moment - seconds:
            self._seen.popleft()
        before, requests, received = self._seen[0]
        self._seen.append((moment, now.requests, now.bytes))
        passed = max(moment - before, 0.001)
        each = (now.requests - requests) / passed
        return [
            _clock_face(moment - self._began),
            f"{many(now.requests, 'request')}, {each:.1f}/s",
            f"{size(now.bytes)}, {size((now.bytes - received) / passed)}/s",
            many(now.articles, "article"),
            f"{now.waiting:,} to go",
        ]


def _clock_face(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def _table(hosts: tuple[HostView, ...]) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=30)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True, justify="right")
    for host in hosts:
        if host.asking:
            more = f"  and {len(host.asking) - 1} more" if len(host.asking) > 1 else ""
            doing = Text(f"asking {_path(host.asking[0])}{more}", "green")
        else:
            doing = Text(_fit(_waits(host)) or "next", "dim")
        table.add_row(Text(_fit(host.host)), doing, Text(f"{host.waiting:,} to go" if host.waiting else ""))
    return table


def _rest(hosts: tuple[HostView, ...]) -> Text:
    waiting = sum(host.waiting for host in hosts)
    return Text(f"and {many(len(hosts), 'more host')}, {waiting:,} to go", "dim")


def _waits(host: HostView) -> str:
    """`waits 12 s (crawl-delay)`; empty when it may be asked now."""
    why = f" ({host.why})" if host.why else ""
    return f"waits {duration(math.ceil(host.seconds))}{why}" if host.seconds > 0 or host.why else ""


def _path(url: str) -> str:
    """What is asked for of a host: the URL without what its row says already."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _fit(url)
    return _fit(parts._replace(scheme="", netloc="").geturl() or url)


def _few(words: list[str]) -> str:
    rest = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return ", ".join(words[:3]) + rest


def _fit(text: str) -> str:
    """Text of others in a line of ours."""
    return one_line(printable(text[:2000]))
