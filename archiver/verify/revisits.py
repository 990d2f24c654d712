"""Step (10), across files: the response for which a revisit stands is in the archive, with its payload."""

from collections.abc import Iterator

from archiver.model import Entry, Finding
from archiver.storage import is_imported
from archiver.verify.findings import of_record
from archiver.verify.pair import Pair


class RevisitCheck:
    """Takes pairs one by one; `findings` tells of revisits that stand for nothing."""

    def __init__(self) -> None:
        self._revisits: list[tuple[str, int, Entry]] = []
        self._originals: set[int] = set()  # hashes of id and payload of whole responses: they may be many

    def add(self, pair: Pair) -> None:
        ours = not is_imported(pair.warc.path)  # what others left out need not be here
        for number, entry in enumerate(pair.entries):
            if entry is not None and entry.type == "revisit":
                if ours and _original(entry) not in self._originals:  # nearly always it came before
                    self._revisits.append((pair.warc.path, number, entry))
            elif entry is not None and entry.type == "response" and entry.truncated is None:
                self._originals.add(hash((entry.id, entry.payload_digest)))

    def findings(self) -> Iterator[Finding]:
        for file, number, entry in self._revisits:
            if _original(entry) not in self._originals:
                yield of_record(
                    file,
                    number,
                    entry,
                    "revisit-original",
                    "the response for which it stands is not here, whole and with its payload",
                    verdict="incomplete",
                    expected=entry.refers_to,
                    advice="Get the WARC file that holds the original from another copy.",
                )


def _original(entry: Entry) -> int:
    return hash((entry.refers_to, entry.payload_digest))
