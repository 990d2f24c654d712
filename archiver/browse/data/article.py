"""One article with all that belongs to it, as plain data for the templates."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archiver.browse import words
from archiver.browse.data.cards import Card, Rows, make_cards, select
from archiver.browse.data.citation import Cited
from archiver.browse.data.pictures import Picture, load_pictures
from archiver.browse.data.provenance import Provenance, load_provenance
from archiver.browse.data.stored import Stored, load_stored
from archiver.browse.data.texts import Text, load_texts
from archiver.browse.data.versions import others_of
from archiver.browse.language import Language, Say
from archiver.claims.contradictions import Contradiction, contradictions, moment_of, span_words
from archiver.model import ClaimedTime
from archiver.storage import is_imported

_RELATED = 20
_SIGNER = 80  # characters of a domain at most; a key has more


@dataclass(frozen=True)
class Claim:
    """A time that somebody claims; `later` is its distance from the earliest claim."""

    article: int
    where: str
    clock: str
    written: str
    time: str
    later: str


@dataclass(frozen=True)
class Part:
    """A record that the article rests on, and what it is to the article."""

    name: str
    stored: Stored


@dataclass(frozen=True)
class Page:
    """All that the page of one article shows."""

    card: Card
    given: str
    imported: str  # the file of others that its source came from, as the person called it
    checked: str  # of a WACZ: what was found of its hashes and its signature then
    url: str
    authors: tuple[str, ...]
    section: str
    reader: str
    claims: tuple[Claim, ...]
    contradictions: tuple[str, ...]
    texts: tuple[Text, ...]
    related: tuple[Card, ...]
    blocks: tuple[tuple[str, str, int | None], ...]  # kind, text, picture's number
    pictures: dict[int, Picture] = field(default_factory=dict)
    source: Stored | None = None
    note: Stored | None = None
    provenance: Provenance | None = None
    parts: tuple[Part, ...] = ()
    cited: Cited | None = None


def load_page(db: sqlite3.Connection, article: int, language: Language) -> Page | None:
    """Everything about one article, None when there is none with this number."""
    row = db.execute("SELECT * FROM articles WHERE id = ?", (article,)).fetchone()
    if row is None:
        return None
    related = others_of(db, row, _RELATED)
    blocks = db.execute("SELECT * FROM blocks WHERE article_id = ? ORDER BY number", (article,))
    stored = load_stored(db, [row["source_id"], row["note_id"]])
    times = _times(db, [row, *related])
    card, pictures = make_cards(db, [row], language.say)[0], load_pictures(db, article, language)
    source, note = stored.get(row["source_id"]), stored.get(row["note_id"])
    provenance = load_provenance(db, row["source_id"])
    authors = tuple(words.plain(row["authors"]).splitlines())
    texts = load_texts(db, article, language)
    imported, checked = _imported(db, source, language.say)
    return Page(
        card=card,
        given=words.plain(row["given"]),
        imported=imported,
        checked=checked,
        url=words.plain(row["url"]),
        authors=authors,
        section=words.plain(row["section"]),
        reader=words.plain(row["reader"]),
        claims=_claims(times, [row, *related], language.say),
        contradictions=_contradictions(times, language),
        texts=texts,
        related=tuple(make_cards(db, related, language.say)),
        blocks=tuple((each["kind"], words.plain(each["text"]), each["picture"]) for each in blocks),
        pictures=pictures,
        source=source,
        note=note,
        provenance=provenance,
        parts=_parts(
            (language.say("Source, byte for byte"), source),
            (language.say("What was read in it"), note),
            (language.say("Who wrote the file, and how"), provenance.warcinfo if provenance else None),
            *((language.say("Captured page"), each) for each in _pages(db, texts, article)),
            *_held(pictures, language.say),
        ),
        cited=_cited(card, authors, words.plain(row["url"]), source) if source else None,
    )


def _imported(db: sqlite3.Connection, source: Stored | None, say: Say) -> tuple[str, str]:
    row = None
    if source is not None and is_imported(source.warc):
        row = db.execute("SELECT * FROM imports WHERE ? IN (path, transcript)", (source.warc,)).fetchone()
    if row is None:
        return "", ""
    if row["hashes"] == "fail" or row["signature"] == "fails":
        checked = say("its hashes or its signature did not hold then")
    elif row["signature"] == "holds":
        signer = words.plain(row["signer"])
        named = signer if len(signer) < _SIGNER else f"…{signer[-20:]}"  # keys begin alike
        checked = say("its hashes held then, and the signature by %(signer)s", signer=named)
    else:
        checked = say("its hashes held then; nobody signed it") if row["hashes"] else ""
    return words.plain(row["given"]), checked


def grouped(page: Page) -> dict[str, Any]:
    """The article's body as a template can walk it: list items together, the other pictures apart."""
    body: list[dict[str, Any]] = []
    own = {number: picture for number, picture in page.pictures.items() if not picture.aside}
    placed: set[int] = set()
    for kind, text, number in page.blocks:
        if kind == "picture":
            if number in own and number not in placed:
                placed.add(number)
                body.append({"kind": kind, "picture": own[number]})
        elif kind == "item" and body and body[-1]["kind"] == "list":
            body[-1]["items"].append(text)
        elif kind == "item":
            body.append({"kind": "list", "items": [text]})
        else:
            body.append({"kind": kind, "text": text})
    others = [picture for number, picture in own.items() if number not in placed]
    aside = [picture for picture in page.pictures.values() if picture.aside]
    text = " ".join(text for _, text, _ in page.blocks)[:2000]
    language = words.language_of(text, page.card.language)
    return {"body": body, "others": others, "aside": aside, "language": language}


