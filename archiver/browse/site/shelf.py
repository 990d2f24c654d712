"""The bytes that a site shows and gives away: pictures, small ones, records; each checked, each once."""

import base64
import json
import sqlite3
from collections.abc import Iterator

from archiver.browse.data.article import Page
from archiver.browse.data.pictures import Copy
from archiver.browse.disk.media import MEDIA_TYPES
from archiver.errors import RecordError, SandboxError
from archiver.exporting.committed import Committed
from archiver.exporting.output import Folder
from archiver.exporting.pictures import read_payload
from archiver.model import Location
from archiver.pictures.formats import sniff
from archiver.pictures.thumbnail import make_thumbnail
from archiver.prove.subject import choose
from archiver.sandbox import Sandbox
from archiver.warc.stored import as_member

SMALL = 480  # pixels wide
_IDS = "(SELECT value FROM json_each(:ids))"
_PLACES = f"""
SELECT path, offset, length FROM records JOIN warcs ON warcs.id = warc_id
WHERE record_id IN {_IDS} OR records.id IN (SELECT min(first.id) FROM records AS first
    WHERE first.type = 'warcinfo' AND first.warc_id IN (SELECT warc_id FROM records WHERE record_id IN {_IDS})
    GROUP BY first.warc_id)
ORDER BY records.warc_id, offset
"""  # noqa: S608 - of this module's own text


class Shelf:
    """SHA-256 digits → the file of `pictures`, that of a `small` one, or in `damaged` why there is none."""

    def __init__(
        self, committed: Committed, db: sqlite3.Connection, folder: Folder, sandbox: Sandbox
    ) -> None:
        self._committed, self._db, self._folder, self._sandbox = committed, db, folder, sandbox
        self.pictures: dict[str, str] = {}
        self.small: dict[str, str] = {}
        self.damaged: dict[str, str] = {}

    def put_pictures(self, page: Page) -> list[str]:
        """Every form that can be shown of an article's pictures; what is wrong with any."""
        wrong = []
        for picture in page.pictures.values():
            for copy in () if picture.aside else picture.copies:
                digits = copy.digits
                if digits is None or digits in self.pictures:
                    continue
                if digits not in self.damaged:
                    self._put(digits, copy)
                if digits in self.damaged:
                    wrong.append(f"picture {picture.number + 1}, {copy.form}: {self.damaged[digits]}")
        return wrong

    def _put(self, digits: str, copy: Copy) -> None:
        answer = copy.record.record_id if copy.record else None
        try:
            found = read_payload(self._committed, self._db, f"sha256:{digits}", answer)
        except RecordError as error:
            self.damaged[digits] = str(error)
            return
        if sniff(found.data) not in MEDIA_TYPES:
            self.damaged[digits] = "its bytes are no picture that a browser may show"
            return
        self.pictures[digits] = f"pictures/{digits[:2]}/{digits}.{found.suffix}"
        self._folder.write(self.pictures[digits], found.data)

    def small_of(self, digits: str | None) -> str | None:
        """The small one of a picture that is there; None where there is none."""
        if digits is None or digits not in self.pictures:
            return None
        if digits not in self.small:
            self.small[digits] = ""
            data = (self._folder.path / self.pictures[digits]).read_bytes()
            try:
                made = base64.b64decode(self._sandbox.call(make_thumbnail, data, width=SMALL))
            except SandboxError:
                return None
            self.small[digits] = f"small/{digits[:2]}/{digits}.webp"
            self._folder.write(self.small[digits], made)
        return self.small[digits] or None

    def put_records(self, root_id: int) -> tuple[str, int]:
        """What `archiver prove` takes of an article, as a WARC file: its name, and how many records it has.

        RecordError when one is damaged.
        """
        ids = json.dumps(sorted(choose(self._db, self._committed.root, str(root_id)).records))
        places = [
            Location(file=path, offset=offset, length=length)
            for path, offset, length in self._db.execute(_PLACES, {"ids": ids})
        ]
        sealed = [place for place in places if self._committed.is_sealed(place.file)]
        name = f"records/{root_id}.warc.gz"
        self._folder.write(name, self._members(sealed))
        return name, len(sealed)

    def _members(self, places: list[Location]) -> Iterator[bytes]:
        for place in places:
            yield as_member(self._committed.member(place))
