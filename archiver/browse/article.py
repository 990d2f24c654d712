"""One article with all that belongs to it, as plain data for the templates. All text is cleaned here."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from archiver.browse import words
from archiver.browse.cards import Card, Rows, make_cards, select
from archiver.browse.hashes import hamming
from archiver.model import Location

_RELATED = 20
_ALIKE = 10  # bits of 64


@dataclass(frozen=True)
class Stored:
    """A record and where it lies."""

    id: int
    record_id: str
    type: str
    date: str
    uri: str
    warc: str
    offset: int
    length: int
    digest: str
    payload_digest: str | None
    payload_bytes: int | None
    mime: str
    unreadable: str

    @property
    def place(self) -> Location:
        return Location(file=self.warc, offset=self.offset, length=self.length)


@dataclass(frozen=True)
class Copy:
    """One form of a picture: its URL, what came of asking for it, and the picture that came."""

    form: str
    proxy: str
    url: str
    fetch_id: int | None
    outcome: str | None  # None: never asked for
    sentence: str
    hops: tuple[tuple[str, int | None], ...]
    record: Stored | None
    format: str | None
    width: int | None
    height: int | None
    phash: str | None
    phash_label: str | None

    @property
    def shown(self) -> tuple[str, Location] | None:
        """SHA-256 digits and place of a picture that can be shown."""
        if not (self.format and self.record and self.record.payload_digest):
            return None
        return self.record.payload_digest.removeprefix("sha256:"), self.record.place

    @property
    def digits(self) -> str | None:
        return self.shown[0] if self.shown else None


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
class Picture:
    number: int
    url: str
    written: str
    place: str
    alt: str
    caption: str
    copies: tuple[Copy, ...]

    @property
    def comparison(self) -> str:
        """What the proxy's copy and the publisher's own have in common; "" unless both are here."""
        shown = [copy for copy in self.copies if copy.record and copy.format]
        if len(shown) < 2:
            return ""
        one, other = shown[0], shown[-1]
        if one.digits == other.digits:
            return "Both copies are the same bytes."
        bits = hamming(one.phash, other.phash) if one.phash_label == other.phash_label else None
        if bits is None:
            return "The two copies are different bytes."
        alike = "they look alike" if bits <= _ALIKE else "they do not look alike"
        return (
            f"The two copies are different bytes. Their perceptual hashes differ in {bits} of"
            f" {4 * len(one.phash or '')} bits: {alike}, which is a hint and no proof."
        )


@dataclass(frozen=True)
class Page:
    """All that the page of one article shows."""

    card: Card
    given: str
    url: str
    claims: tuple[Claim, ...]
    related: tuple[Card, ...]
    blocks: tuple[tuple[str, str, int | None], ...]  # kind, text, picture's number
    pictures: dict[int, Picture] = field(default_factory=dict)
    source: Stored | None = None
    note: Stored | None = None


def load_page(db: sqlite3.Connection, article: int) -> Page | None:
    """Everything about one article, None when there is none with this number."""
    row = db.execute("SELECT * FROM articles WHERE id = ?", (article,)).fetchone()
    if row is None:
        return None
    related = db.execute(
        "SELECT * FROM articles WHERE url = ? AND id <> ? ORDER BY archived, id LIMIT ?",
        (row["url"], article, _RELATED),
    ).fetchall()
    blocks = db.execute("SELECT * FROM blocks WHERE article_id = ? ORDER BY number", (article,))
    stored = _stored(db, [row["source_id"], row["note_id"]])
    return Page(
        card=make_cards(db, [row])[0],
        given=words.plain(row["given"]),
        url=words.plain(row["url"]),
        claims=_claims(db, [row, *related]),
        related=tuple(make_cards(db, related)),
        blocks=tuple((each["kind"], words.plain(each["text"]), each["picture"]) for each in blocks),
        pictures=_pictures(db, article),
        source=stored.get(row["source_id"]),
        note=stored.get(row["note_id"]),
    )


def _claims(db: sqlite3.Connection, articles: Rows) -> tuple[Claim, ...]:
    """Every claimed time of an article and of the other sources of it, earliest first."""
    names = {row["id"]: _name(row) for row in articles}
    rows = select(db, "SELECT * FROM times WHERE article_id IN ({}) ORDER BY rowid", list(names))
    timed = [(words.moment(row["value"]), row) for row in rows]
    earliest = min((time for time, _ in timed if time), default=None)
    timed.sort(key=lambda each: (each[0] is None, each[0] and each[0].timestamp()))
    claims: list[Claim] = []
    for time, row in timed:
        of = "" if row["picture"] is None else f", picture {row['picture'] + 1}"
        claims.append(
            Claim(
                article=row["article_id"],
                where=names[row["article_id"]] + of,
                clock=words.CLOCKS.get(row["clock"], words.plain(row["clock"])),
                written=words.plain(row["written"]),
                time=words.clock_time(row["value"]),
                later=words.later_by(time - earliest) if time and earliest and time > earliest else "",
            )
        )
    return tuple(claims)


def _name(article: sqlite3.Row) -> str:
    """`Mirror document 000.txt`, `Page`: the source, with what a URL does not say already."""
    kind = words.KINDS.get(article["kind"], words.plain(article["kind"]))
    return kind if article["given"] == article["url"] else f"{kind} {words.plain(article['given'])}"


_FORMS = """
SELECT forms.*, article_pictures.number AS picture,
       fetches.outcome, fetches.stage, fetches.reason, fetches.status, fetches.response_id,
       pictures.format, pictures.width, pictures.height, pictures.phash, pictures.phash_label
