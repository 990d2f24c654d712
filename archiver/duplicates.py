"""Pictures that are one photograph, and those that are nearly: what the command of that name lists."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from archiver.digests import file_digest
from archiver.errors import RecordError, SandboxError, UsageError
from archiver.index.clusters import KEPT_APART, marked, member, members
from archiver.index.pairs import pair_of
from archiver.model import MERGED, Comparison, Digest
from archiver.pictures.files import read_picture
from archiver.pictures.fingerprint import Fingerprint, make_fingerprint
from archiver.relating import FOLDER, compare, label, stored_picture, worth
from archiver.sandbox import Sandbox

Row = dict[str, Any]

_ALIKE = (*MERGED, "overlapping")  # links where they are not in one cluster all the same
_LINKS = f"""
SELECT first, second FROM picture_pairs WHERE relation IN {KEPT_APART}
UNION SELECT first, second FROM picture_pairs WHERE relation IN {_ALIKE}
    AND (SELECT cluster FROM picture_clusters WHERE payload_digest = first)
        IS NOT (SELECT cluster FROM picture_clusters WHERE payload_digest = second)
UNION SELECT first, second FROM picture_marks
ORDER BY 1, 2
"""  # noqa: S608 - our own words
_OF_URL = """
SELECT payload_digest FROM (
    SELECT payload_digest FROM fetches WHERE url = :url AND purpose = 'picture' AND outcome = 'whole'
    UNION SELECT payload_digest FROM records WHERE uri = :url AND type IN ('response', 'resource')
) JOIN pictures USING (payload_digest) ORDER BY pictures.rowid
"""


Compared = Callable[[Digest, Digest], Comparison]


def clusters(
    db: sqlite3.Connection, of: Iterable[Digest] | None = None, compared: Compared | None = None
) -> Iterator[Row]:
    """Every cluster, or those that some pictures are in; each with its members, the best first.

    Those pictures are compared with the best where they have not been, by `compared`.
    """
    names = db.execute(
        "SELECT DISTINCT cluster FROM picture_clusters JOIN pictures"
        " ON pictures.payload_digest = cluster ORDER BY pictures.rowid"
    ).fetchall()
    asked = set(of or ())
    wanted = None if of is None else {_cluster(db, each) for each in asked}
    for (name,) in names:
        if wanted is None or name in wanted:
            found = members(db, name)
            best = found[0].payload_digest
            rows = []
            for each in found:
                own = each.payload_digest
                pair = _pair(db, own, best)
                if pair is None and compared and own in asked - {best}:
                    pair = _row(best, compared(best, own))
                rows.append({**asdict(each), "to_best": pair})
            yield {"type": "cluster", "cluster": name, "members": rows}


def compare_stored(
    db: sqlite3.Connection, root: Path, sandbox: Sandbox, first: Digest, second: Digest
) -> Comparison:
    """What two pictures of the archive have to do with each other, compared now."""
    try:
        return compare(sandbox, stored_picture(db, root, first), stored_picture(db, root, second))
    except (RecordError, SandboxError) as error:
        return Comparison(relation="undecodable", reason=str(error)[:300])


def links(db: sqlite3.Connection, of: Iterable[Digest] | None = None) -> Iterator[Row]:
    """Pairs that show nearly the same and are in no cluster together, or that a person took apart."""
    wanted = None if of is None else set(of)
    for one, other in db.execute(_LINKS).fetchall():
        pair = _pair(db, one, other)
        apart = other in marked(db, one)
        linked = apart or (pair is not None and pair["relation"] in (*_ALIKE, *KEPT_APART))
        if linked and (wanted is None or wanted & {one, other}):
            first = pair["first"] if pair else one
            yield {
                "type": "link",
                "first": asdict(member(db, first)),
                "second": asdict(member(db, other if first == one else one)),
                "comparison": pair,
                "not_same": apart,
            }


def matches(db: sqlite3.Connection, root: Path, sandbox: Sandbox, data: bytes) -> Iterator[Row]:
    """Which pictures of the archive one from outside shows, or nearly; it is the second of each comparison.

    Raises SandboxError when it cannot be decoded, RecordError when the index is missing or damaged.
    """
    from archiver.pictures.index import Index  # noqa: PLC0415 - numpy

    fingerprint = sandbox.read(Fingerprint, make_fingerprint, data)
    if not (root / FOLDER).is_dir():
        raise RecordError(f"{root}: no index of its pictures", "Run 'archiver rebuild': it is made anew.")
    equal = db.execute("SELECT payload_digest FROM compared_pictures WHERE pixels = ?", [fingerprint.pixels])
    keys = [row[0] for row in equal.fetchall()]
    with Index(root / FOLDER, writable=False, label=label()) as index:
        keys += worth(fingerprint, index)
        held = {key: index.get(key) for key in keys}
    for key, known in held.items():
        found = compare(sandbox, stored_picture(db, root, key), data, (known, fingerprint))
        if found.relation != "different":
            yield {
                "type": "match",
                **asdict(member(db, key)),
                "cluster": _cluster(db, key),
                "comparison": _row(key, found),
            }


def named(db: sqlite3.Connection, what: str) -> list[Digest]:
    """The pictures of the archive that a digest, a URL or a file's bytes name; none for a file from outside.

    UsageError for what is none of these.
    """
    if what.startswith("sha256:"):
        found = [what] if _known(db, what) else []
    elif "://" in what:
        found = [row[0] for row in db.execute(_OF_URL, {"url": what})]
    else:
        path = Path(what)
        if not _is_file(path):
            raise UsageError(f"{what}: no file, no URL and no digest", "Name a picture in one of these ways.")
        own = _file_digest(path)
        return [own] if _known(db, own) else []
    if not found:
        raise UsageError(f"no picture {what} in this archive", "'archiver duplicates --json' lists them.")
    return found


def one_named(db: sqlite3.Connection, what: str) -> Digest:
    """The one picture of the archive that is meant. UsageError where there is none, or there are several."""
    found = named(db, what)
    if len(found) != 1:
        several = f"{len(found)} pictures came from there: {', '.join(found)}"
        raise UsageError(f"{what}: {several if found else 'not in this archive'}", "Name one by its digest.")
    return found[0]


def outside(path: Path) -> bytes:
    """The bytes of a file from outside, at most those of the largest picture. Raises UsageError."""
    try:
        with path.open("rb") as file:
            return read_picture(file, str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _file_digest(path: Path) -> Digest:
    try:
        return file_digest(path)[1]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _known(db: sqlite3.Connection, name: Digest) -> bool:
    sql = "SELECT 1 FROM pictures WHERE payload_digest = ?"
    return db.execute(sql, [name]).fetchone() is not None


def _cluster(db: sqlite3.Connection, name: Digest) -> Digest | None:
    row = db.execute("SELECT cluster FROM picture_clusters WHERE payload_digest = ?", [name]).fetchone()
    return row[0] if row else None


def _pair(db: sqlite3.Connection, one: Digest, other: Digest) -> Row | None:
    found = pair_of(db, one, other)
    return _row(found[0], found[2]) if found else None


def _row(first: Digest, found: Comparison) -> Row:
    return {"first": first, **msgspec.to_builtins(found)}
