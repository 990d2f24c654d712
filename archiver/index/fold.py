"""One stored record → the catalogue's rows. Called in file order, it gives the same rows each time."""

import sqlite3
from typing import Any

from sqlite_utils import Database

from archiver.errors import RecordError
from archiver.index.clusters import note_mark
from archiver.index.fetched import add_fetch, add_form
from archiver.index.foreign import catalogued, foreign_note, note_claim, pass_over
from archiver.index.hashes import note_hashes
from archiver.index.metadata import note_metadata
from archiver.index.reader import note_of
from archiver.index.rows import IMPORTED, insert, insert_all, value
from archiver.index.runs import note_run, run_of
from archiver.index.search import index_article
from archiver.index.tallies import tally_article
from archiver.index.texts import note_comparisons, note_page
from archiver.model import (
    GAP,
    Article,
    ArticleNote,
    ClaimedTime,
    Entry,
    FetchNote,
    ImportNote,
    ListingNote,
    MarkNote,
    Note,
    Reference,
    Rendition,
    RunNote,
    UnreadableNote,
)
from archiver.sandbox import Sandbox
from archiver.storage import is_imported


def fold(db: Database, warc: str, entry: Entry, stored: bytes | None, sandbox: Sandbox) -> None:
    """Add the rows of one record; part of the caller's transaction. None: its bytes are not at hand.

    RecordError when they contradict rows that are there, or hold a number that no row can.
    """
    try:
        _rows(db, warc, entry, stored, sandbox)
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
        raise RecordError(f"{warc}: record {entry.id} at {entry.offset} has no place: {error}") from error


def _rows(db: Database, warc: str, entry: Entry, stored: bytes | None, sandbox: Sandbox) -> None:
    foreign = is_imported(warc)
    if foreign and entry.type != GAP:
        entry = catalogued(db, entry)
    warc_id, number = _warc(db, warc, entry)
    if entry.type == GAP or stored == b"":  # of an imported file: no record, or one too large to be held
        return
    insert(
        db,
        "records",
        warc_id=warc_id,
        number=number,
        offset=entry.offset,
        length=entry.length,
        digest=entry.digest,
        type=entry.type,
        record_id=entry.id,
        date=entry.date,
        uri=entry.uri,
        refers_to=entry.refers_to,
        status=entry.status,
        mime=entry.mime,
        payload_digest=entry.payload_digest,
        payload_bytes=entry.payload_bytes,
        truncated=entry.truncated,
        unreadable=entry.unreadable,
    )
    new_picture = _picture(db, entry)
    if stored is None:
        return
    if new_picture:
        note_metadata(db, warc, entry, stored, sandbox)
    if entry.type == "warcinfo":
        run_id = run_of(db, entry, stored, foreign=foreign)
        db.execute("UPDATE warcs SET run_id = coalesce(?, run_id) WHERE id = ?", [run_id, warc_id])
    if foreign:
        note_claim(db, entry, stored)
        _foreign_note(db, warc, entry, stored, warc_id)
    elif note := note_of(entry, stored):
        _note(db, entry, note, warc_id)


def _foreign_note(db: Database, warc: str, entry: Entry, stored: bytes, warc_id: int) -> None:
    """The rows of a note in an imported file; one that does not count is passed over."""
    try:
        with db.atomic():
            if note := foreign_note(db, entry, stored):
                _note(db, entry, note, warc_id, foreign=True)
    except (RecordError, sqlite3.IntegrityError, sqlite3.DataError, OverflowError):
        pass_over(db, warc)


def _note(db: Database, entry: Entry, note: Note, warc_id: int, *, foreign: bool = False) -> None:
    match note:
        case ArticleNote():
            _article(db, entry, note, _saved(db, entry, foreign=foreign))
        case ListingNote():
            _listing(db, entry, note, _saved(db, entry, foreign=foreign))
        case FetchNote():
            add_fetch(db, entry, note, warc_id, foreign=foreign)
            if note.purpose == "page" and note.hops and note.hops[-1].response:
                note_page(db, note.hops[-1].response)
        case RunNote():
            note_run(db, entry, note, foreign=foreign)
        case MarkNote():
            note_mark(db, entry, note)
        case ImportNote():
            insert(db, "imports", imported=entry.date, note_id=entry.id, **_import(note))
        case UnreadableNote():
            insert(
                db,
                "unreadable_sources",
                given=note.given,
                reason=note.reason,
                archived=_saved(db, entry, foreign=foreign),
                note_id=entry.id,
                source_id=entry.refers_to or "",
            )


def _import(note: ImportNote) -> dict[str, Any]:
    return {"path" if name == "file" else name: getattr(note, name) for name in note.__struct_fields__}


