"""Ask authorities for timestamps over the newest checkpoint, and a public source for a value: the network.

Nothing here blocks a capture: each request has its limit of time, all authorities are asked at once, and what
fails is told and left for the next time. Which authorities still have to be asked follows from the manifest.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from archiver.archive import Archive
from archiver.capture.wire.fetch import Client, Network
from archiver.config import Authority, Proof
from archiver.errors import ArchiverError, FetchError, StorageError, TimestampError
from archiver.kept import Asked
from archiver.manifest import manifest as commitment
from archiver.manifest import opentimestamps, timestamp
from archiver.manifest.beacon import PublicValue
from archiver.manifest.manifest import Checkpoint, Timestamp
from archiver.stamping import calendars
from archiver.storage import own_folder, replace_file
from archiver.warc.write import warc_date

SECONDS = 20.0  # for one authority, from the name's look-up to the answer's last byte
VALUE_BYTES = 4096
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
            self._keep_roots({each.roots: None for each in answers if each.roots})
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
                got = client.exchange(self._beacon, headers=_PLAIN, most=VALUE_BYTES).whole()
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
        return [answers.get(each.url) or _Answer(Asked(each.url, "failed", reason=late)) for each in wanted]

    def _ask_one(self, client: Client, authority: Authority, newest: Checkpoint) -> _Answer:
        try:
            if authority.kind == "opentimestamps":
                return self._submit(client, authority, newest)
            return self._stamp(client, authority, newest)
        except ArchiverError as error:
            return _Answer(Asked(authority.url, "failed", reason=str(error)))

    def _stamp(self, client: Client, authority: Authority, newest: Checkpoint) -> _Answer:
        over = len(newest.signatures)
        text = newest.stamped(over)
        pem = _read(self._archive.root / authority.roots)
        roots = timestamp.parse_roots(pem, authority.roots)
        answer, stamp = ask_for_token(client, authority.url, text, roots, authority.roots)
        asked = Asked(authority.url, "stamped", time=stamp.time.isoformat().replace("+00:00", "Z"))
        return _Answer(asked, _token(authority, over, answer), pem)

    def _submit(self, client: Client, authority: Authority, newest: Checkpoint) -> _Answer:
        over = len(newest.signatures)
        proof = calendars.submit(client, authority.url, newest.stamped(over))
        promised = "it promised; no time is proved before 'archiver timestamp' finds it in a Bitcoin block"
        return _Answer(Asked(authority.url, "pending", reason=promised), _token(authority, over, proof))

    def upgrade(self) -> None:
        """Ask the calendars again whose promises are not in a Bitcoin block; what they give is added."""
        manifest = self._archive.manifest()
        ours = {each.url for each in self._authorities if each.kind == "opentimestamps"} - self._failed
        points = list(manifest.checkpoints)
        with Client(self._network) as client:
            for place, point in enumerate(points):
                added = [
                    made
                    for url, proofs in _promises(point, ours).items()
                    if (made := self._upgraded(client, url, proofs[-1], point))
                ]
                points[place] = msgspec.structs.replace(point, timestamps=(*point.timestamps, *added))
        if tuple(points) != manifest.checkpoints:
            after = msgspec.structs.replace(manifest, checkpoints=tuple(points))
            commitment.save(self._archive.root, after)

    def _upgraded(self, client: Client, url: str, pending: Timestamp, point: Checkpoint) -> Timestamp | None:
        if url in self._failed:
            return None
        try:
            proof, text = timestamp.decode(pending.token), point.stamped(pending.over)
            made = calendars.upgrade(client, proof, text)
        except ArchiverError as error:
            self._failed.add(url)
            self._told(Asked(url, "failed", reason=str(error)))
            return None
        if made is None:
            self._told(Asked(url, "pending", reason="it is in no Bitcoin block yet"))
            return None
        blocks = opentimestamps.blocks(opentimestamps.parse(made, hashlib.sha256(text).digest()))
        self._told(Asked(url, "anchored", reason=f"in block {min(blocks)}; its header is not checked"))
        return msgspec.structs.replace(pending, token=timestamp.encode(made))

    def _keep_roots(self, roots: Iterable[bytes]) -> None:
        """Copy them beside the tokens, named by their content: convenience, not evidence."""
        try:
            folder = own_folder(self._archive.root / timestamp.TRUST)
            for pem in roots:
                path = folder / f"{hashlib.sha256(pem).hexdigest()[:16]}.pem"
                if not path.exists():
                    replace_file(path, pem)
        except StorageError as error:
            self._say(f"roots       not copied: {error}")


def ask_for_token(
    client: Client, url: str, text: bytes, roots: timestamp.Roots, name: str
) -> tuple[bytes, timestamp.Stamp]:
    """An authority's answer over `text`, judged by the roots, which `name` names; and what it says.

    Raises FetchError, TimestampError.
    """
    query, nonce = timestamp.request(text)
    answer = client.exchange(url, method="POST", headers=_HEADERS, body=query).whole()
    stamp = timestamp.judge(answer, text, roots, nonce)
    if not stamp.rooted:
        raise TimestampError(f"it was signed by {stamp.authority!r}, whose chain leads to none of {name}")
    return answer, stamp


def _token(authority: Authority, over: int, answer: bytes) -> Timestamp:
    token = timestamp.encode(answer)
    return Timestamp(kind=authority.kind, authority=authority.url, over=over, token=token)


def _promises(point: Checkpoint, calendars_asked: set[str]) -> dict[str, list[Timestamp]]:
    """By calendar, the proofs of a checkpoint of which none is in a block."""
    found: dict[str, list[Timestamp]] = {}
    anchored = set()
    for each in point.timestamps:
        if each.kind == "opentimestamps" and each.authority in calendars_asked:
            found.setdefault(each.authority, []).append(each)
            with suppress(TimestampError):
                digest = hashlib.sha256(point.stamped(each.over)).digest()
                if opentimestamps.blocks(opentimestamps.parse(timestamp.decode(each.token), digest)):
                    anchored.add(each.authority)
    return {url: proofs for url, proofs in found.items() if url not in anchored}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(timestamp.ROOTS_BYTES + 1)
    except OSError as error:
        raise TimestampError(f"its roots {path} cannot be read: {error.strerror or error}") from error
