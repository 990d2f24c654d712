"""The lines of committed record lists, for what only they still say."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from archiver.errors import ManifestError
from archiver.manifest import recordlist
from archiver.manifest.manifest import Manifest
from archiver.model import Entry
from archiver.storage import unblocked


def committed_lines(root: Path, manifest: Manifest) -> Callable[[str], Iterator[Entry]]:
    """Of a WARC file's path, the lines of its record list; none where that is not the committed one."""
    lists = {warc.path: warc.list for warc in manifest.warcs}

    def lines(warc: str) -> Iterator[Entry]:
        wanted = lists[warc]
        try:
            with open(root / wanted.path, "rb", opener=unblocked) as file:
                if os.fstat(file.fileno()).st_size != wanted.bytes:
                    return
                if f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != wanted.digest:
                    return
                file.seek(0)
                yield from map(recordlist.decode, recordlist.lines(file))
        except (ManifestError, OSError):  # `verify` says what is wrong with it
            return

    return lines
