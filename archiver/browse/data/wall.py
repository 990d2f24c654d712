"""The wall of pictures, as plain data for the template."""

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from archiver.browse import words
from archiver.browse.data.looks import Look, best_members, count_members, load_look

PAGE_SIZE = 48
_RARE = 3000  # records of a host: so few are read first, and their pictures sorted
_HOST = re.compile(r"[a-z0-9._\-\[\]:]{1,260}")
_KINDS = {"photograph": "kind = 'photograph'", "graphic": "kind = 'graphic'", "all": "1"}
_SHAPES = {"landscape": "width > height", "portrait": "height > width", "square": "width = height"}


@dataclass(frozen=True)
class Asked:
    """What a visitor wants to see. `before`: older than the picture of this row."""

    kind: str = ""
    shape: str = ""
    host: str = ""
    before: int | None = None

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name in ("kind", "shape", "host") if (value := getattr(self, name))}


@dataclass(frozen=True)
class Tile:
    """A photograph: its best form, and how many forms of it there are."""

    look: Look
    forms: int


@dataclass(frozen=True)
class Wall:
    tiles: tuple[Tile, ...]
    older: int | None  # what `before` is on the next page
    total: int  # pictures in the archive, whatever is asked for


def asked(arguments: Any) -> Asked:
    """What the address says; what cannot be meant is left out."""
    kind, shape = arguments.get("kind") or "", arguments.get("shape") or ""
    host = (arguments.get("host") or "").strip().lower()
    return Asked(
        kind=kind if kind in _KINDS else "",
        shape=shape if shape in _SHAPES else "",
        host=host if _HOST.fullmatch(host) else "",
        before=words.number_of(arguments.get("before")),
    )


def load_wall(db: sqlite3.Connection, wanted: Asked) -> Wall:
    """One page of pictures, newest first: one tile a photograph, or of a host all that came from there."""
    values: dict[str, Any] = {"before": wanted.before, "limit": PAGE_SIZE + 1}
    conditions = [_KINDS.get(wanted.kind, "kind NOT IN ('tiny', 'plain')"), _SHAPES.get(wanted.shape, "1")]
    if wanted.before is not None:
        conditions.append("pictures.rowid < :before")
    source = "pictures"
    if wanted.host:
        for scheme in ("http", "https"):
            values |= {scheme: f"{scheme}://{wanted.host}/", f"{scheme}_end": f"{scheme}://{wanted.host}0"}
        if _is_rare(db, values):
            source = f"(SELECT DISTINCT payload_digest AS digest FROM records WHERE {_OF_HOST})"  # noqa: S608
            source += " CROSS JOIN pictures ON pictures.payload_digest = digest"
        else:
            conditions.append(f"EXISTS ({_FROM_HOST})")
    else:
        conditions.append(_FIRST_OF_CLUSTER)
    sql = (
        f"SELECT pictures.rowid, payload_digest FROM {source}"  # noqa: S608 - our own words
        f" WHERE {' AND '.join(conditions)} ORDER BY pictures.rowid DESC LIMIT :limit"
    )
    rows = db.execute(sql, values).fetchall()
    tiles = [_tile(db, row[1], alone=bool(wanted.host)) for row in rows[:PAGE_SIZE]]
    older = rows[PAGE_SIZE - 1][0] if len(rows) > PAGE_SIZE else None
    (total,) = db.execute("SELECT coalesce(max(rowid), 0) FROM pictures").fetchone()
    return Wall(tuple(tile for tile in tiles if tile), older, total)


_OF_HOST = "(uri >= :http AND uri < :http_end OR uri >= :https AND uri < :https_end)"
_FROM_HOST = f"""
SELECT 1 FROM records WHERE records.payload_digest = pictures.payload_digest
AND type IN ('response', 'resource') AND {_OF_HOST}
"""  # noqa: S608 - our own words
_FIRST_OF_CLUSTER = (
    "NOT EXISTS (SELECT 1 FROM picture_clusters WHERE picture_clusters.payload_digest"
    " = pictures.payload_digest AND cluster <> pictures.payload_digest)"
)


def _is_rare(db: sqlite3.Connection, values: dict[str, Any]) -> bool:
    sql = f"SELECT count(*) FROM (SELECT 1 FROM records WHERE {_OF_HOST} LIMIT {_RARE + 1})"  # noqa: S608
    return bool(db.execute(sql, values).fetchone()[0] <= _RARE)


def _tile(db: sqlite3.Connection, digest: str, *, alone: bool) -> Tile | None:
    forms = 0 if alone else count_members(db, digest)
    best = best_members(db, digest, 1) if forms else []
    look = load_look(db, best[0] if best else digest)
    return Tile(look, forms or 1) if look else None
