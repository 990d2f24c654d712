"""The mirror document again, its pictures beside it: what a mirror's operator puts back.

    000_河边会谈.md           byte for byte as it was given, but for the addresses of its pictures
    pictures/12/1.jpg        the 1st picture of article 12

An article that was no document, a page or a feed's item, becomes one in the commonest of the shapes that
docs/sources.md describes. Each document is read again before it goes out: it says the same article.
"""

import html
import json
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from archiver.claims.contradictions import moment_of
from archiver.errors import RecordError, SandboxError
from archiver.exporting.committed import Committed
from archiver.exporting.naming import slug
from archiver.exporting.output import Folder, new_folder
from archiver.exporting.pictures import Choice, Picture, load_pictures, read_picture
from archiver.exporting.result import Exported, Report
from archiver.model import Article, Location
from archiver.sandbox import Sandbox
from archiver.sources.documents.addresses import Address, picture_addresses
from archiver.sources.documents.heads import is_address
from archiver.sources.documents.mirror import read_document

_ARTICLE = """
SELECT articles.*, path, offset, length, records.type FROM articles
LEFT JOIN records ON records.id = (SELECT min(id) FROM records WHERE record_id = source_id)
LEFT JOIN warcs ON warcs.id = warc_id WHERE articles.id = ?
"""
_ORIGINAL = """
SELECT path, offset, length FROM records AS original JOIN warcs ON warcs.id = warc_id
WHERE original.record_id = (SELECT refers_to FROM records WHERE record_id = ? AND type = 'revisit')
"""
_BLOCKS = "SELECT kind, text, picture FROM blocks WHERE article_id = ? ORDER BY number"
_PUBLISHED = """
SELECT value FROM times WHERE article_id = ? AND picture IS NULL AND value IS NOT NULL
ORDER BY clock LIKE '%-modified' OR clock LIKE '%-updated', rowid LIMIT 1
"""
_ELEMENTS = {"paragraph": "p", "heading": "h2", "quote": "blockquote", "item": "li"}
_SUFFIX = re.compile(r"\.(?:md|markdown|txt|html?)\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)  # by Windows
_CAPTION = '<div><small style="color: #999;">{}</small></div>'


class _Block(NamedTuple):
    kind: str
    text: str
    picture: int | None


class _Unlike(Exception):
    """The document cannot be made so that it says the same article; why."""


def write_mirror(
    root: Path,
    db: sqlite3.Connection,
    articles: Iterable[int],
    into: Path,
    *,
    choice: Choice = "best",
    report: Report,
) -> Exported:
    """Write the articles as mirror documents into a new folder.

    Pictures of which nothing came keep their addresses, and are reported; so is an article of which no
    document can be made. UsageError when `into` is there, StorageError, ManifestError.
    """
    with new_folder(into) as folder, Sandbox() as sandbox:
        writer = _Writer(Committed(root), db, folder, sandbox=sandbox, choice=choice, report=report)
        for number in articles:
            writer.article(number)
        return writer.made.filled(folder.files, folder.bytes)


class _Writer:
    """`_names`: of the documents that are written, in one case."""

    def __init__(
        self,
        committed: Committed,
        db: sqlite3.Connection,
        folder: Folder,
        *,
        sandbox: Sandbox,
        choice: Choice,
        report: Report,
    ) -> None:
        self._committed, self._db, self._folder, self._sandbox = committed, db, folder, sandbox
        self._choice, self._report = choice, report
        self._names: set[str] = set()
        self.made = Exported()

    def article(self, number: int) -> None:
        row = dict(self._db.execute(_ARTICLE, (number,)).fetchone())
        blocks = [_Block(*block) for block in self._db.execute(_BLOCKS, (number,))]
        pictures = load_pictures(self._db, number)
        if row["kind"] != "document":
            shown = {block.picture for block in blocks}
            pictures = tuple(each for each in pictures if each.number in shown)
        local = self._pictures(number, pictures)
        try:
            if row["kind"] == "document":
                data = self._document(row, pictures, local)
            else:
                data = self._made_up(row, blocks, pictures, local)
        except RecordError as error:
            self._problem("damaged", row, str(error))
        except (_Unlike, SandboxError) as error:
            self._problem("left-out", row, str(error))
        else:
            self._folder.write(self._name(row), data)
            self.made.articles += 1

    def _pictures(self, article: int, pictures: Iterable[Picture]) -> dict[int, str]:
        """Write the best form of each picture; number → its file's address beside the document."""
        local: dict[int, str] = {}
        for picture in pictures:
            for form in picture.chosen(self._choice):
                try:
                    found = read_picture(self._committed, self._db, form)
                except RecordError as error:
                    self._problem("damaged", {"id": article}, f"{form.label}: {error}", picture)
                    continue
                name = f"pictures/{article}/{picture.number + 1}.{found.suffix}"
                self._folder.write(name, found.data)
                local[picture.number] = name
                self.made.pictures += 1
                break
            else:
                if picture.was_wanted and not picture.came:
                    self._problem("missing", {"id": article}, picture.why, picture)
        return local

    def _document(self, row: dict[str, Any], pictures: Iterable[Picture], local: dict[int, str]) -> bytes:
        """The document as it was given, with local addresses. _Unlike where it no longer reads the same."""
        data = self._source(row)
        before = self._sandbox.read(Article, read_document, data)
        written = json.dumps({each.number: each.row["written"] for each in pictures if each.number in local})
        places = self._sandbox.read(list[Address], picture_addresses, data, written=written)
        made = _replaced(data, places, local)
        _compare(before, self._sandbox.read(Article, read_document, made))
        for number in sorted(local.keys() - {place.picture for place in places}):
            self._problem("left-out", row, f"the address of picture {number + 1} was not found in it")
        return made

    def _source(self, row: dict[str, Any]) -> bytes:
        """The document's bytes; of a revisit those of its original."""
        if row["type"] == "revisit":
            row |= dict(self._db.execute(_ORIGINAL, (row["source_id"],)).fetchone() or {"path": None})
        if row["path"] is None:
            raise RecordError("the catalogue does not have its source", "Run 'archiver rebuild'.")
        place = Location(file=row["path"], offset=row["offset"], length=row["length"])
        record = self._committed.record(place)
        return record.content_decoded(64 << 20)

    def _made_up(
        self, row: dict[str, Any], blocks: list[_Block], pictures: Iterable[Picture], local: dict[int, str]
    ) -> bytes:
        """A document of what was read in a page or in a feed's item."""
        title, url = row["title"].strip(), row["url"] or ""
        if not title or not is_address(url):
            raise _Unlike("a mirror document needs a title and an http(s) address")
        published = self._db.execute(_PUBLISHED, (row["id"],)).fetchone()
        moment = moment_of(published[0]) if published else None
        comment = str(int(moment.timestamp() * 1000)) if moment else "NaN"
        shown = {
            each.number: each.row | {"url": local.get(each.number, each.row["url"])} for each in pictures
        }
        body = "".join(_markup(block, shown) for block in blocks)
        data = f"<!--{comment}-->\n[{title}]({url})\n------\n\n{body}\n".encode("utf-8", "replace")
        read = self._sandbox.read(Article, read_document, data)
        if (read.title, read.url) != (title, url):
            raise _Unlike(f"as a document its title would read {read.title!r}, its address {read.url!r}")
        before, after = ([block.text for block in each if block.text] for each in (blocks, read.blocks))
        if before != after:
            lost = len(set(before) - set(after))
            self._problem("left-out", row, f"{lost} of its {len(before)} paragraphs read otherwise in it")
        return data

    def _name(self, row: dict[str, Any]) -> str:
        """Of a document its own, where it is not taken; else number and title."""
        stem, suffix = f"{row['id']}_{slug(row['title']) or 'untitled'}", ".md"
        if row["kind"] == "document":
            given = row["given"].replace("\\", "/").rpartition("/")[2]
            found = _SUFFIX.search(given)
            own = given.removesuffix(found[0] if found else "")
            suffix = found[0] if found else ".md"
            stem = own if _PLAIN.fullmatch(own) else slug(own) or stem
            stem = f"{row['id']}_{stem}" if _RESERVED.fullmatch(stem.partition(".")[0]) else stem
        if f"{stem}{suffix}".casefold() in self._names:
            stem = f"{stem}_{row['id']}"
        self._names.add(f"{stem}{suffix}".casefold())
        return stem + suffix

    def _problem(self, kind: str, row: dict[str, Any], reason: str, picture: Picture | None = None) -> None:
        problem = {
            "type": kind,
            "article": row["id"],
            "picture": picture and picture.number + 1,
            "url": picture.row["url"] if picture else row["url"],
            "reason": reason,
        }
        self.made.count(problem)
        self._report(problem)


def _replaced(data: bytes, places: list[Address], local: dict[int, str]) -> bytes:
    made, at = [], 0
    for place in places:
        made += [data[at : place.start], local[place.picture].encode()]
        at = place.end
    return b"".join([*made, data[at:]])


def _compare(before: Article, after: Article) -> None:
    """Raise _Unlike unless two articles say the same, and show as many pictures in the same places."""
    for name in ("title", "url", "language", "authors", "section", "times"):
        if getattr(before, name) != getattr(after, name):
            raise _Unlike(f"with local addresses its {name} would read otherwise")
    # Without an address of its own, nothing relative is a picture's address (docs/sources.md).
    wanted = [
        [block for block in each.blocks if before.url or block.kind != "picture"] for each in (before, after)
    ]
    if wanted[0] != wanted[1]:
        raise _Unlike("with local addresses its text or its pictures would read otherwise")


def _markup(block: _Block, shown: dict[int, dict[str, Any]]) -> str:
    """A block as mirrors write it."""
    if block.kind != "picture":
        lines = _escaped(block.text)
        name = _ELEMENTS[block.kind]
        return f"<ul><li>{lines}</li></ul>" if name == "li" else f"<{name}>{lines}</{name}>"
    row = None if block.picture is None else shown.get(block.picture)
    if row is None:
        return ""
    about = _CAPTION.format(_escaped(row["caption"])) if row["caption"] else ""
    return (
        f'<div><img src="{html.escape(row["url"])}" alt="{html.escape(row["alt"])}" border="0"/>{about}</div>'
    )


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br />")
