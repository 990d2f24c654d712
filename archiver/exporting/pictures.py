"""The pictures of an article as files: which forms came, their bytes, and which form is the best."""

import hashlib
import re
import sqlite3
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from archiver.digests import digest as payload_digest
from archiver.errors import RecordError
from archiver.exporting.committed import Committed
from archiver.model import Location
from archiver.pictures.formats import not_decoded, sniff

PICTURE_BYTES = 256 << 20  # without its content coding
Choice = Literal["best", "origin", "proxied"]
# The publisher's own first; a rendition is a guess from the name, and another archive's copy is borrowed.
RANKS = ("origin", "proxied", "rendition", "memento")
_COPIES = 4  # places that are tried for the same bytes
_SUFFIXES = {"JPEG": "jpg", "TIFF": "tif", "BigTIFF": "tif", "JPEG XL": "jxl", "JPEG 2000": "jp2"} | {
    "JPEG XR": "jxr",
    "JPEG-LS": "jls",
    "HEIF": "heif",
    "PNM": "pnm",
    "DjVu": "djvu",
    "OpenEXR": "exr",
    "Radiance HDR": "hdr",
    "camera raw": "raw",
}
_FORMAT = re.compile("its format is (.+), which is not decoded")
_FORMS = """
SELECT forms.number AS place, forms.form, forms.proxy, forms.url, fetches.outcome, fetches.reason,
       fetches.status, fetches.started, fetches.memento, fetches.response_id, fetches.payload_digest,
       pictures.format, pictures.width, pictures.height, records.unreadable, records.mime
FROM forms LEFT JOIN fetches ON fetches.id = forms.fetch_id
LEFT JOIN records ON records.id = (SELECT min(id) FROM records WHERE record_id = fetches.response_id)
LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest
WHERE forms.article_picture_id = ? ORDER BY forms.number
"""
_PLACES = """
SELECT record_id, date, path, offset, length, digest FROM records JOIN warcs ON warcs.id = warc_id
WHERE payload_digest = ? AND type IN ('response', 'resource') AND truncated IS NULL
ORDER BY record_id <> ?, records.id LIMIT ?
"""
_PICTURES = "SELECT * FROM article_pictures WHERE article_id = ? AND unwanted = '' ORDER BY number"


@dataclass(frozen=True)
class Form:
    """A form of a picture as the catalogue has it; `label` tells it from the picture's other forms."""

    label: str
    row: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.row["form"])

    @property
    def digest(self) -> str:
        """Of its payload, content coding kept; "" where it did not come as a picture."""
        known = self.row["format"] or self.row["unreadable"] or self.row["mime"] == "image/svg+xml"
        return str(self.row["payload_digest"]) if self.row["outcome"] == "whole" and known else ""

    @property
    def why(self) -> str:
        """Why there is no picture."""
        if self.row["outcome"] == "whole":
            return f"what came is no picture: {self.row['mime'] or 'of no known type'}"
        return ": ".join(filter(None, (self.row["outcome"] or "never asked for", self.row["reason"])))


@dataclass(frozen=True)
class Picture:
    """A picture of an article that somebody wants to see, with its forms in their order."""

    row: dict[str, Any]
    forms: tuple[Form, ...]

    @property
    def number(self) -> int:
        return int(self.row["number"])

    @property
    def came(self) -> tuple[Form, ...]:
        """The forms that came, the best first."""
        return tuple(sorted((form for form in self.forms if form.digest), key=_rank))

    @property
    def was_wanted(self) -> bool:
        """Whether somebody asked for it: the smaller ones of a `srcset` are left alone."""
        return any(form.row["outcome"] for form in self.forms)

    @property
    def why(self) -> str:
        """Why no form of it came."""
        return "; ".join(f"{form.label}: {form.why}" for form in self.forms)

    def chosen(self, choice: Choice) -> tuple[Form, ...]:
        """The same with those of a wanted kind first."""
        return tuple(sorted(self.came, key=lambda form: form.name != choice))


@dataclass(frozen=True)
class Bytes:
    """A picture without its content coding, the suffix that these bytes call for, and where they lie."""

    data: bytes
    suffix: str
    place: Location
    record: dict[str, Any]  # id, date and digest of the record that has them

    @cached_property
    def sha256(self) -> bytes:
        """Of the bytes as they are here."""
        return hashlib.sha256(self.data).digest()


def _rank(form: Form) -> tuple[int, int]:
    return RANKS.index(form.name), -(form.row["width"] or 0) if form.name == "rendition" else 0


def load_pictures(db: sqlite3.Connection, article: int, part: str = "") -> tuple[Picture, ...]:
    """The wanted pictures of an article, of `part` "article" only or of all the page. `db` has Row rows."""
    rows = [dict(row) for row in db.execute(_PICTURES, (article,))]
    return tuple(Picture(row, _forms(db, row["id"])) for row in rows if part in ("", row["part"]))


def _forms(db: sqlite3.Connection, picture: int) -> tuple[Form, ...]:
    forms: list[Form] = []
    seen: dict[str, int] = {}
    for row in db.execute(_FORMS, (picture,)):
        seen[row["form"]] = seen.get(row["form"], 0) + 1
        count = seen[row["form"]]
        forms.append(Form(row["form"] + (f"-{count}" if count > 1 else ""), dict(row)))
    return tuple(forms)


def read_picture(committed: Committed, db: sqlite3.Connection, form: Form) -> Bytes:
    """The bytes of a form that came. RecordError when no committed record has them any more."""
    return read_payload(committed, db, form.digest, form.row["response_id"])


def read_payload(committed: Committed, db: sqlite3.Connection, digest: str, answer: str | None) -> Bytes:
    """The same by the payload's digest; the record with the id `answer` is the first that is tried."""
    wrong: list[str] = []
    for row in db.execute(_PLACES, (digest, answer, _COPIES)).fetchall():
        place = Location(file=row["path"], offset=row["offset"], length=row["length"])
        try:
            if not committed.is_sealed(place.file):
                raise RecordError(f"{place.file}: is not sealed yet", "Wait until the run has ended.")
            record = committed.record(place)
            if payload_digest(record.payload) != digest:
                raise RecordError(f"{place.file} at offset {place.offset}: its payload is another one")
            data = record.content_decoded(PICTURE_BYTES)
        except RecordError as error:
            wrong.append(str(error))
            continue
        return Bytes(data, suffix_of(data), place, {key: row[key] for key in ("record_id", "date", "digest")})
    raise RecordError("; ".join(wrong) or "no record has its bytes", "Run 'archiver verify'.")


def suffix_of(data: bytes) -> str:
    """`jpg`, `png`, `svg` … by the bytes; `bin` for what is not known."""
    refused = _FORMAT.fullmatch(not_decoded(data) or "")
    name = sniff(data) or (refused[1] if refused else "bin")
    return _SUFFIXES.get(name, name.lower())
