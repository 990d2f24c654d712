"""One picture with all that belongs to it, as plain data for the template. All text is cleaned here."""

import sqlite3
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.data import verdicts
from archiver.browse.data.cards import Rows, select
from archiver.browse.data.looks import Look, best_members, cluster_of, count_members, load_look
from archiver.browse.data.metadata import Said, load_said
from archiver.browse.data.stored import Stored, load_stored
from archiver.browse.language import Language
from archiver.index.clusters import KEPT_APART, marked
from archiver.index.pairs import pair_of
from archiver.model import MERGED

RECORDS, USES, FORMS, ALIKE = 60, 40, 60, 24


@dataclass(frozen=True)
class Came:
    """A capture that brought these bytes: the first whole, later ones often as a reference to it."""

    name: str
    url: str
    when: str
    again: bool
    fetch_id: int | None
    record: Stored


@dataclass(frozen=True)
class Form:
    """A URL under which an article's picture can be had, and the picture that came from there."""

    name: str
    url: str
    sentence: str  # why nothing came; "" for what came
    when: str
    digits: str | None
    size: str


@dataclass(frozen=True)
class Use:
    """An article that shows it."""

    article: int
    kind: str
    title: str
    language: str
    archived: str
    host: str
    caption: str


@dataclass(frozen=True)
class Alike:
    """Another picture that shows the same, or nearly; `here` and `there`: what to draw over each."""

    look: Look
    sentence: str
    tone: str
    marked: bool
    here: tuple[verdicts.Frame, ...]
    there: tuple[verdicts.Frame, ...]
    has_map: bool


@dataclass(frozen=True)
class PicturePage:
    """All that the page shows; each `more…` says that there is more in the tables."""

    look: Look
    came: tuple[Came, ...]
    more_came: bool
    forms: tuple[Form, ...]
    uses: tuple[Use, ...]
    more_uses: bool
    cluster: int  # how many pictures are this photograph
    same: tuple[Alike, ...]
    nearly: tuple[Alike, ...]
    hashes: tuple[tuple[str, str, int | None], ...]
    said: Said | None


def load_picture(db: sqlite3.Connection, digest: str, language: Language) -> PicturePage | None:
    """Everything about one picture by its payload digest, None when it is none of the archive."""
    look = load_look(db, digest)
    if look is None:
        return None
    rows = db.execute(_CAME, (digest, RECORDS + 1)).fetchall()
    placed = db.execute(_USES, (digest, 4 * USES)).fetchall()
    uses = list({row["article_id"]: row for row in placed}.values())
    forms = _forms(db, placed[:USES])
    same, nearly = _alike(db, digest, language)
    cluster = cluster_of(db, digest)
    return PicturePage(
        look=look,
        came=_came(db, rows[:RECORDS], language),
        more_came=len(rows) > RECORDS,
        forms=tuple(_form(row, language) for row in forms),
        uses=tuple(_use(row, language) for row in uses[:USES]),
        more_uses=len(placed) == 4 * USES or len(uses) > USES,
        cluster=count_members(db, cluster) if cluster else 1,
        same=same,
        nearly=nearly,
        hashes=_hashes(db, digest),
        said=_said(db, digest, forms, language),
    )


_CAME = """
SELECT records.record_id, records.type, records.uri, records.date, fetches.id AS fetch_id,
       fetches.form, fetches.memento
FROM records LEFT JOIN fetches ON fetches.response_id = records.record_id
WHERE records.payload_digest = ? AND type IN ('response', 'resource', 'revisit')
ORDER BY records.id LIMIT ?
"""


def _came(db: sqlite3.Connection, rows: Rows, language: Language) -> tuple[Came, ...]:
    stored = load_stored(db, [row["record_id"] for row in rows])
    return tuple(
        Came(
            name=words.form_name(row["form"], row["uri"], row["memento"], language.say)
            if row["form"]
            else "",
            url=words.plain(row["uri"]),
            when=words.clock_time(row["date"]),
            again=row["type"] == "revisit",
            fetch_id=row["fetch_id"],
            record=stored[row["record_id"]],
        )
        for row in rows
        if row["record_id"] in stored
    )


_USES = """
SELECT DISTINCT article_pictures.id AS place, article_pictures.article_id, article_pictures.alt,
       article_pictures.caption, articles.kind, articles.title, articles.language, articles.url,
       articles.given, articles.archived
FROM records JOIN fetches ON fetches.response_id = records.record_id
JOIN forms ON forms.fetch_id = fetches.id
JOIN article_pictures ON article_pictures.id = forms.article_picture_id
JOIN articles ON articles.id = article_pictures.article_id
WHERE records.payload_digest = ? AND records.type IN ('response', 'resource', 'revisit') LIMIT ?
"""


