"""An article's pictures with all their forms, as plain data for the templates."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data import verdicts
from archiver.browse.data.cards import select
from archiver.browse.data.metadata import Said, load_said
from archiver.browse.data.stored import Stored, load_stored
from archiver.browse.language import Language, Say
from archiver.index.pairs import pair_of, representative
from archiver.model import Location


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
    original: Stored | None  # has the bytes, where `record` is a revisit
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
        return self.record.payload_digest.removeprefix("sha256:"), (self.original or self.record).place

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
class Compared:
    """What two copies have to do with each other; `pair` is the end of the address that shows both."""

    sentence: str
    pair: str | None


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
    compared: Compared | None  # the proxy's copy and the publisher's own; None unless both are here

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


def load_pictures(db: sqlite3.Connection, article: int, language: Language) -> dict[int, Picture]:
    """An article's pictures by their numbers."""
    rows = db.execute(
        "SELECT article_pictures.*, times.value AS uploaded FROM article_pictures"
        " LEFT JOIN times ON times.article_id = article_pictures.article_id AND times.picture = number"
        " AND times.clock = 'guid' WHERE article_pictures.article_id = ? GROUP BY number ORDER BY number",
        (article,),
    ).fetchall()
    copies = _copies(db, article, language.say)
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
            claims=_claims(row, language.say),
            copies=tuple(copies[row["number"]]),
            members=tuple(members.get(row["rendition_group"], ())),
            said=_said(db, copies[row["number"]], language),
            compared=_compared(db, copies[row["number"]], language),
        )
        for row in rows
    }


def _said(db: sqlite3.Connection, copies: list[Copy], language: Language) -> Said | None:
    """What the publisher's copy says of itself beside the proxy's; else what the one there is says."""
    shown = {copy.form: f"sha256:{copy.digits}" for copy in reversed(copies) if copy.digits}
    return load_said(db, shown.get("origin") or shown.get("memento"), shown.get("proxied"), language)


def _compared(db: sqlite3.Connection, copies: list[Copy], language: Language) -> Compared | None:
    """What the proxy's copy and the publisher's own have in common; None unless both are here."""
    say = language.say
    shown = {copy.form: copy.digits for copy in copies if copy.digits}
    proxied, origin = shown.get("proxied"), shown.get("origin")
    if not (proxied and origin):
        return None
    if proxied == origin:
        return Compared(say("Both copies are the same bytes."), None)
    against = f"{origin}/against/{proxied}"
    pair = pair_of(db, f"sha256:{origin}", f"sha256:{proxied}")
    if pair is None and representative(db, f"sha256:{origin}") == representative(db, f"sha256:{proxied}"):
        return Compared(say("Both copies are re-encodings of another picture in this archive."), against)
    if pair is None:
        unknown = say("The two copies are different bytes, and have not been compared by their pixels yet.")
        return Compared(unknown, against)
    names = say("the publisher's own"), say("the proxy's copy")
    said = verdicts.sentence(pair[2], language, *(names if pair[0] == f"sha256:{origin}" else names[::-1]))
    return Compared(say("By the pixels of both copies: %(said)s.", said=said), against)


def _claims(row: sqlite3.Row, say: Say) -> str:
    """What a picture's URL claims of it: a sentence, or ""."""
    width, height = row["rendition_width"], row["rendition_height"]
    claims = []
    if width and height:
        claims.append(say("%(width)s × %(height)s pixels", width=width, height=height))
    elif width:
        claims.append(say("%(width)s pixels wide", width=width))
    elif height:
        claims.append(say("%(height)s pixels high", height=height))
    if area := words.plain(row["rendition_area"]):
        claims.append(say("cut to %(area)s", area=area))
    if uploaded := words.clock_time(row["uploaded"]):
        claims.append(say("uploaded %(when)s", when=uploaded))
    said = say(", ").join(claims)
    if said and (family := words.plain(row["rendition_family"])):
        return say("Its name claims: %(said)s, as %(family)s names pictures.", said=said, family=family)
    return said and say("Its name claims: %(said)s.", said=said)


def _copies(db: sqlite3.Connection, article: int, say: Say) -> dict[int, list[Copy]]:
    forms = db.execute(_FORMS, (article,)).fetchall()
    stored = load_stored(db, [row["response_id"] for row in forms if row["response_id"]])
    originals = load_stored(db, [each.refers_to for each in stored.values() if each.type == "revisit"])
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
        original = originals.get(record.refers_to) if record else None
        copies[row["picture"]].append(_copy(row, (record, original), tuple(hops[row["fetch_id"]]), say))
    return copies


def _copy(
    row: sqlite3.Row,
    stored: tuple[Stored | None, Stored | None],
    hops: tuple[tuple[str, int | None], ...],
    say: Say,
) -> Copy:
    record, original = stored
    return Copy(
        form=row["form"],
        name=words.form_name(row["form"], row["url"], row["memento"], say),
        proxy=words.plain(row["proxy"]),
        url=words.plain(row["url"]),
        fetch_id=row["fetch_id"],
        outcome=row["outcome"],
        sentence=_sentence(row, original or record, say),
        hops=hops,
        record=record,
        original=original,
        format=row["format"],
        width=row["width"],
        height=row["height"],
        phash=words.plain(row["phash"]) or None,
        phash_label=row["phash_label"],
    )


def _sentence(row: sqlite3.Row, record: Stored | None, say: Say) -> str:
    """What to say about a copy that is not simply saved; "" when it is."""
    if row["outcome"] is None:
        return say("Never asked for.")
    if row["outcome"] != "whole":
        return words.missing(row["outcome"], row["stage"], row["status"], row["reason"], row["form"], say)
    if row["format"]:
        return ""
    if record and record.unreadable:
        return say("Saved, but the picture cannot be decoded: %(why)s.", why=record.unreadable)
    if record and record.mime == "image/svg+xml":
        return say("Saved. SVG pictures are kept, but not drawn here.")
    mime = record.mime if record else ""
    return say("Saved, but what came is no picture that is known here (%(mime)s).", mime=mime)