def _parts(*named: tuple[str, Stored | None]) -> tuple[Part, ...]:
    return tuple(Part(name, stored) for name, stored in named if stored)


def _pages(db: sqlite3.Connection, texts: tuple[Text, ...], article: int) -> Iterable[Stored]:
    """The pages that the document's text was held against."""
    pages = [text.page for text in texts if text.document == article]
    rows = select(db, "SELECT source_id FROM articles WHERE id IN ({})", pages)
    return load_stored(db, [row["source_id"] for row in rows]).values()


def _held(pictures: dict[int, Picture], say: Say) -> Iterable[tuple[str, Stored | None]]:
    """The records of the article's pictures, its own first."""
    for picture in sorted(pictures.values(), key=lambda each: each.aside):
        for copy in picture.copies:
            name = f"{say('Picture %(number)s', number=picture.number + 1)} · {copy.name}"
            yield from ((name, copy.record), (name, copy.original))


def _cited(card: Card, authors: tuple[str, ...], url: str, source: Stored) -> Cited:
    return Cited(
        number=card.id,
        title=card.title,
        authors=authors[:20],
        published=card.dates[0] if card.dates else "",
        host=words.host_of(url),
        url=url,
        saved=source.date,
        record=source.record_id,
        digest=source.digest,
    )


# Teasers and menus show other articles' pictures: the times in those pictures' names say nothing of this one.
_TIMES = """
SELECT times.* FROM claimed_times AS times LEFT JOIN article_pictures
    ON article_pictures.article_id = times.article_id AND article_pictures.number = times.picture
WHERE times.article_id IN ({}) AND (times.picture IS NULL
    OR article_pictures.part = 'article' AND article_pictures.unwanted = '')
ORDER BY times.number IS NULL, times.number, times.picture, times.clock, times.written
"""


def _times(db: sqlite3.Connection, articles: Rows) -> Rows:
    """Every claimed time of an article and of the other sources of it, its own first."""
    rows = select(db, _TIMES, [row["id"] for row in articles])
    return sorted(rows, key=lambda row: row["article_id"] != articles[0]["id"])


def _contradictions(times: Rows, language: Language) -> tuple[str, ...]:
    claims = [ClaimedTime(clock=row["clock"], written=row["written"], value=row["value"]) for row in times]
    return tuple(words.plain(_contradiction(each, language)) for each in contradictions(claims))


def _contradiction(found: Contradiction, language: Language) -> str:
    """In English as `archiver show` says it; else shorter."""
    say = language.say
    if language.tag == "en":
        return found.words
    first, second = (words.clock_name(clock, say) for clock in (found.first, found.second))
    span = span_words(found.seconds or 0)
    if found.kind == "missing":
        return say("“%(first)s” claims no time.", first=first)
    if found.kind == "unreadable":
        return say("“%(first)s” names no one moment.", first=first)
    if found.kind == "differ":
        return say("“%(first)s” and “%(second)s” differ by %(span)s.", first=first, second=second, span=span)
    if found.first.endswith(("-modified", "-updated")):
        return say(
            "“%(first)s” is %(span)s before the publication by “%(second)s”.",
            first=first,
            second=second,
            span=span,
        )
    return say(
        "“%(first)s” is %(span)s after the publication by “%(second)s”.",
        first=first,
        second=second,
        span=span,
    )


def _claims(times: Rows, articles: Rows, say: Say) -> tuple[Claim, ...]:
    """The claimed times with their sources, earliest first."""
    names = {row["id"]: _name(row, say) for row in articles}
    timed = [(moment_of(row["value"]), row) for row in times]
    earliest = min((time for time, _ in timed if time), default=None)
    timed.sort(key=lambda each: (each[0] is None, each[0] and each[0].timestamp()))
    claims: list[Claim] = []
    for time, row in timed:
        of = "" if row["picture"] is None else say(", picture %(number)s", number=row["picture"] + 1)
        late = time - earliest if time and earliest else None
        claims.append(
            Claim(
                article=row["article_id"],
                where=names[row["article_id"]] + of,
                clock=words.clock_name(row["clock"], say),
                written=words.plain(row["written"]),
                time=words.clock_time(row["value"]),
                later=span_words(late.total_seconds()) if late else "",
            )
        )
    return tuple(claims)


def _name(article: sqlite3.Row, say: Say) -> str:
    """`Mirror document 000.txt`, `Page`: the source, with what a URL does not say already."""
    kind = words.kind_name(article["kind"], say)
    return kind if article["given"] == article["url"] else f"{kind} {words.plain(article['given'])}"
