"""Step (8): the timestamps of checkpoints: who says that they existed when, and whether that still holds.

A token is judged by roots: those that the person gave, else those in `trust/` of the archive. One whose
certificates have run out holds when a beacon names it, and a checkpoint above that beacon was stamped before.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from archiver.digests import digest
from archiver.errors import ManifestError, TimestampError, UsageError
from archiver.manifest import beacon, checkpoint, opentimestamps, timestamp
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Checkpoint, Manifest
from archiver.manifest.timestamp import Root, Stamp
from archiver.model import Finding
from archiver.storage import open_plain
from archiver.verify.files import COPY
from archiver.verify.findings import of_file
from archiver.verify.pair import Pair
from archiver.verify.trust import Trust
from archiver.warc.warcinfo import first_block

MOST_ROOT_FILES = 100
_NEVER, _LONG_AGO = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
_finding = partial(of_file, commitment.NAME)


@dataclass(frozen=True)
class Proved:
    """A token that holds: so many records, the first ones, existed before `time`."""

    records: int
    time: datetime
    authority: str  # the URL that was asked
    name: str  # in the certificate
    until: datetime  # when its certificates run out
    by: Literal["given", "archive"]  # whose roots
    renewed: bool = False  # its certificates have run out, and a later timestamp vouches for it
    soon: bool = False  # they run out within a year, and none does


@dataclass(frozen=True)
class _Token:
    checkpoint: int
    authority: str
    digest: str
    stamp: Stamp


@dataclass(frozen=True)
class Anchor:
    """A proof of OpenTimestamps: over so many records; promised only, or in a Bitcoin block.

    `time`: that of the block's header, when the person gave it.
    """

    records: int
    authority: str
    block: int | None
    time: datetime | None


class TimeCheck:
    """Takes the pairs of files in the manifest's order, then judges the tokens.

    Afterwards `proved` holds, of each authority, the newest token that holds, and `unjudged` how many of its
    tokens could not be judged, for want of roots; `unread` the files in trust/ that hold none; `anchors`, of
    each calendar, the newest proof in a block and the newest promise after it.
    """

    def __init__(self, root: Path, manifest: Manifest, trust: Trust) -> None:
        self._root, self._manifest = root, manifest
        self.by: Literal["given", "archive"] = "given" if trust.roots else "archive"
        self.proved: dict[str, Proved] = {}
        self.unjudged: Counter[str] = Counter()
        self.unread: list[str] = []
        self.anchors: dict[tuple[str, bool], Anchor] = {}
        self._headers = [_header(path) for path in trust.headers]
        self._roots = list(self._given(trust) if trust.roots else self._kept())
        self._named: dict[str, int] = {}  # token → the first file whose beacon names it
        self._missing: list[tuple[int, str]] = []
        self._others: list[int] = []  # files whose beacon names another checkpoint than that before them
        self._files = 0

    def _given(self, trust: Trust) -> Iterator[Root]:
        for path in trust.roots:
            yield from timestamp.load_roots(path)

    def _kept(self) -> Iterator[Root]:
        """The roots that lie in the archive."""
        folder = self._root / timestamp.TRUST
        names = sorted(folder.glob("*.pem"))[:MOST_ROOT_FILES] if not folder.is_symlink() else []
        for path in names:
            try:
                with open_plain(path) as file:
                    yield from timestamp.parse_roots(file.read(timestamp.ROOTS_BYTES + 1), path.name)
            except (OSError, UsageError):
                self.unread.append(f"{timestamp.TRUST}/{path.name}")

    def add(self, pair: Pair) -> None:
        """Read what a WARC file's beacon names: by its committed warcinfo record alone."""
        place, self._files = self._files, self._files + 1
        before = self._manifest.checkpoints[:place]
        found = self._beacon(pair)
        if found is None:
            return
        newest = before[-1] if before else Checkpoint(note="")
        if found.note != newest.note or found.signatures != newest.signatures[: len(found.signatures)]:
            self._others.append(place)
        there = set()
        for each in newest.timestamps:
            try:
                there.add(timestamp.token_digest(each.token))
            except TimestampError:
                continue
        for named in found.timestamps:
            self._named.setdefault(named, place)
            if named not in there:
                self._missing.append((place, named))

    def _beacon(self, pair: Pair) -> beacon.Beacon | None:
        """Of a file whose record list is known. What cannot be read is for step (10) to say."""
        first = pair.entries[0] if pair.known and pair.entries else None
        block = first_block(self._root, pair.warc.path, first)
        try:
            return beacon.read(block) if block else None
        except TimestampError:
            return None

    def findings(self) -> Iterator[Finding]:
        """Every token that does not hold, and beacons of another past. `proved` is right afterwards."""
        for place in self._others:
            yield _finding(
                "beacon",
                f"{self._manifest.warcs[place].path} names another checkpoint before it, or other signatures"
                " of it, than there are: what comes before was made anew, or signatures were taken away",
                advice=COPY,
            )
        for place, named in self._missing:
            yield _finding(
                "timestamp-missing",
                f"{self._manifest.warcs[place].path} names a timestamp of the checkpoint before it, which is"
                " not there: it was taken away or changed",
                expected=named,
                advice=COPY,
            )
        tokens: list[_Token] = []
        yield from self._judge(tokens)
        yield from self._judge_ends(tokens)

    def _judge(self, tokens: list[_Token]) -> Iterator[Finding]:
        """Each token by itself; those that hold, or did until their certificates ran out, go to `tokens`."""
        unrooted: Counter[str] = Counter()
        for place, point in enumerate(self._manifest.checkpoints):
            for each in point.timestamps:
                try:
                    answer = timestamp.decode(each.token)
                    if each.over > len(point.signatures):
                        raise TimestampError(f"it says that it is over {each.over} signature lines")
                    if each.kind == "opentimestamps":
                        self._anchor(each.authority, place, answer, point.stamped(each.over))
                        continue
                    stamp = timestamp.judge(answer, point.stamped(each.over), self._roots)
                except TimestampError as error:
                    yield _finding(
                        "timestamp",
                        f"checkpoint {place + 1}, the timestamp of {each.authority}: {error}",
                        advice=COPY,
                    )
                    continue
                if stamp.rooted:
                    tokens.append(_Token(place, each.authority, digest(answer), stamp))
                else:
                    unrooted[each.authority] += 1
        if self._roots:
            yield from self._without_root(unrooted)
        else:
            self.unjudged = unrooted

    def _anchor(self, calendar: str, place: int, proof: bytes, text: bytes) -> None:
        """Remember what a proof leads to. Raises TimestampError."""
        paths = opentimestamps.parse(proof, hashlib.sha256(text).digest())
        records = self._records(place)
        blocks = [each for each in paths if each.block is not None]
        if not blocks:
            self.anchors[calendar, False] = Anchor(records, calendar, None, None)
            return
        self.anchors.pop((calendar, False), None)
        for each in blocks:
            times = (opentimestamps.header_time(header, each.message) for header in self._headers)
            time = next((time for time in times if time is not None), None)
            if time is not None or each is blocks[0]:
                self.anchors[calendar, True] = Anchor(records, calendar, each.block, time)

    def _records(self, place: int) -> int:
        try:
            return checkpoint.parse(self._manifest.checkpoints[place].note)[1]
        except ManifestError:  # it has its finding
            return 0

    def _without_root(self, unrooted: Counter[str]) -> Iterator[Finding]:
        whose = "--roots" if self.by == "given" else f"{timestamp.TRUST}/"
        for authority, count in unrooted.items():
            yield _finding(
                "timestamp-root",
                f"{count} timestamps of {authority} lead to none of the roots in {whose}",
                verdict="unverifiable",
                advice="Get the authority's roots from itself, and name them with --roots.",
            )

    def _judge_ends(self, tokens: list[_Token]) -> Iterator[Finding]:
        """From the newest checkpoint down: which tokens hold today, by themselves or by a later one."""
        now, above = datetime.now(UTC), _Above()
        expired: dict[str, list[_Token]] = {}
        for token in reversed(tokens):
            earliest, longest = above.of(self._named.get(token.digest))
            over, renewed = token.stamp.until <= now, earliest <= token.stamp.until
            if over and not renewed:
                expired.setdefault(token.authority, []).append(token)
                continue
            above.add(token)
            soon = token.stamp.until <= now + timestamp.SOON and not (
                renewed and longest > now + timestamp.SOON
            )
            self.proved.setdefault(token.authority, self._proved(token, renewed=over, soon=soon))
        for authority, those in expired.items():
            yield _finding(
                "timestamp-expired",
                f"the certificates behind {len(those)} timestamps of {authority} have run out, the newest of"
                f" checkpoint {those[0].checkpoint + 1} on {those[0].stamp.until:%Y-%m-%d}, and no timestamp"
                " that was made before vouches for them",
                verdict="unverifiable",
                advice="They prove nothing any more: 'archiver timestamp --renew' must come before that day.",
            )

    def _proved(self, token: _Token, *, renewed: bool, soon: bool) -> Proved:
        stamp, records = token.stamp, self._records(token.checkpoint)
        return Proved(
            records, stamp.time, token.authority, stamp.authority, stamp.until, self.by, renewed, soon
        )


def _header(path: Path) -> bytes:
    """A Bitcoin block header. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(4 * opentimestamps.HEADER_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    with suppress(ValueError):
        data = bytes.fromhex(data.decode("ascii"))
    if len(data) != opentimestamps.HEADER_BYTES:
        raise UsageError(f"{path}: no header of a Bitcoin block: 80 bytes, or 160 hexadecimal digits")
    return data


class _Above:
    """Of the tokens that hold, from the newest checkpoint down: what those over a checkpoint or later say."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, datetime, datetime]] = []

    def of(self, place: int | None) -> tuple[datetime, datetime]:
        """The earliest time, and until when the longest holds, at this checkpoint and above it."""
        for there, earliest, longest in reversed(self._seen):
            if place is not None and there >= place:
                return earliest, longest
        return _NEVER, _LONG_AGO

    def add(self, token: _Token) -> None:
        earliest, longest = self._seen[-1][1:] if self._seen else (_NEVER, _LONG_AGO)
        stamp = token.stamp
        self._seen.append((token.checkpoint, min(earliest, stamp.time), max(longest, stamp.until)))
