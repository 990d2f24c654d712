"""Which of a page's pieces of text are the article's: the seam to trafilatura.

trafilatura is optional (`newsarchiver[text]`) and slow to import. It gives text, not places: a piece is
the article's if its characters stand in that text, by comparing runs of them without white space, so that no
language's idea of a word is needed.
"""

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from archiver.errors import SourceError

MARKUP_CHARS = 3 << 20  # what is more than these is not given to it, for the time that it would take
MARKUP_TAGS = 40_000

RUN_CHARS = 16
RUN_STEP = 4
SHARE = 0.5  # of a piece's runs that must be met

_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"^[-|#>*\s]+")  # of an item or a cell, in trafilatura's text
# Dates are not compared with today's: a page read twice gives the same.
_DATES = {"original_date": True, "extensive_search": False, "max_date": "2199-12-31"}


@dataclass(frozen=True)
class Extract:
    """What trafilatura says of a page. `date` is YYYY-MM-DD or empty."""

    reader: str
    text: str
    authors: tuple[str, ...] = ()
    section: str = ""
    date: str = ""


def extract(markup: str, url: str) -> Extract:
    """Read a page with trafilatura. Raises SourceError with the reason where that gives no text."""
    try:
        library = importlib.import_module("trafilatura")
    except ImportError as error:
        raise SourceError("trafilatura is not installed", "pip install newsarchiver[text]") from error
    reader = f"trafilatura {library.__version__}"
    if len(markup) > MARKUP_CHARS or markup.count("<") > MARKUP_TAGS:
        raise SourceError(f"the page is too large for {reader}")
    try:
        found = library.bare_extraction(
            markup, url=url, include_comments=False, with_metadata=True, date_extraction_params=_DATES
        )
    except Exception as error:  # a foreign parser on hostile bytes raises anything
        raise SourceError(f"{reader} failed: {type(error).__name__}") from error
    if found is None or not found.text:
        raise SourceError(f"{reader} found no text")
    return Extract(
        reader=reader,
        text=found.text,
        authors=tuple(name.strip() for name in (found.author or "").split(";") if name.strip()),
        section=(found.categories or [""])[0] or "",
        date=found.date or "",
    )


def chosen(pieces: Sequence[str], text: str) -> list[bool]:
    """For each piece whether it stands in `text`."""
    lines = {_SPACE.sub("", _MARK.sub("", line)) for line in text.split("\n")}
    whole = _SPACE.sub("", text)
    runs = {whole[at : at + RUN_CHARS] for at in range(len(whole) - RUN_CHARS + 1)}
    return [_stands(_SPACE.sub("", piece), lines, runs) for piece in pieces]


def _stands(piece: str, lines: set[str], runs: set[str]) -> bool:
    if len(piece) < RUN_CHARS:
        return piece in lines
    own = [piece[at : at + RUN_CHARS] for at in range(0, len(piece) - RUN_CHARS + 1, RUN_STEP)]
    return sum(run in runs for run in own) >= SHARE * len(own)
