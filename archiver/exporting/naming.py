"""Readable names for files, in the script of the article, which every file system takes.

A slug has letters, marks and digits only: no separators, no control characters, none that turns the reading
direction or shows nothing. What a name begins and ends with is ours, so none is reserved or hidden.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator

SLUG_BYTES = 120  # of the 255 that a name may have; the rest is for what tells names apart
_DAY = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_KEPT = ("L", "M", "N")  # Unicode's general categories: letters, marks, numbers
_MARKS = 8  # characters of one letter with its marks: more cover the lines around it
# Letters and marks that show nothing (Default_Ignorable_Code_Point).
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]+"
)
_DATES = """
SELECT min(value) FROM times WHERE article_id = ? AND picture IS NULL AND value GLOB '[0-9][0-9][0-9][0-9]-*'
"""


def slug(text: str, most: int = SLUG_BYTES) -> str:
    """`text` as a part of a name, at most so many bytes of UTF-8: NFC, `-` for all but letters and digits."""
    made: list[str] = []
    used = 0
    for character in _characters(_BLANK.sub("", unicodedata.normalize("NFC", text[: 4 * most]))):
        size = len(character.encode())
        if used + size > most:
            break
        if character == "-" and (not made or made[-1] == "-"):
            continue
        made.append(character)
        used += size
    return unicodedata.normalize("NFC", "".join(made)).strip("-")


def _characters(text: str) -> Iterator[str]:
    """Each character with its marks, so that none is cut from its letter; `-` for what is not kept."""
    cluster = ""
    for character in text:
        category = unicodedata.category(character)[0]
        if category == "M" and cluster not in ("", "-"):
            cluster += character if len(cluster) < _MARKS else ""
            continue
        if cluster:
            yield cluster
        cluster = character if category in _KEPT and category != "M" else "-"
    if cluster:
        yield cluster


def day_of(db: sqlite3.Connection, article: int, archived: str) -> str:
    """`2023-11-08`, the earliest day that an article's source claims; else `saved-` and the day of that."""
    (claimed,) = db.execute(_DATES, (article,)).fetchone()
    if claimed and _DAY.fullmatch(claimed[:10]):
        return str(claimed[:10])
    return f"saved-{archived[:10]}" if _DAY.fullmatch(archived[:10]) else "undated"
