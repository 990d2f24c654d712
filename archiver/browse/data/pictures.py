"""An article's pictures with all their forms, as plain data for the templates. All text is cleaned here."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data.cards import select
from archiver.browse.data.metadata import Said, load_said
from archiver.browse.data.stored import Stored, load_stored
from archiver.index.pairs import pair_of, pair_words
from archiver.model import Location

_WHOSE = {"proxied": "the proxy's copy", "origin": "the publisher's own"}


@dataclass(frozen=True)
class Copy:
    """One form of a picture: its URL, what came of asking for it, and the picture that came."""

    form: str
    name: str
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
class Member:
    """A rendition of a picture that is in the archive as its publisher served it."""

    url: str
    size: str
    article: int


@dataclass(frozen=True)
class Picture:
    number: int
    url: str
    place: str
    alt: str
    caption: str
    unwanted: str
    aside: bool  # outside the article, or not wanted
    claims: str
    copies: tuple[Copy, ...]
    members: tuple[Member, ...]
    said: Said | None  # by the files of themselves
    comparison: str  # of the proxy's copy and the publisher's own, in a sentence; "" unless both are here

    @property
    def main(self) -> tuple[Copy, ...]:
        """What to show: all but guesses that did not come."""
        return tuple(copy for copy in self.copies if copy.digits or copy.form != "rendition")

    @property
    def guesses(self) -> tuple[Copy, ...]:
        return tuple(copy for copy in self.copies if copy not in self.main)

    @property
    def lead(self) -> Copy | None:
        """The copy to show where there is room for one: the publisher's own, if it can be shown."""
        shown = [copy for copy in self.copies if copy.digits]
        return max(shown, key=lambda copy: copy.form == "origin", default=None)


_FORMS = """
SELECT forms.*, article_pictures.number AS picture,
       fetches.outcome, fetches.memento, fetches.stage, fetches.reason, fetches.status, fetches.response_id,
       pictures.format, pictures.width, pictures.height,
       picture_hashes.value AS phash, picture_hashes.label AS phash_label
FROM forms JOIN article_pictures ON article_pictures.id = forms.article_picture_id
LEFT JOIN fetches ON fetches.id = forms.fetch_id
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
LEFT JOIN picture_hashes ON picture_hashes.rowid = (SELECT min(rowid) FROM picture_hashes
    WHERE payload_digest = fetches.payload_digest AND label LIKE 'phash64/%')
WHERE article_pictures.article_id = ? ORDER BY article_pictures.number, forms.number
"""


_MEMBERS = """
SELECT article_pictures.rendition_group AS shared, forms.url, min(article_pictures.article_id) AS article,
       pictures.format, pictures.width, pictures.height
FROM article_pictures JOIN forms ON forms.article_picture_id = article_pictures.id
JOIN fetches ON fetches.id = forms.fetch_id
JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE forms.form IN ('origin', 'rendition') AND fetches.outcome = 'whole'
  AND article_pictures.rendition_group IN ({})
GROUP BY shared, forms.url ORDER BY pictures.width * pictures.height DESC, forms.url LIMIT 1000
"""


def load_pictures(db: sqlite3.Connection, article: int) -> dict[int, Picture]:
    """An article's pictures by their numbers."""
    rows = db.execute(
        "SELECT article_pictures.*, times.value AS uploaded FROM article_pictures"
        " LEFT JOIN times ON times.article_id = article_pictures.article_id AND times.picture = number"
        " AND times.clock = 'guid' WHERE article_pictures.article_id = ? GROUP BY number ORDER BY number",
        (article,),
    ).fetchall()
    copies = _copies(db, article)
    members: dict[str, list[Member]] = defaultdict(list)
    groups = sorted({row["rendition_group"] for row in rows if row["rendition_group"]})
    for row in select(db, _MEMBERS, groups):
        size = f"{row['width']} × {row['height']} {row['format']}"
        members[row["shared"]].append(Member(words.plain(row["url"]), size, row["article"]))
    return {
        row["number"]: Picture(
            number=row["number"],
            url=words.plain(row["url"]),
            place=words.plain(row["place"]),
            alt=words.plain(row["alt"]),
            caption=words.plain(row["caption"]),
            unwanted=words.plain(row["unwanted"]),
            aside=bool(row["unwanted"]) or row["part"] == "page",
            claims=_claims(row),
            copies=tuple(copies[row["number"]]),
            members=tuple(members.get(row["rendition_group"], ())),
            said=_said(db, copies[row["number"]]),
            comparison=_compared(db, copies[row["number"]]),
        )
        for row in rows
    }