_AT_ONCE = 1 / 24  # days
_SOURCE_DATE = f"""
SELECT date FROM records JOIN warcs ON warcs.id = warc_id
WHERE record_id = ? AND {IMPORTED} LIMIT 1
"""  # noqa: S608 - our own words


def _saved(db: Database, entry: Entry, *, foreign: bool) -> str:
    """When what a note was read from was captured: of an imported record its date, else the note's.

    A note of another archive on its own capture was made at once; one made later is of its own import.
    """
    imported: str | None = value(db, _SOURCE_DATE, entry.refers_to)
    if not foreign:
        return imported or entry.date
    later = imported and value(db, "SELECT julianday(?) - julianday(?) > ?", entry.date, imported, _AT_ONCE)
    return (imported if later else entry.date) or imported or ""


def _warc(db: Database, path: str, entry: Entry) -> tuple[int, int]:
    """The file's id, and the record's place in it."""
    end = entry.offset + entry.length
    if entry.offset == 0:
        return insert(db, "warcs", path=path, records=1, bytes=end), 0
    found = db.execute(
        "UPDATE warcs SET records = records + 1, bytes = ? WHERE path = ? RETURNING id, records", [end, path]
    ).fetchone()
    if found is None:  # an imported file may begin with bytes that are no record
        return insert(db, "warcs", path=path, records=1, bytes=end), 0
    return found[0], found[1] - 1


def _picture(db: Database, entry: Entry) -> bool:
    """Whether it is a picture that was not there yet."""
    if entry.picture is None:
        return False
    row = {
        "payload_digest": entry.payload_digest,
        "format": entry.picture.format,
        "width": entry.picture.width,
        "height": entry.picture.height,
        "bytes": entry.payload_bytes,
        "kind": entry.picture.kind,
    }
    new = value(db, "SELECT 1 FROM pictures WHERE payload_digest = ?", entry.payload_digest) is None
    if new:
        insert(db, "pictures", **row)
    note_hashes(db, entry)
    return new


def _article(db: Database, entry: Entry, note: ArticleNote, saved: str) -> None:
    article = note.article
    tally_article(db, article)
    article_id = insert(
        db,
        "articles",
        title=article.title,
        url=article.url,
        kind=article.kind,
        given=note.given,
        language=article.language,
        authors="\n".join(article.authors),
        section=article.section,
        reader=article.reader,
        archived=saved,
        left_out="\n".join(article.left_out),
        note_id=entry.id,
        source_id=entry.refers_to or "",
    )
    insert_all(
        db,
        "blocks",
        (
            {
                "article_id": article_id,
                "number": number,
                "kind": block.kind,
                "text": block.text,
                "picture": block.picture,
            }
            for number, block in enumerate(article.blocks)
        ),
    )
    insert_all(db, "times", _times(article_id, article))
    for reference in article.references:
        _reference(db, article_id, reference)
    note_comparisons(db, article_id, article, entry.refers_to or "")
    index_article(db, article_id)


def _listing(db: Database, entry: Entry, note: ListingNote, saved: str) -> None:
    listing = note.listing
    listing_id = insert(
        db,
        "listings",
        kind=listing.kind,
        title=listing.title,
        url=listing.url,
        given=note.given,
        archived=saved,
        left_out="\n".join(listing.left_out),
        note_id=entry.id,
        source_id=entry.refers_to or "",
    )
    insert_all(
        db,
        "links",
        (
            {
                "listing_id": listing_id,
                "number": number,
                "role": link.role,
                "url": link.url,
                "title": link.title,
                "modified": link.modified,
            }
            for number, link in enumerate(listing.links)
        ),
    )


def _times(article_id: int, article: Article) -> list[dict[str, Any]]:
    claims: list[tuple[int | None, ClaimedTime]] = [(None, claim) for claim in article.times]
    claims += [(reference.number, claim) for reference in article.references for claim in reference.times]
    return [
        {
            "article_id": article_id,
            "picture": picture,
            "clock": claim.clock,
            "written": claim.written,
            "value": claim.value,
        }
        for picture, claim in claims
    ]


def _reference(db: Database, article_id: int, reference: Reference) -> None:
    picture_id = insert(
        db,
        "article_pictures",
        article_id=article_id,
        number=reference.number,
        written=reference.written,
        url=reference.url,
        place=reference.place,
        part=reference.part,
        alt=reference.alt,
        caption=reference.caption,
        unwanted=reference.unwanted,
        **_rendition(reference.rendition),
    )
    for number, form in enumerate(reference.forms):
        add_form(db, picture_id, number, form)


def _rendition(rendition: Rendition | None) -> dict[str, Any]:
    if rendition is None:
        return {}
    return {f"rendition_{name}": getattr(rendition, name) for name in rendition.__struct_fields__}
