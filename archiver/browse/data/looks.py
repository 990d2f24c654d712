"""Pictures as pages show them small, as plain data for the templates."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from archiver.browse import words


@dataclass(frozen=True)
class Look:
    """A picture, where its bytes came from first, and what an article says of it there."""

    digits: str
    format: str
    kind: str
    width: int
    height: int
    bytes: int
    url: str
    host: str
    date: str  # of that capture
    alt: str
    article: int | None

    @property
    def size(self) -> str:
        return f"{self.width} × {self.height}"

    @property
    def digest(self) -> str:
        return f"sha256:{self.digits}"


# The first record with these bytes: an index gives it at once, however often they came.
_FIRST = """
SELECT coalesce(
    (SELECT id FROM records WHERE payload_digest = :digest AND type = 'response' ORDER BY id LIMIT 1),
    (SELECT id FROM records WHERE payload_digest = :digest AND type = 'resource' ORDER BY id LIMIT 1))
"""
_LOOK = f"""
SELECT pictures.*, records.uri, records.date, article_pictures.alt, article_pictures.caption,
       article_pictures.article_id
FROM pictures LEFT JOIN records ON records.id = ({_FIRST})
LEFT JOIN fetches ON fetches.response_id = records.record_id
LEFT JOIN forms ON forms.fetch_id = fetches.id
LEFT JOIN article_pictures ON article_pictures.id = forms.article_picture_id
WHERE pictures.payload_digest = :digest LIMIT 1
"""  # noqa: S608 - our own words


def load_look(db: sqlite3.Connection, digest: str) -> Look | None:
    """One picture by its payload digest; None for what is no picture of the archive."""
    row = db.execute(_LOOK, {"digest": digest}).fetchone()
    if row is None:
        return None
    return Look(
        digits=digest.removeprefix("sha256:"),
        format=words.plain(row["format"]),
        kind=words.plain(row["kind"]),
        width=row["width"],
        height=row["height"],
        bytes=row["bytes"],
        url=words.plain(row["uri"]),
        host=words.host_of(row["uri"]),
        date=words.plain(row["date"]),
        alt=words.plain(row["alt"] or row["caption"]),
        article=row["article_id"],
    )


def load_looks(db: sqlite3.Connection, digests: Iterable[str]) -> dict[str, Look]:
    """Those of them that are pictures of the archive, by payload digest."""
    found = ((digest, load_look(db, digest)) for digest in dict.fromkeys(digests))
    return {digest: look for digest, look in found if look}


_BEST = """
SELECT payload_digest FROM picture_clusters JOIN pictures USING (payload_digest)
WHERE cluster = ? ORDER BY width * height DESC, bytes DESC, pictures.rowid LIMIT ?
"""


def best_members(db: sqlite3.Connection, cluster: str, most: int) -> list[str]:
    """Payload digests of a cluster, the largest picture first."""
    return [row[0] for row in db.execute(_BEST, (cluster, most))]


def count_members(db: sqlite3.Connection, cluster: str) -> int:
    row = db.execute("SELECT count(*) FROM picture_clusters WHERE cluster = ?", (cluster,)).fetchone()
    return int(row[0])


def cluster_of(db: sqlite3.Connection, digest: str) -> str | None:
    row = db.execute("SELECT cluster FROM picture_clusters WHERE payload_digest = ?", (digest,)).fetchone()
    return row[0] if row else None
