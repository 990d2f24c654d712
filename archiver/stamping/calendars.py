"""Ask calendars of OpenTimestamps: for a promise over a digest, later for the way into a Bitcoin block."""

import hashlib
import secrets

from archiver.capture.wire.fetch import Client
from archiver.manifest import opentimestamps
from archiver.manifest.opentimestamps import Path

_HEADERS = {"Accept": "application/vnd.opentimestamps.v1", "Accept-Encoding": "identity"}
_NONCE_BYTES = 16
_MOST_PROMISES = 10  # of one proof, that are followed


def submit(client: Client, url: str, text: bytes) -> bytes:
    """The proof file that a calendar begins over the SHA-256 of `text`. Raises FetchError, TimestampError."""
    digest = hashlib.sha256(text).digest()
    steps, message = opentimestamps.submitted(digest, secrets.token_bytes(_NONCE_BYTES))
    answer = client.exchange(
        f"{url.rstrip('/')}/digest", method="POST", headers=_HEADERS, body=message
    ).whole()
    paths = opentimestamps.parse_paths(answer, message)
    return opentimestamps.encode(digest, [(steps + each.steps, each.kind, each.payload) for each in paths])


def upgrade(client: Client, proof: bytes, text: bytes) -> bytes | None:
    """The proof with its way into Bitcoin; None while none of its calendars has one.

    Raises TimestampError, and FetchError when a calendar does not answer.
    """
    digest = hashlib.sha256(text).digest()
    paths = opentimestamps.parse(proof, digest)
    found = [(each.steps, each.kind, each.payload) for each in paths]
    promises = [each for each in paths if each.calendar is not None]
    for each in promises[:_MOST_PROMISES]:
        found += [(each.steps + way.steps, way.kind, way.payload) for way in _way(client, each)]
    if len(found) == len(paths):
        return None
    made = opentimestamps.encode(digest, found)
    opentimestamps.parse(made, digest)
    return made


def _way(client: Client, promised: Path) -> list[Path]:
    url = f"{(promised.calendar or '').rstrip('/')}/timestamp/{promised.message.hex()}"
    exchange = client.exchange(url, headers=_HEADERS)
    if exchange.error is None and exchange.status == 404:  # not yet
        exchange.release()
        return []
    ways = opentimestamps.parse_paths(exchange.whole(), promised.message)
    return [each for each in ways if each.block is not None]
