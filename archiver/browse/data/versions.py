"""The sources of an article in time order, and what changed from each to the next. Text is cleaned here."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from archiver.browse import words
from archiver.browse.data.cards import Rows, select
from archiver.browse.language import Language, Say
from archiver.claims.compare import Passage, compare, sentence_ends
from archiver.index.pairs import pair_of, representative
from archiver.model import Block

PAGE_SIZE = 10
_MOST = 1000  # sources of one article
_CHARS = 300_000  # of both texts, to be compared while somebody waits
_ALL_CHARS = 1_200_000  # on one page
_SHOWN = 100  # passages of one step
_PICTURES = 5000
_MODIFIED = ("-modified", "-updated")

Spans = tuple[tuple[str, str], ...]  # of a kind (same, missing, added) and a text


@dataclass(frozen=True)
class Version:
    """A source of the article. `code` is its kind as the catalogue has it."""

    id: int
    code: str
    kind: str
    given: str
    title: str
    language: str
    saved: str


@dataclass(frozen=True)
class PictureChange:
    """A picture that came, went, or has other bytes; digits of SHA-256, where a picture can be shown.

    `pair` is the end of the address that shows both.
    """

    sentence: str
    url: str
    before: str | None
    after: str | None
    pair: str = ""


@dataclass(frozen=True)
class Step:
    """A version, and how it differs from `before`; None: it is the first.

    `lines` are named: title, authors and so on; `passages` cut to the sentences that changed.
    """

    version: Version
    before: Version | None
    lines: tuple[tuple[str, Spans], ...] = ()
    passages: tuple[Spans, ...] = ()
    more: int = 0
    too_long: bool = False
    pictures: tuple[PictureChange, ...] = ()
    silent: str = ""
    again: tuple[str, ...] = ()  # when it was captured again, unchanged

    @property
    def changed(self) -> bool:
        return bool(self.lines or self.passages or self.pictures)


@dataclass
class _Source:
    """What is compared of a version. `pictures`: address → caption, and digests by form."""

    version: Version
    authors: tuple[str, ...]
    section: str
    blocks: list[Block] | None = None  # None: too long
    times: list[tuple[str, str]] = field(default_factory=list)
    pictures: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """The rows behind one page of versions; `steps` of (version, the one before, changes of pictures)."""

    title: str
    language: str
    total: int
    page: int
    steps: tuple[tuple[_Source, _Source | None, tuple[PictureChange, ...]], ...]
    again: dict[int, tuple[str, ...]]


_OTHERS = """
SELECT * FROM articles WHERE id <> :article AND (url = :url
    OR id IN (SELECT page_id FROM text_comparisons WHERE document_id = :article)
    OR id IN (SELECT document_id FROM text_comparisons WHERE page_id = :article))
