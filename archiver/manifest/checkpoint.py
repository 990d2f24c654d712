"""Checkpoints: the text of a C2SP `tlog-checkpoint`, ready to be signed as a C2SP `signed-note`.

    <origin>            names the log: this archive
    <size>              leaves, decimal
    <root>              RFC 9162 root of that many leaves, base64

Each line ends in LF. Signature lines, when there are any, follow after an empty line.
"""

import base64
import binascii
import re

from archiver.errors import ManifestError

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
    try:
        value = base64.b64decode(root, validate=True)
    except binascii.Error as error:
        raise ManifestError(f"a checkpoint's root is not base64: {error}") from error
    if base64.b64encode(value).decode() != root:
        raise ManifestError("a checkpoint's root is not in canonical base64")
    return origin, int(size), value
