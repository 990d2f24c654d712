"""A list: one URL on each line, as people keep them and as sitemaps in plain text are (sitemaps.org)."""

import re
from collections.abc import Iterator

from archiver.model import Listing
from archiver.sources.html.pictures import LeftOut
from archiver.sources.naming import Links, absolute

_ADDRESS = re.compile(r"<?https?://[^\s<>]++>?\s*+", re.IGNORECASE)
_JUDGED_LINES = 10_000
_TOLD_LINES = 100


def is_list(text: str) -> bool:
    """Whether at least 9 of 10 lines are a URL each; empty lines and comments do not count."""
    good = bad = 0
    for _, line in _lines(text):
        if _ADDRESS.fullmatch(line):
            good += 1
        else:
            bad += 1
        if good + bad >= _JUDGED_LINES:
            break
    return good > 0 and good >= 9 * bad


def read_list(text: str, *, url: str, left_out: LeftOut) -> Listing:
    """Read lines of absolute URLs, bare or in `<>`; of the other lines, which they are."""
    links = Links("", left_out)
    others: list[str] = []
    for number, line in _lines(text):
        address = line.removeprefix("<").removesuffix(">")
        if links.full:
            links.stop(text.count("\n"))
            break
        if _ADDRESS.fullmatch(line) and absolute("", address):
            links.add(address)
        elif len(others) < _TOLD_LINES:
            others.append(f"line {number} is no URL: {line[:200]!a}")
        else:
            left_out.add("further line that is no URL", line)
    return Listing(kind="list", url=url or None, links=links.links, left_out=(*others, *links.left_out))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        trimmed = line.strip()
        if trimmed and not trimmed.startswith("#"):
            yield number, trimmed
