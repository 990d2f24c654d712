"""Comparisons of two pictures as rows of the catalogue, and in words."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlite_utils import Database

from archiver.index.rows import insert
from archiver.model import Box, Comparison, Evidence, Relation

_REPRESENTATIVE = "SELECT represented_by FROM compared_pictures WHERE payload_digest = ?"
_EVIDENCE = ("distance", "inliers", "blocks")
RELATIONS: dict[Relation, str] = {
    "same-bytes": "the same bytes",
    "same-pixels": "other bytes, and the same pixels",
    "re-encoded": "re-encoded or resized: the same picture, nowhere changed",
    "cropped": "cropped",
    "overlapping": "overlapping: each shows something that the other does not",
    "overlaid": "the same picture, with something laid over or a bar or border added",
    "turned": "the same picture, turned",
    "locally-changed": "LOCALLY CHANGED: the same picture, but not everywhere",
    "edited-or-neighbouring": "edited, or a neighbouring frame: not the same picture",
    "different": "different pictures",
    "undecodable": "cannot be compared",
}


def representative(db: Database | sqlite3.Connection, digest: str) -> str:
    """The picture that a compared one is held to be a re-encoding of; itself when it is none."""
    row = db.execute(_REPRESENTATIVE, (digest,)).fetchone()
    return str(row[0]) if row and row[0] else digest


def add_pair(db: Database, first: str, second: str, found: Comparison, label: str) -> None:
    """The row of two pictures, by their payload digests."""
    evidence = found.evidence
    insert(
        db,
        "picture_pairs",
        first=first,
        second=second,
        relation=found.relation,
        whole=found.whole,
        box=_json(found.box) if found.box else None,
        boxes=_json(found.boxes),
        turn=found.turn,
        degrees=found.degrees,
        affine=_json(evidence.affine),
        reason=found.reason,
        label=label,
        **{name: getattr(evidence, name) for name in _EVIDENCE},
    )


def pair_of(db: Database | sqlite3.Connection, one: str, other: str) -> tuple[str, str, Comparison] | None:
    """Which of two is the first, which the second, and how they were compared; None: they were not."""
    names = [*(name for name in Comparison.__struct_fields__ if name != "evidence"), *_EVIDENCE, "affine"]
    sql = (
        f"SELECT {', '.join(names)} FROM picture_pairs"  # noqa: S608 - our names
        " WHERE first = ? AND second = ?"
    )
    for pair in ((one, other), (other, one)):
        row = db.execute(sql, pair).fetchone()
        if row is not None:
            return *pair, _comparison(dict(zip(names, row, strict=True)))
    return None


def _comparison(row: Mapping[str, Any]) -> Comparison:
    """A row of `picture_pairs` as it was before."""
    return Comparison(
        relation=row["relation"],
        whole=row["whole"],
        box=msgspec.json.decode(row["box"], type=Box) if row["box"] else None,
        boxes=msgspec.json.decode(row["boxes"], type=tuple[Box, ...]),
        turn=row["turn"],
        degrees=row["degrees"],
        evidence=Evidence(
            affine=msgspec.json.decode(row["affine"], type=tuple[float, ...]),
            **{name: row[name] for name in _EVIDENCE},
        ),
        reason=row["reason"],
    )


def pair_of_row(row: Mapping[str, Any]) -> Comparison:
    """The comparison in a row that a command prints; what else is in that is passed over."""
    return msgspec.convert({key: row[key] for key in Comparison.__struct_fields__ if key in row}, Comparison)


def pair_words(found: Comparison, first: str, second: str) -> str:
    """What it says, in one line; `first` and `second` are what the two pictures are called there."""
    said = [RELATIONS[found.relation]]
    if found.turn and found.relation == "turned":
        said[0] = f"the same picture, {found.turn}"
    elif found.turn:
        said.append(found.turn)
    if found.degrees:
        said.append(f"by {found.degrees:g} degrees")
    if found.box:
        whole, part = (first, second) if found.whole == "first" else (second, first)
        said.append(f"{part} shows of {whole} {box_words(found.box)}")
    if found.boxes:
        said.append(f"in {first} at " + " and at ".join(_place(box) for box in found.boxes))
    return ", ".join(said)


def box_words(box: Box) -> str:
    """`91 %, from 5 % left and 8 % top`."""
    return f"{_percent(box.width * box.height)}, from {_percent(box.left)} left and {_percent(box.top)} top"


def _place(box: Box) -> str:
    size = f"{_percent(box.width)} by {_percent(box.height)}"
    return f"{_percent(box.left)} left, {_percent(box.top)} top ({size})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