def _use(row: sqlite3.Row, language: Language) -> Use:
    title = words.plain(row["title"])
    return Use(
        article=row["article_id"],
        kind=words.kind_name(row["kind"], language.say),
        title=title or words.plain(row["url"]) or words.plain(row["given"]),
        language=words.language_of(title, row["language"]),
        archived=words.plain(row["archived"])[:10],
        host=words.host_of(row["url"]),
        caption=words.plain(row["caption"] or row["alt"]),
    )


_FORMS = """
SELECT forms.form, forms.url, max(fetches.id) AS fetch_id, fetches.outcome, fetches.stage, fetches.status,
       fetches.reason, fetches.memento, fetches.started, fetches.payload_digest,
       pictures.format, pictures.width, pictures.height
FROM forms LEFT JOIN fetches ON fetches.id = forms.fetch_id
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE forms.article_picture_id IN ({}) GROUP BY forms.form, forms.url
ORDER BY min(forms.article_picture_id), min(forms.number) LIMIT 200
"""


def _forms(db: sqlite3.Connection, uses: Rows) -> Rows:
    """All forms of the articles' pictures that this one is a form of."""
    return select(db, _FORMS, [row["place"] for row in uses])[:FORMS]


def _form(row: sqlite3.Row, language: Language) -> Form:
    say = language.say
    why = ""
    if row["outcome"] is None:
        why = say("Never asked for.")
    elif row["outcome"] != "whole":
        why = words.missing(
            row["outcome"], row["stage"], row["status"], words.plain(row["reason"]), row["form"], say
        )
    elif row["format"] is None:
        why = say("Saved, but no picture that can be shown.")
    return Form(
        name=words.form_name(row["form"], row["url"], row["memento"], say),
        url=words.plain(row["url"]),
        sentence=why,
        when=words.clock_time(row["started"]),
        digits=row["payload_digest"].removeprefix("sha256:") if row["format"] else None,
        size=f"{row['width']} × {row['height']} {words.plain(row['format'])}" if row["format"] else "",
    )


_PAIRS = """
SELECT first, second FROM picture_pairs WHERE first = :one AND relation IN ({0})
UNION SELECT first, second FROM picture_pairs WHERE second = :one AND relation IN ({0}) LIMIT {1}
"""


def _alike(
    db: sqlite3.Connection, digest: str, language: Language
) -> tuple[tuple[Alike, ...], tuple[Alike, ...]]:
    """The pictures of its cluster, the best first, and those that are linked to it and not merged."""
    cluster = cluster_of(db, digest)
    members = best_members(db, cluster, ALIKE + 1) if cluster else []
    relations = ", ".join(f"'{each}'" for each in (*MERGED, *KEPT_APART))
    rows = db.execute(_PAIRS.format(relations, 2 * ALIKE), {"one": digest}).fetchall()
    apart = marked(db, digest)
    others = [row["second"] if row["first"] == digest else row["first"] for row in rows]
    linked = [
        each
        for each in dict.fromkeys([*sorted(apart), *others])
        if cluster is None or cluster_of(db, each) != cluster
    ]
    return (
        tuple(filter(None, (_one(db, digest, each, apart, language) for each in members if each != digest))),
        tuple(filter(None, (_one(db, digest, each, apart, language) for each in linked[:ALIKE]))),
    )


def _one(
    db: sqlite3.Connection, digest: str, other: str, apart: set[str], language: Language
) -> Alike | None:
    look, pair, say = load_look(db, other), pair_of(db, digest, other), language.say
    if look is None:
        return None
    if pair is None:
        return Alike(look, say("through another picture"), "same", other in apart, (), (), has_map=False)
    found, own = pair[2], "first" if pair[0] == digest else "second"
    names = say("this picture"), say("the other picture")
    return Alike(
        look=look,
        sentence=verdicts.sentence(found, language, *(names if own == "first" else names[::-1])),
        tone=verdicts.tone(found),
        marked=other in apart,
        here=verdicts.frames(found, own),
        there=verdicts.frames(found, "second" if own == "first" else "first"),
        has_map=verdicts.has_map(found),
    )


def _hashes(db: sqlite3.Connection, digest: str) -> tuple[tuple[str, str, int | None], ...]:
    sql = "SELECT label, value, quality FROM picture_hashes WHERE payload_digest = ? ORDER BY label LIMIT 50"
    return tuple(
        (words.plain(row["label"]), words.plain(row["value"]), row["quality"])
        for row in db.execute(sql, (digest,))
    )


def _said(db: sqlite3.Connection, digest: str, forms: Rows, language: Language) -> Said | None:
    """What its file says of itself, beside the proxy's copy or the publisher's own of the same picture."""
    came = {row["form"]: row["payload_digest"] for row in reversed(forms) if row["payload_digest"]}
    own = {row["form"] for row in forms if row["payload_digest"] == digest}
    origin = came.get("origin") or came.get("memento")
    if "proxied" in own and origin and origin != digest:
        return load_said(db, origin, digest, language)
    other = None if "proxied" in own else came.get("proxied")
    return load_said(db, digest, other if other != digest else None, language)