FROM forms JOIN article_pictures ON article_pictures.id = forms.article_picture_id
LEFT JOIN fetches ON fetches.id = forms.fetch_id
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE article_pictures.article_id = ? ORDER BY article_pictures.number, forms.number
"""


def _pictures(db: sqlite3.Connection, article: int) -> dict[int, Picture]:
    forms = db.execute(_FORMS, (article,)).fetchall()
    stored = _stored(db, [row["response_id"] for row in forms if row["response_id"]])
    hops: dict[int, list[tuple[str, int | None]]] = defaultdict(list)
    for row in select(
        db,
        "SELECT * FROM hops WHERE fetch_id IN ({}) ORDER BY fetch_id, number",
        [row["fetch_id"] for row in forms],
    ):
        hops[row["fetch_id"]].append((words.plain(row["url"]), row["status"]))
    copies: dict[int, list[Copy]] = defaultdict(list)
    for row in forms:
        copies[row["picture"]].append(
            _copy(row, stored.get(row["response_id"]), tuple(hops[row["fetch_id"]]))
        )
    rows = db.execute("SELECT * FROM article_pictures WHERE article_id = ? ORDER BY number", (article,))
    return {
        row["number"]: Picture(
            number=row["number"],
            url=words.plain(row["url"]),
            written=words.plain(row["written"]),
            place=words.plain(row["place"]),
            alt=words.plain(row["alt"]),
            caption=words.plain(row["caption"]),
            copies=tuple(copies[row["number"]]),
        )
        for row in rows
    }


def _copy(row: sqlite3.Row, record: Stored | None, hops: tuple[tuple[str, int | None], ...]) -> Copy:
    return Copy(
        form=words.FORMS.get(row["form"], words.plain(row["form"])),
        proxy=words.plain(row["proxy"]),
        url=words.plain(row["url"]),
        fetch_id=row["fetch_id"],
        outcome=row["outcome"],
        sentence=_sentence(row, record),
        hops=hops,
        record=record,
        format=row["format"],
        width=row["width"],
        height=row["height"],
        phash=words.plain(row["phash"]) or None,
        phash_label=row["phash_label"],
    )


def _sentence(row: sqlite3.Row, record: Stored | None) -> str:
    """What to say about a copy that is not simply saved; "" when it is."""
    if row["outcome"] is None:
        return "Never asked for."
    if row["outcome"] != "whole":
        proxied = row["form"] == "proxied"
        return words.missing(row["outcome"], row["stage"], row["status"], row["reason"], proxied=proxied)
    if row["format"]:
        return ""
    if record and record.unreadable:
        return f"Saved, but the picture cannot be decoded: {record.unreadable}."
    if record and record.mime == "image/svg+xml":
        return "Saved. SVG pictures are kept, but not drawn here."
    return f"Saved, but what came is no picture that is known here ({record.mime if record else ''})."


_STORED = """
SELECT records.*, warcs.path FROM records
JOIN warcs ON warcs.id = records.warc_id WHERE records.record_id IN ({})
"""


def _stored(db: sqlite3.Connection, record_ids: Iterable[str]) -> dict[str, Stored]:
    return {
        row["record_id"]: Stored(
            id=row["id"],
            record_id=words.plain(row["record_id"]),
            type=words.plain(row["type"]),
            date=words.plain(row["date"]),
            uri=words.plain(row["uri"]),
            warc=words.plain(row["path"]),
            offset=row["offset"],
            length=row["length"],
            digest=words.plain(row["digest"]),
            payload_digest=row["payload_digest"],
            payload_bytes=row["payload_bytes"],
            mime=words.plain(row["mime"]),
            unreadable=words.plain(row["unreadable"]),
        )
        for row in select(db, _STORED, list(record_ids))
    }