ORDER BY archived, id LIMIT :limit
"""


def others_of(db: sqlite3.Connection, article: sqlite3.Row, limit: int) -> Rows:
    """The other sources of an article: those of the same URL, and the page that came in answer to it."""
    return db.execute(_OTHERS, {"url": article["url"], "article": article["id"], "limit": limit}).fetchall()


def load_versions(db: sqlite3.Connection, article: int, page: int, language: Language) -> Loaded | None:
    """One page of an article's versions, oldest first; pages count from 1. None: no such article."""
    row = db.execute("SELECT * FROM articles WHERE id = ?", (article,)).fetchone()
    if row is None:
        return None
    rows = sorted([row, *others_of(db, row, _MOST)], key=lambda each: (each["archived"], each["id"]))
    page = min(max(1, page), -(-len(rows) // PAGE_SIZE))
    start = (page - 1) * PAGE_SIZE
    pairs = [
        (each, _before(rows[:at], each)) for at, each in enumerate(rows[: start + PAGE_SIZE]) if at >= start
    ]
    wanted = {each["id"]: each for pair in pairs for each in pair if each is not None}
    sources = _sources(db, list(wanted.values()), language.say)
    steps: list[tuple[_Source, _Source | None, tuple[PictureChange, ...]]] = []
    for each, before in pairs:
        after, earlier = sources[each["id"]], sources[before["id"]] if before else None
        changes = tuple(_pictures(db, earlier, after, language.say)) if earlier else ()
        steps.append((after, earlier, changes))
    title = words.plain(row["title"])
    return Loaded(
        title=title or language.say("(no title)"),
        language=words.language_of(title, row["language"]),
        total=len(rows),
        page=page,
        steps=tuple(steps),
        again=_again(db, rows),
    )


def _before(earlier: Rows, row: sqlite3.Row) -> sqlite3.Row | None:
    """The version to compare with: the newest of the same kind, else the newest."""
    same = [each for each in earlier if each["kind"] == row["kind"]]
    return (same or earlier)[-1] if earlier else None


_AGAIN = """
SELECT started FROM fetches WHERE url = ? AND purpose = 'page' AND outcome = 'whole' AND unchanged = 1
ORDER BY id LIMIT 200
"""


def _again(db: sqlite3.Connection, rows: Rows) -> dict[int, tuple[str, ...]]:
    """When a page came again with the same bytes, by the newest version of it then."""
    pages = [row for row in rows if row["kind"] == "page"]
    found: dict[int, list[str]] = defaultdict(list)
    for url in {row["url"] for row in pages if row["url"]}:
        for (started,) in db.execute(_AGAIN, (url,)):
            known = [row["id"] for row in pages if row["archived"] <= started]
            if known:
                found[known[-1]].append(words.clock_time(started))
    return {number: tuple(times) for number, times in found.items()}


_SIZES = "SELECT article_id, sum(length(text)) AS size FROM blocks WHERE article_id IN ({}) GROUP BY 1"
_TEXTS = "SELECT article_id, kind, text FROM blocks WHERE kind <> 'picture' AND article_id IN ({})"
_TIMES = "SELECT * FROM times WHERE picture IS NULL AND article_id IN ({})"
_SHOWN_PICTURES = f"""
SELECT article_pictures.article_id, article_pictures.number, article_pictures.url, caption, forms.form,
       pictures.payload_digest
FROM article_pictures LEFT JOIN forms ON forms.article_picture_id = article_pictures.id
LEFT JOIN fetches ON fetches.id = forms.fetch_id AND fetches.outcome = 'whole'
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE article_pictures.article_id IN ({{}}) AND part = 'article' AND unwanted = ''
ORDER BY article_pictures.article_id, article_pictures.number, forms.number LIMIT {_PICTURES}
"""  # noqa: S608 - our own number


def _sources(db: sqlite3.Connection, rows: Rows, say: Say) -> dict[int, _Source]:
    sources = {row["id"]: _source(row, say) for row in rows}
    long = {row["article_id"] for row in select(db, _SIZES, list(sources)) if row["size"] > _CHARS}
    for number, source in sources.items():
        source.blocks = None if number in long else []
    for row in select(
        db, f"{_TEXTS} ORDER BY article_id, number", [each for each in sources if each not in long]
    ):
        blocks = sources[row["article_id"]].blocks
        if blocks is not None:
            blocks.append(Block(kind=row["kind"], text=words.plain(row["text"])))
    for row in select(db, _TIMES, list(sources)):
        sources[row["article_id"]].times.append((row["clock"], words.plain(row["written"])))
    for row in select(db, _SHOWN_PICTURES, list(sources)):
        pictures = sources[row["article_id"]].pictures
        known = pictures.setdefault(words.plain(row["url"]), (words.plain(row["caption"]), {}))
        if row["payload_digest"]:
            known[1].setdefault(row["form"], row["payload_digest"].removeprefix("sha256:"))
    return sources


def _source(row: sqlite3.Row, say: Say) -> _Source:
    title = words.plain(row["title"])
    version = Version(
        id=row["id"],
        code=row["kind"],
        kind=words.kind_name(row["kind"], say),
        given=words.plain(row["given"]),
        title=title,
        language=words.language_of(title, row["language"]),
        saved=words.clock_time(row["archived"]),
    )
    return _Source(version, tuple(words.plain(row["authors"]).splitlines()), words.plain(row["section"]))


def _pictures(db: sqlite3.Connection, before: _Source, after: _Source, say: Say) -> Iterator[PictureChange]:
    """What changed of the pictures: by their addresses, then by their bytes."""
    gone = {url: forms for url, (_, forms) in before.pictures.items() if url not in after.pictures}
    came = {url: forms for url, (_, forms) in after.pictures.items() if url not in before.pictures}
    for url, (_, forms) in after.pictures.items():
        if url in came:
            old = next((each for each, known in gone.items() if _same(known, forms)), None)
            if old is not None:
                del gone[old]
                yield PictureChange(say("The same bytes, at another address"), url, _one(forms), None)
            else:
                yield PictureChange(say("Picture added"), url, None, _one(forms))
        else:
            yield from _replaced(db, url, before.pictures[url][1], forms, say)
    for url, forms in gone.items():
        yield PictureChange(say("Picture removed"), url, _one(forms), None)


def _same(one: dict[str, str], other: dict[str, str]) -> bool:
    return bool(set(one.values()) & set(other.values()))


def _one(forms: dict[str, str]) -> str | None:
    return forms.get("origin") or next(iter(forms.values()), None)


def _replaced(
    db: sqlite3.Connection, url: str, before: dict[str, str], after: dict[str, str], say: Say
) -> Iterator[PictureChange]:
    """The same address with other bytes, in the first form that both have."""
    form = next((each for each in ("origin", "proxied", "memento") if each in before and each in after), None)
    if form is None or before[form] == after[form]:
        return
    old, new = before[form], after[form]
    digests = f"sha256:{old}", f"sha256:{new}"
    if pair := pair_of(db, *digests):
        verdict = words.relation_name(pair[2].relation, say)
    elif representative(db, digests[0]) == representative(db, digests[1]):
        verdict = say("both are re-encodings of another picture in this archive")
    else:
        verdict = say("not compared by their pixels yet")
    said = say("Other bytes at the same address: %(verdict)s", verdict=verdict)
    yield PictureChange(said, url, old, new, f"{old}/against/{new}")


# --- what changed -------------------------------------------------------------------------------


def told(loaded: Loaded, language: Language) -> tuple[Step, ...]:
    """The page's versions with what changed. Takes bounded time."""
    left = _ALL_CHARS
    steps: list[Step] = []
    for after, before, pictures in loaded.steps:
        size = sum(
            len(block.text) for each in (before, after) if each and each.blocks for block in each.blocks
        )
        fits = size <= min(_CHARS, left)
        left -= size if fits else 0
        again = loaded.again.get(after.version.id, ())
        steps.append(_step((after, before), pictures, again, fits, language))
    return tuple(steps)


def _step(
    sources: tuple[_Source, _Source | None],
    pictures: tuple[PictureChange, ...],
    again: tuple[str, ...],
    fits: bool,
    language: Language,
) -> Step:
    after, before = sources
    if before is None:
        return Step(after.version, None, again=again)
    known = fits and after.blocks is not None and before.blocks is not None
    passages = compare(after.blocks or (), before.blocks or ()).passages if known else ()
    different = [passage for passage in passages if passage.kind != "same"]
    edited = different or before.version.title != after.version.title
    return Step(
        version=after.version,
        before=before.version,
        lines=tuple(_lines(before, after, language.say)),
        passages=tuple(_spans(passage) for passage in different[:_SHOWN]),
        more=max(0, len(different) - _SHOWN),
        too_long=not known,
        pictures=pictures,
        silent=_silent(before, after, language.say) if edited else "",
        again=again,
    )


def _silent(before: _Source, after: _Source, say: Say) -> str:
    """That an edit is not owned up to: the text changed, and no claimed time of a change did."""
    if before.version.code != after.version.code:
        return ""  # a mirror and a page differ without an edit
    times = [[time for time in each.times if time[0].endswith(_MODIFIED)] for each in (before, after)]
    if not times[1]:
        return say("Edited silently: the text changed, and no time of a change is claimed.")
    if sorted(times[0]) == sorted(times[1]):
        return say("Edited silently: the text changed, and the claimed time of the last change did not.")
    return ""


def _lines(before: _Source, after: _Source, say: Say) -> Iterator[tuple[str, Spans]]:
    """What is not running text, and differs."""
    yield from _line(say("Title"), [before.version.title], [after.version.title])
    yield from _line(say("Authors"), before.authors, after.authors)
    yield from _line(say("Section"), [before.section], [after.section])
    times = [
        [f"{words.clock_name(clock, say)}: {written}" for clock, written in each.times]
        for each in (before, after)
    ]
    yield from _line(say("Claimed times"), *times)
    for url, (caption, _) in after.pictures.items():
        if url in before.pictures:
            yield from _line(say("Caption"), [before.pictures[url][0]], [caption])


def _line(name: str, before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, Spans]]:
    if list(before) == list(after):
        return
    if len(before) == len(after) == 1:
        passages = compare(
            [Block(kind="heading", text=after[0])], [Block(kind="heading", text=before[0])]
        ).passages
        yield name, tuple(span for passage in passages for span in _whole(passage))
        return
    gone = [("missing", each) for each in before if each not in after]
    came = [("added", each) for each in after if each not in before]
    if gone or came:
        yield name, tuple(_apart([*gone, *came]))


def _apart(spans: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for number, span in enumerate(spans):
        if number:
            yield "same", " "
        yield span


def _whole(passage: Passage) -> Spans:
    match passage.kind:
        case "missing" | "same":
            return ((passage.kind, passage.page),)
        case "added":
            return (("added", passage.mirror),)
        case _:
            return tuple((span.kind, span.text) for span in passage.spans)


def _spans(passage: Passage) -> Spans:
    """A passage, of a changed paragraph the sentences that changed: `…` stands for those that did not."""
    spans = _whole(passage)
    last = len(spans) - 1
    return tuple(
        (kind, uncut(text, after=at > 0, before=at < last) if kind == "same" else text)
        for at, (kind, text) in enumerate(spans)
    )


def uncut(text: str, *, after: bool, before: bool) -> str:
    """What is the same, without the sentences that touch no change; `after`, `before`: where changes are."""
    ends = [0, *(end for end in sentence_ends(text) if end < len(text)), len(text)]
    head = text[: ends[1]] if after else ""
    tail = text[ends[-2] :] if before else ""
    return text if len(head) + len(tail) >= len(text) else f"{head} … {tail}"
