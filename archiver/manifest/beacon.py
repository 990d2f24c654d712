"""The beacon: what the warcinfo record of a WARC file names, so that the file was not begun before it.

One line of JSON: the newest checkpoint before this file, its signature lines, the digests of its tokens, and
a value that a public source of randomness gave. So the tokens come under the next checkpoint, too, and
whoever stamps that vouches for them.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from archiver.errors import TimestampError
from archiver.manifest.manifest import Checkpoint, Digest, Manifest
from archiver.manifest.timestamp import token_digest
from archiver.warc.warcinfo import values

FIELD = "beacon"


class PublicValue(msgspec.Struct, frozen=True):
    """What a public source answered, and when it was asked (RFC 3339, UTC)."""

    url: str
    time: str
    answer: str


class Beacon(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest checkpoint, where there is one, and the public value, where one could be had."""

    note: str = ""
    signatures: tuple[str, ...] = ()
    timestamps: tuple[Digest, ...] = ()
    value: PublicValue | None = None


def field(manifest: Manifest, value: PublicValue | None) -> dict[str, str]:
    """The field for the warcinfo record of the next WARC file; none when there is nothing to name."""
    made = Beacon(value=value)
    if manifest.checkpoints:
        newest = manifest.checkpoints[-1]
        made = Beacon(newest.note, newest.signatures, tuple(_digests(newest)), value)
    said: Any = msgspec.to_builtins(made)
    return {FIELD: json.dumps(said, ensure_ascii=True, sort_keys=True)} if said else {}


def _digests(newest: Checkpoint) -> Iterator[str]:
    for stamp in newest.timestamps:
        with suppress(TimestampError):  # a token that cannot be read is a finding, and stops no capture
            yield token_digest(stamp.token)


def read(block: bytes) -> Beacon | None:
    """The beacon in the block of a warcinfo record; None when it has none. Raises TimestampError."""
    found = values(block, FIELD)
    try:
        return msgspec.json.decode(found[0], type=Beacon) if found else None
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise TimestampError(f"a beacon cannot be read: {error}") from error
