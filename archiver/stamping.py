"""Ask authorities for timestamps over the newest checkpoint, and a public source for a value: the network.

Nothing here blocks a capture: each request has its limit of time, all authorities are asked at once, and what
fails is told and left for the next time. Which authorities still have to be asked follows from the manifest.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from archiver.archive import Archive
from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import Client, Network
from archiver.config import Authority, Proof
from archiver.errors import ArchiverError, FetchError, StorageError, TimestampError
from archiver.kept import Asked
from archiver.manifest import manifest as commitment
from archiver.manifest import timestamp
from archiver.manifest.beacon import PublicValue
from archiver.manifest.manifest import Checkpoint, Timestamp
from archiver.storage import make_folder, replace_file
from archiver.warc.write import warc_date

SECONDS = 20.0  # for one authority, from the name's look-up to the answer's last byte
VALUE_BYTES = 4096
TRUST = "trust"
_PATIENCE = 5.0  # more than SECONDS, for a look-up of a name that knows no limit
_PLAIN = {"Accept-Encoding": "identity"}
_HEADERS = {
    "Content-Type": "application/timestamp-query",  # RFC 3161 section 3.4
    "Accept": "application/timestamp-reply",
    **_PLAIN,
}


@dataclass(frozen=True)
class _Answer:
    """What came of one authority: a token that holds, or why there is none."""

    asked: Asked
    token: Timestamp | None = None
    roots: bytes = b""


class Stamping:
    """Who is asked in one run. One that failed is left alone for the rest of it. Only under the lock."""

    def __init__(
        self,
        archive: Archive,
        proof: Proof,
        network: Network,
        told: Callable[[Asked], None],
        say: Callable[[str], None],
    ) -> None:
        """`told` gets what came of each authority; `say` why there is no public value."""
        self._archive, self._told, self._say = archive, told, say
        self._authorities, self._beacon = proof.authorities, proof.beacon
        self._failed: set[str] = set()
        seconds = min(SECONDS, network.total_seconds)
        self._network = replace(
            network, total_seconds=seconds, slow_bytes=0, max_bytes=timestamp.ANSWER_BYTES, limit_rate=None
        )

    def ask(self) -> None:
        """Ask whoever has not stamped the newest checkpoint, and keep the tokens that hold.

        Raises ManifestError and StorageError, never for what an authority does.
        """
        manifest = self._archive.manifest()
        waits = timestamp.waiting(manifest, (each.url for each in self._authorities))
        wanted = [each for each in self._authorities if each.url in waits and each.url not in self._failed]
        if not wanted:
            return
        newest = manifest.checkpoints[-1]
        answers = self._ask_all(wanted, newest)
        tokens = tuple(each.token for each in answers if each.token is not None)
        if tokens:
            newest = msgspec.structs.replace(newest, timestamps=(*newest.timestamps, *tokens))
            checkpoints = (*manifest.checkpoints[:-1], newest)
            commitment.save(self._archive.root, msgspec.structs.replace(manifest, checkpoints=checkpoints))
            self._keep_roots({each.roots: None for each in answers if each.token is not None})
        for each in answers:
            if each.token is None:
                self._failed.add(each.asked.authority)
            self._told(each.asked)

    def value(self) -> PublicValue | None:
        """What the public source answers now; None when none is set, or it does not answer."""
        if self._beacon is None:
            return None
        asked = warc_date(datetime.now(UTC))
        try:
            with Client(self._network) as client:
                got = _whole(client.exchange(self._beacon, headers=_PLAIN, most=VALUE_BYTES))
            return PublicValue(self._beacon, asked, got.decode())
        except (FetchError, UnicodeDecodeError) as error:
            self._say(f"beacon      {self._beacon}  (no value: {error}; the capture goes on without one)")
            self._beacon = None
            return None

    def _ask_all(self, wanted: Sequence[Authority], newest: Checkpoint) -> list[_Answer]:
        """All at once, each in a thread that nobody waits for longer than its limit."""
        answers: dict[str, _Answer] = {}
        with Client(self._network) as client:

            def ask(authority: Authority) -> None:
                answers[authority.url] = self._ask_one(client, authority, newest)

            threads = [threading.Thread(target=ask, args=(each,), daemon=True) for each in wanted]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(self._network.total_seconds + _PATIENCE)
        late = "it did not answer in time"
        return [answers.get(each.url) or _Answer(Asked(each.url, reason=late)) for each in wanted]

    def _ask_one(self, client: Client, authority: Authority, newest: Checkpoint) -> _Answer:
        over = len(newest.signatures)
        text = newest.stamped(over)
        try:
            pem = _read(self._archive.root / authority.roots)
            roots = timestamp.parse_roots(pem, authority.roots)
            query, nonce = timestamp.request(text)
            exchange = client.exchange(authority.url, method="POST", headers=_HEADERS, body=query)
            answer = _whole(exchange)
            stamp = timestamp.judge(answer, text, roots, nonce)
            if not stamp.rooted:
                raise TimestampError(
                    f"it was signed by {stamp.authority!r}, whose chain leads to none of {authority.roots}"
                )
            token = Timestamp(
                kind="rfc3161", authority=authority.url, over=over, token=timestamp.encode(answer)
            )
        except ArchiverError as error:
            return _Answer(Asked(authority.url, reason=str(error)))
        return _Answer(Asked(authority.url, time=stamp.time.isoformat().replace("+00:00", "Z")), token, pem)

    def _keep_roots(self, roots: Iterable[bytes]) -> None:
        """Copy them beside the tokens, named by their content: convenience, not evidence."""
        folder = self._archive.root / TRUST
        try:
            if folder.is_symlink():
                raise StorageError(f"{folder}: will not write through a link", "Remove it, or move it away.")
            make_folder(folder)
            for pem in roots:
                path = folder / f"{hashlib.sha256(pem).hexdigest()[:16]}.pem"
                if not path.exists():
                    replace_file(path, pem)
        except StorageError as error:
            self._say(f"roots       not copied: {error}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(timestamp.ROOTS_BYTES + 1)
    except OSError as error:
        raise TimestampError(f"its roots {path} cannot be read: {error.strerror or error}") from error


def _whole(exchange: Exchange) -> bytes:
    """The body of a whole answer of status 200. Raises FetchError."""
    try:
        if exchange.error is not None:
            raise exchange.error
        if exchange.status != 200:
            raise FetchError(f"{exchange.url}: it answered with status {exchange.status}", "response")
        return exchange.entity_body()
    finally:
        exchange.release()
