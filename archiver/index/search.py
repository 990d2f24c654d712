"""A query → what the index of words is asked, and a test of the text itself.

    上海              articles in which these characters stand together, as `words` takes them for one
    上海 芯片          both, anywhere in the article
    "new york"        one after the other, in one paragraph, title, caption or alternative text
    上海 OR 北京        one of the two; it binds closer than a space
    -广告              without
    photograph*       words that begin so, from two letters on

The index (FTS5 with `detail=none`) knows which articles have which words and pairs of characters, not where.
So it gives every article in which a query is found, and for phrases some more; `Query.found` tells by the
text. Anything at all is a query: what has no meaning is taken as text.
"""

import json
import re
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlite_utils import Database

from archiver.index.rows import insert
from archiver.index.words import LONGEST, by_character, index_words, plain, runs, terms

_CHARACTERS = 1000  # of a query that are read
_PHRASES = 32
_TERMS = 32  # of a phrase that the index is asked for
_PREFIX = 2  # letters before a "*"
_QUOTES = '"＂“”„«»'
_PART = re.compile(
    rf"""(?P<without>(?<!\S)[-－−](?=\S))?(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)[{_QUOTES}]?|(?P<word>[^\s{_QUOTES}]+))"""
)
_PASSAGES = "SELECT place, number, text FROM passages WHERE article_id = ?"
Place = tuple[str, int | None]
NOTHING = '""'  # an FTS5 expression that finds nothing


@dataclass(frozen=True)
class Phrase:
    """Runs that stand one after the other; `prefix`: the last word may go on."""

    written: str
    runs: tuple[str, ...]
    prefix: bool = False

    @property
    def exact(self) -> bool:
        """Whether an article has the phrase when the index says so."""
        return len(self.runs) == 1 and len(self.runs[0]) <= (2 if by_character(self.runs[0]) else LONGEST)

    @property
    def expression(self) -> str:
        """In FTS5's query syntax."""
        wanted = [term for run in self.runs for term in terms(run)]
        asked = [f'"{term}"' for term in wanted[:_TERMS]]
        if self.prefix and len(wanted) <= _TERMS:
            asked[-1] += "*"
        return " AND ".join(asked)

    @property
    def needle(self) -> str:
        """What `words.plain` of a text with the phrase holds; a space is where a word must begin or end."""
        before = "" if by_character(self.runs[0]) else " "
        after = "" if by_character(self.runs[-1]) or self.prefix else " "
        return before + " ".join(self.runs) + after


@dataclass(frozen=True)
class Query:
    """One phrase of each group is wanted, and none of `without`."""

    groups: tuple[tuple[Phrase, ...], ...]
    without: tuple[Phrase, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether what the index gives needs no look at the text."""
        return all(phrase.exact for group in (*self.groups, self.without) for phrase in group)

    @property
    def expression(self) -> str:
        """For MATCH: finds every article that has what is asked for, and where not `exact` perhaps more."""
        if not self.groups:
            return NOTHING
        wanted = " AND ".join(_either(group) for group in self.groups)
        unwanted = [phrase for phrase in self.without if phrase.exact]
        return f"({wanted}) NOT {_either(unwanted)}" if unwanted else wanted

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """All that is wanted, to be marked where it stands."""
        return tuple(dict.fromkeys(phrase for group in self.groups for phrase in group))

    def touches(self, folded: str) -> bool:
        """Whether something of what is wanted stands in a passage, folded by `fold`."""
        return any(phrase.needle in folded for phrase in self.phrases)

    def found(self, folded: Collection[str]) -> bool:
        """Whether these passages, folded, are of an article that has what is asked for."""

        def there(phrase: Phrase) -> bool:
            needle = phrase.needle
            return any(needle in text for text in folded)

        return (
            bool(self.groups)
            and all(any(map(there, group)) for group in self.groups)
            and not any(map(there, self.without))
        )


def fold(passages: Iterable[str]) -> list[str]:
    """Passages as queries look at them."""
    return [plain(runs(passage)) for passage in passages]


@lru_cache(100)  # SQL asks again for each row
def parse(written: str) -> Query:
    """What a person typed, as a query."""
    groups: list[list[Phrase]] = []
    without: list[Phrase] = []
    joining = False
    for part in list(_PART.finditer(written[:_CHARACTERS]))[:_PHRASES]:
        if part["word"] == "OR" and not part["without"]:
            joining = bool(groups)
            continue
        phrase = _phrase(part["quoted"], part["word"])
        if phrase is None:
            continue
        if part["without"]:
            without.append(phrase)
        elif joining:
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
        joining = False
    return Query(tuple(map(tuple, groups)), tuple(without))


def index_article(db: Database, article_id: int) -> None:
    """Add an article, whose rows are there, to the index; once, for nothing can be taken out of it."""
    insert(db, "article_words", rowid=article_id, words=index_words(passages(db, article_id).values()))


def passages(db: Database | sqlite3.Connection, article_id: int) -> dict[Place, str]:
    """What of an article is searched, each with what it is and its number there."""
    found = db.execute(_PASSAGES, [article_id]).fetchall()
    return {(place, number): text for place, number, text in found}


def search_query(written: str | None) -> str:
    """A query as FTS5's query syntax, for `article_words MATCH`."""
    return parse(written if isinstance(written, str) else "").expression


def search_found(written: str | None, texts: str | None) -> int:
    """Whether a query is found in the passages of an article, a JSON array: 1 or 0."""
    try:
        passages = json.loads(texts or "[]")
    except (ValueError, RecursionError):
        return 0
    listed = isinstance(passages, list) and all(isinstance(each, str) for each in passages)
    return int(listed and isinstance(written, str) and parse(written).found(fold(passages)))


def _phrase(quoted: str | None, word: str | None) -> Phrase | None:
    written = quoted or word or ""
    found = tuple(runs(written))
    if not found:
        return None
    starred = word is not None and word.endswith(("*", "＊"))
    prefix = starred and not by_character(found[-1]) and len(found[-1]) >= _PREFIX
    return Phrase(written.strip(), found, prefix)


def _either(phrases: Iterable[Phrase]) -> str:
    return f"({' OR '.join(f'({phrase.expression})' for phrase in phrases)})"
