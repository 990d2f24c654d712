"""One stored record → the catalogue's rows. Called in file order, it gives the same rows each time."""

import sqlite3
from typing import Any

from sqlite_utils import Database

from archiver.errors import RecordError
from archiver.index.clusters import note_mark
from archiver.index.hashes import note_hashes
from archiver.index.metadata import note_metadata
from archiver.index.reader import note_of
from archiver.index.rows import insert, insert_all, value
from archiver.index.runs import note_run, run_of
from archiver.index.search import index_article
from archiver.index.tallies import host_of, tally_article, tally_fetch
from archiver.index.texts import note_comparisons
from archiver.model import (
    Article,
    ArticleNote,
    ClaimedTime,
    Entry,
    FetchNote,
    Form,
    ListingNote,
    MarkNote,
    Reference,
    Rendition,
    RunNote,
    UnreadableNote,
)
from archiver.sandbox import Sandbox


def fold(db: Database, warc: str, entry: Entry, stored: bytes, sandbox: Sandbox) -> None:
    """Add the rows of one record; part of the caller's transaction.

    RecordError when they contradict rows that are there, or hold a number that no row can.
    """
    try:
        _rows(db, warc, entry, stored, sandbox)
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
        raise RecordError(f"{warc}: record {entry.id} at {entry.offset} has no place: {error}") from error


def _rows(db: Database, warc: str, entry: Entry, stored: bytes, sandbox: Sandbox) -> None:
    warc_id, number = _warc(db, warc, entry)
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
    if _picture(db, entry):
        note_metadata(db, entry, stored, sandbox)
    if entry.type == "warcinfo":
        db.execute("UPDATE warcs SET run_id = ? WHERE id = ?", [run_of(db, entry, stored), warc_id])
    match note_of(entry, stored):
        case ArticleNote() as note:
            _article(db, entry, note)
        case ListingNote() as note:
            _listing(db, entry, note)
        case FetchNote() as note:
            _fetch(db, entry, note, warc_id)
        case RunNote() as note:
            note_run(db, entry, note)
        case MarkNote() as note:
            note_mark(db, entry, note)
        case UnreadableNote() as note:
            insert(
                db,
                "unreadable_sources",
                given=note.given,
                reason=note.reason,
                archived=entry.date,
                note_id=entry.id,
                source_id=entry.refers_to or "",
            )


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


def _article(db: Database, entry: Entry, note: ArticleNote) -> None:
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
        archived=entry.date,
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


def _listing(db: Database, entry: Entry, note: ListingNote) -> None:
    listing = note.listing
    listing_id = insert(
        db,
        "listings",
        kind=listing.kind,
        title=listing.title,
        url=listing.url,
        given=note.given,
        archived=entry.date,
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
        _form(db, picture_id, number, form)


def _rendition(rendition: Rendition | None) -> dict[str, Any]:
    if rendition is None:
        return {}
    return {f"rendition_{name}": getattr(rendition, name) for name in rendition.__struct_fields__}


_EARLIER = """
SELECT id FROM fetches WHERE url = ? AND purpose = 'picture'
ORDER BY outcome = 'whole' DESC, outcome = 'skipped', id DESC LIMIT 1
"""


# A capture is better than a failure, and a failure better than nothing; of equals the article's newest.
_NEWER = """
UPDATE forms SET fetch_id = :fetch WHERE url = :url AND (
    fetch_id IS NULL
    OR :outcome = 'whole' AND (SELECT outcome FROM fetches WHERE id = forms.fetch_id) <> 'whole'
    OR article_picture_id IN (SELECT id FROM article_pictures WHERE article_id = :article)
       AND (:outcome = 'whole' OR :outcome <> 'skipped'
            AND (SELECT outcome FROM fetches WHERE id = forms.fetch_id) <> 'whole'))
"""


def _form(db: Database, picture_id: int, number: int, form: Form) -> None:
    """A form starts with the newest earlier fetch of its URL, a whole one if there is any."""
    earlier = value(db, _EARLIER, form.url)
    insert(
        db,
        "forms",
        article_picture_id=picture_id,
        number=number,
        form=form.form,
        proxy=form.proxy,
        url=form.url,
        fetch_id=earlier,
    )


def _fetch(db: Database, entry: Entry, note: FetchNote, warc_id: int) -> None:
    article_id = value(db, "SELECT id FROM articles WHERE note_id = ?", note.article)
    last = note.hops[-1] if note.hops else None
    payload = (
        value(db, "SELECT payload_digest FROM records WHERE record_id = ?", last.response) if last else None
    )
    fetch_id = insert(
        db,
        "fetches",
        url=note.url,
        host=host_of(note.url) or None,
        purpose=note.purpose,
        outcome=note.outcome,
        started=note.started,
        run_id=value(db, "SELECT run_id FROM warcs WHERE id = ?", warc_id),
        unchanged=int(note.unchanged),
        attempt=note.attempt,
        retry=note.retry,
        article_id=article_id,
        form=note.form,
        original=note.original,
        memento=note.memento,
        referer=note.referer,
        stage=note.stage,
        reason=note.reason,
        status=last.status if last else None,
        response_id=last.response if last else None,
        payload_digest=payload,
        note_id=entry.id,
    )
    insert_all(
        db,
        "hops",
        (
            {
                "fetch_id": fetch_id,
                "number": number,
                "url": hop.url,
                "attempt": hop.attempt,
                "status": hop.status,
                "request_id": hop.request,
                "response_id": hop.response,
            }
            for number, hop in enumerate(note.hops)
        ),
    )
    tally_fetch(db, note)
    if note.form == "memento" and article_id is not None:
        _memento(db, article_id, note)
    if note.purpose == "picture":
        db.execute(
            _NEWER, {"fetch": fetch_id, "url": note.url, "outcome": note.outcome, "article": article_id}
        )


# Pictures of any article that are the same URL's, were asked for, and of which nothing has come whole.
_DEAD = """
SELECT DISTINCT forms.article_picture_id FROM forms WHERE forms.url = :original AND forms.form <> 'memento'
AND EXISTS (SELECT 1 FROM forms AS f WHERE f.article_picture_id = forms.article_picture_id
            AND f.fetch_id IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM forms AS f LEFT JOIN fetches ON fetches.id = f.fetch_id
                WHERE f.article_picture_id = forms.article_picture_id
                AND (fetches.outcome = 'whole' OR f.form = 'memento' AND f.url = :url))
UNION
SELECT id FROM article_pictures WHERE article_id = :article
AND number IN (SELECT value FROM json_each(:numbers))
AND NOT EXISTS (SELECT 1 FROM forms AS f WHERE f.article_picture_id = article_pictures.id
                AND f.form = 'memento' AND f.url = :url)
ORDER BY 1
"""


def _memento(db: Database, article_id: int, note: FetchNote) -> None:
    """Another archive's copy was asked for when all else had failed: one more form of these pictures."""
    of = {
        "original": note.original,
        "url": note.url,
        "article": article_id,
        "numbers": str(list(note.references)),
    }
    for (picture_id,) in db.execute(_DEAD, of).fetchall():
        count = value(db, "SELECT count(*) FROM forms WHERE article_picture_id = ?", picture_id)
        _form(db, picture_id, count, Form(form="memento", url=note.url))