def _said(db: sqlite3.Connection, copies: list[Copy]) -> Said | None:
    """What the publisher's copy says of itself beside the proxy's; else what the one there is says."""
    shown = {copy.form: f"sha256:{copy.digits}" for copy in reversed(copies) if copy.digits}
    return load_said(db, shown.get("origin") or shown.get("memento"), shown.get("proxied"))


def _compared(db: sqlite3.Connection, copies: list[Copy]) -> str:
    """What the proxy's copy and the publisher's own have in common."""
    shown = [copy for copy in copies if copy.digits and copy.form in {"proxied", "origin"}]
    if len(shown) < 2:
        return ""
    one, other = shown[0], shown[-1]
    if one.digits == other.digits:
        return "Both copies are the same bytes."
    pair = pair_of(db, f"sha256:{one.digits}", f"sha256:{other.digits}")
    if pair is None:
        return "The two copies are different bytes, and have not been compared by their pixels yet."
    names = [_WHOSE[copy.form] for copy in (one, other)]
    names = names if pair[0] == f"sha256:{one.digits}" else names[::-1]
    return f"By the pixels of both copies: {pair_words(pair[2], *names)}."


def _claims(row: sqlite3.Row) -> str:
    """What a picture's URL claims of it: a sentence, or ""."""
    width, height = row["rendition_width"], row["rendition_height"]
    size = f"{width} × {height} pixels" if width and height else ""
    size = size or (f"{width} pixels wide" if width else f"{height} pixels high" if height else "")
    area = words.plain(row["rendition_area"])
    uploaded = words.clock_time(row["uploaded"])
    claims = (size, area and f"cut to {area}", uploaded and f"uploaded {uploaded}")
    said = ", ".join(claim for claim in claims if claim)
    family = words.plain(row["rendition_family"])
    naming = f", as {family} names pictures" if family else ""
    return f"Its name claims: {said}{naming}." if said else ""


def _copies(db: sqlite3.Connection, article: int) -> dict[int, list[Copy]]:
    forms = db.execute(_FORMS, (article,)).fetchall()
    stored = load_stored(db, [row["response_id"] for row in forms if row["response_id"]])
    hops: dict[int, list[tuple[str, int | None]]] = defaultdict(list)
    for row in select(
        db,
        "SELECT * FROM hops WHERE fetch_id IN ({}) ORDER BY fetch_id, number",
        [row["fetch_id"] for row in forms],
    ):
        hops[row["fetch_id"]].append((words.plain(row["url"]), row["status"]))
    copies: dict[int, list[Copy]] = defaultdict(list)
    for row in forms:
        record = stored.get(row["response_id"])
        copies[row["picture"]].append(_copy(row, record, tuple(hops[row["fetch_id"]])))
    return copies


def _copy(row: sqlite3.Row, record: Stored | None, hops: tuple[tuple[str, int | None], ...]) -> Copy:
    return Copy(
        form=row["form"],
        name=words.form_name(row["form"], row["url"], row["memento"]),
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
        return words.missing(row["outcome"], row["stage"], row["status"], row["reason"], row["form"])
    if row["format"]:
        return ""
    if record and record.unreadable:
        return f"Saved, but the picture cannot be decoded: {record.unreadable}."
    if record and record.mime == "image/svg+xml":
        return "Saved. SVG pictures are kept, but not drawn here."
    return f"Saved, but what came is no picture that is known here ({record.mime if record else ''})."
