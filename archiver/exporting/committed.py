"""Stored records as they are committed: nothing leaves that has not the digest of its record list."""

from collections import OrderedDict
from pathlib import Path

from archiver.errors import RecordError
from archiver.manifest import manifest as commitment
from archiver.manifest.lines import committed_lines
from archiver.model import Location
from archiver.warc.read import DAMAGED, StoredRecord, is_inside, read_committed
from archiver.warc.stored import parse

_LISTS = 8  # whose digests are kept in memory: a record's neighbours are asked for next


class Committed:
    """The sealed records of an archive, by where they lie. Raises what loading a manifest raises."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.manifest = commitment.load(root)
        self._lines = committed_lines(root, self.manifest)
        self._files = {warc.path for warc in self.manifest.warcs}
        self._digests: OrderedDict[str, dict[int, tuple[int, str]]] = OrderedDict()

    def is_sealed(self, file: str) -> bool:
        """Whether the manifest commits a file; what a run is writing it does not."""
        return file in self._files

    def member(self, place: Location) -> bytes:
        """The stored bytes. RecordError when they are not those that the record list commits."""
        where = f"{place.file} at offset {place.offset}"
        length, wanted = self._listed(place.file).get(place.offset, (-1, ""))
        if length != place.length or not is_inside(self.root, place.file):
            raise RecordError(f"{where}: no record list that the manifest commits has this record", DAMAGED)
        return read_committed(self.root, place, wanted)

    def record(self, place: Location) -> StoredRecord:
        """The record in them, an imported one as others wrote it. RecordError also when it is none."""
        return parse(place.file, self.member(place))

    def _listed(self, file: str) -> dict[int, tuple[int, str]]:
        """Offset → length and digest of each record of a file."""
        if file not in self._digests:
            lines = self._lines(file) if file in self._files else ()
            self._digests[file] = {each.offset: (each.length, each.digest) for each in lines}
            if len(self._digests) > _LISTS:
                self._digests.popitem(last=False)
        self._digests.move_to_end(file)
        return self._digests[file]
