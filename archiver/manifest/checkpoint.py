"""Checkpoints: the text of a C2SP `tlog-checkpoint`, ready to be signed as a C2SP `signed-note`.

    <origin>            names the log: this archive
    <size>              leaves, decimal
    <root>              RFC 9162 root of that many leaves, base64

Each line ends in LF. Signature lines, when there are any, follow after an empty line.
"""

import base64
import re

from archiver.errors import ManifestError
from archiver.manifest.signednote import unbase64

_NOTE = re.compile(r"([^\n+ ]+)\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n")


def note(origin: str, size: int, root: bytes) -> str:
    """The checkpoint's text."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def parse(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root; ManifestError when the text is no checkpoint of ours."""
    found = _NOTE.fullmatch(text)
    if not found:
        raise ManifestError(f"not a checkpoint: {text[:80]!r}")
    origin, size, root = found.groups()
    return origin, int(size), unbase64(root, "a checkpoint's root")
