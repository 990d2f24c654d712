"""What came of a URL → rows of `fetches` and `hops`, and which fetch each form of a picture shows."""

from sqlite_utils import Database

from archiver.index.rows import IMPORTED, insert, insert_all, value
from archiver.index.tallies import host_of, tally_fetch
from archiver.model import Entry, FetchNote, Form

_EARLIER = """
SELECT id FROM fetches WHERE url = ? AND purpose = 'picture'
ORDER BY outcome = 'whole' DESC, outcome = 'skipped', imported, id DESC LIMIT 1
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


def add_form(db: Database, picture_id: int, number: int, form: Form) -> None:
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


_ANSWER = f"""
SELECT payload_digest, {IMPORTED} FROM records JOIN warcs ON warcs.id = warc_id
WHERE record_id = ? LIMIT 1
"""  # noqa: S608 - our own words
_STANDS_FOR = f"""
UPDATE records SET refers_to = :original,
    payload_digest = (SELECT payload_digest FROM records WHERE record_id = :original LIMIT 1)
WHERE record_id = :revisit AND type = 'revisit'
AND warc_id IN (SELECT id FROM warcs WHERE {IMPORTED})
"""  # noqa: S608


def add_fetch(db: Database, entry: Entry, note: FetchNote, warc_id: int, *, foreign: bool = False) -> None:
    if not foreign:
        for hop in note.hops:
            if hop.stands_for:
                db.execute(_STANDS_FOR, {"original": hop.stands_for, "revisit": hop.response})
    article_id = value(db, "SELECT id FROM articles WHERE note_id = ?", note.article)
    last = note.hops[-1] if note.hops else None
    answer = db.execute(_ANSWER, [last.response]).fetchone() if last else None
    payload, imported = answer or (None, 0)
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
        imported=int(imported or foreign),
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
        add_form(db, picture_id, count, Form(form="memento", url=note.url))
