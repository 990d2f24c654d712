"""Pictures under readable names, with SHA256SUMS and with where each one is from.

2023-11/2023-11-08_普京会见张又侠_12-01_best_origin.jpg     the 1st picture of article 12, its best form
2023-11/2023-11-08_普京会见张又侠_12-01_proxied.jpg         its other forms
provenance.jsonl                                       a line for each form that came
missing.jsonl                                          a line for each picture that did not
README.txt, SHA256SUMS
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import msgspec

from archiver.errors import RecordError
from archiver.exporting.committed import Committed
from archiver.exporting.naming import day_of, slug
from archiver.exporting.output import Folder, new_folder
from archiver.exporting.pictures import Bytes, Form, Picture, load_pictures, read_picture
from archiver.exporting.result import Exported, Report
from archiver.index.pairs import pair_of

SameBytes = Literal["copy", "link", "once"]
_ARTICLE = "SELECT id, kind, title, url, given, archived, note_id, source_id FROM articles WHERE id = ?"
_TIMES = "SELECT clock, written, value FROM claimed_times WHERE article_id = ? AND picture {}"
_README = """Pictures of {origin}

provenance.jsonl has a line of JSON for each form of each picture that came: its file here, its address,
when it came, its article, and the stored record that holds it. missing.jsonl has those that did not come.

To check the files here:        sha256sum -c SHA256SUMS
To check one of the archive:    dd if=WARC iflag=skip_bytes,count_bytes skip=OFFSET count=LENGTH | sha256sum
                                gives the record's digest in provenance.jsonl
To prove one to a stranger:     archiver prove PAYLOAD_DIGEST ARCHIVE --into FILE.zip
To check the whole archive:     archiver verify ARCHIVE

The archive committed {size} records when these were exported, by the tree head {root}.
"""


@dataclass(frozen=True)
class _Options:
    same: SameBytes
    part: str  # "article", or "" for the page around it as well
    report: Report


def write_files(
    root: Path,
    db: sqlite3.Connection,
    articles: Iterable[int],
    into: Path,
    *,
    same: SameBytes = "copy",
    aside: bool = False,
    report: Report,
) -> Exported:
    """Write every form that came of the articles' pictures into a new folder.

    `same`: what becomes of bytes that were written before: a copy, a hard link, or a line in provenance.jsonl
    that names the file there is. `aside`: also pictures around the article. UsageError when `into` is there,
    StorageError, ManifestError.
    """
    with new_folder(into) as folder:
        writer = _Writer(Committed(root), db, folder, _Options(same, "" if aside else "article", report))
        for number in articles:
            writer.article(number)
        return writer.finish()


class _Writer:
    """`_known` maps the SHA-256 of a file's bytes to its name."""

    def __init__(
        self, committed: Committed, db: sqlite3.Connection, folder: Folder, options: _Options
    ) -> None:
        self._committed, self._db, self._folder, self._options = committed, db, folder, options
        self._known: dict[bytes, str] = {}
        self._made = Exported()
        for name in ("provenance.jsonl", "missing.jsonl"):
            folder.add_line(name, b"")

    def finish(self) -> Exported:
        folder, tree = self._folder, self._committed.manifest.tree
        readme = _README.format(origin=self._committed.manifest.origin, size=tree.size, root=tree.root)
        folder.add_sum("README.txt", folder.write("README.txt", readme.encode()))
        for name in ("provenance.jsonl", "missing.jsonl"):
            folder.add_sum(name, folder.digits(name))
        return self._made.filled(folder.files, folder.bytes)

    def article(self, number: int) -> None:
        article = dict(self._db.execute(_ARTICLE, (number,)).fetchone())
        day = day_of(self._db, number, article["archived"])
        stem = f"{day[:-3]}/{day}_{slug(article['title']) or 'untitled'}_{number}"
        article["times"] = self._times(number, "IS NULL")
        self._made.articles += 1
        for picture in load_pictures(self._db, number, self._options.part):
            self._picture(article, picture, f"{stem}-{picture.number + 1:02}")

    def _picture(self, article: dict[str, Any], picture: Picture, stem: str) -> None:
        about = {
            "article": article,
            "picture": picture.number + 1,
            **{key: picture.row[key] for key in ("part", "place", "written", "alt", "caption")},
            "times": self._times(article["id"], "= ?", picture.number),
        }
        written = list(self._forms(picture, stem))
        relations = _relations(self._db, [form for form, _, _ in written])
        for rank, (form, name, found) in enumerate(written):
            line = {"file": name, "best": rank == 0, **_form(form, found), "relations": relations, **about}
            self._folder.add_line("provenance.jsonl", _json(line))
        self._made.pictures += bool(written)
        if not picture.came:
            told = [
                {"form": form.label, "url": form.row["url"], "reason": form.why} for form in picture.forms
            ]
            self._folder.add_line("missing.jsonl", _json({"url": picture.row["url"], **about, "forms": told}))
            if picture.was_wanted:
                self._problem("missing", article["id"], picture, picture.why)

    def _forms(self, picture: Picture, stem: str) -> Iterator[tuple[Form, str, Bytes]]:
        """The forms whose bytes are still there, the best first, each with its file."""
        best = "best_"
        for form in picture.came:
            try:
                found = read_picture(self._committed, self._db, form)
            except RecordError as error:
                self._problem("damaged", picture.row["article_id"], picture, f"{form.label}: {error}")
                continue
            yield form, self._written(f"{stem}_{best}{form.label}.{found.suffix}", found), found
            best = ""

    def _written(self, name: str, found: Bytes) -> str:
        """The name of the file that has these bytes now."""
        there, same = self._known.get(found.sha256), self._options.same
        if there and same == "once":
            return there
        if there and same == "link":
            self._folder.link(name, there)
        else:
            self._folder.write(name, found.data)
            self._known[found.sha256] = name
        self._folder.add_sum(name, found.sha256.hex())
        return name

    def _problem(self, kind: str, article: int, picture: Picture, reason: str) -> None:
        problem = {"type": kind, "article": article, "picture": picture.number + 1, "url": picture.row["url"]}
        self._made.count(problem)
        self._options.report({**problem, "reason": reason})

    def _times(self, article: int, which: str, *numbers: int) -> list[dict[str, Any]]:
        return [dict(row) for row in self._db.execute(_TIMES.format(which), (article, *numbers))]


def _form(form: Form, found: Bytes) -> dict[str, Any]:
    """What is known of a file: its bytes, the request that they answered, the record that has them."""
    row = form.row
    return {
        "sha256": found.sha256.hex(),
        "bytes": len(found.data),
        **{key: row[key] for key in ("format", "width", "height", "form", "proxy", "url", "memento")},
        "fetched": row["started"],
        "payload_digest": row["payload_digest"],
        "record": {
            "id": found.record["record_id"],
            "date": found.record["date"],
            "warc": found.place.file,
            "offset": found.place.offset,
            "length": found.place.length,
            "digest": found.record["digest"],
            "answer": row["response_id"],  # another one where that is a revisit
        },
    }


def _relations(db: sqlite3.Connection, forms: list[Form]) -> list[dict[str, Any]]:
    """What the pixels of the forms have to do with each other, where they are other bytes."""
    labels = {form.digest: form.label for form in reversed(forms)}
    pairs = [pair_of(db, one, other) for one, other in combinations(labels, 2)]
    return [
        {"first": labels[pair[0]], "second": labels[pair[1]], **msgspec.to_builtins(pair[2])}
        for pair in pairs
        if pair
    ]


def _json(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
