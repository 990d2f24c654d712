"""For one picture, which of very many may show the same: candidates, to be judged by pixels.

An index is a folder of files beside the catalogue (`candidates/folder.py`), derived from the WARC files:
damaged, it is made anew. One process writes; others may read meanwhile, and see what was flushed. It needs
numpy, so import it where it is used.
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from archiver.errors import RecordError, UsageError
from archiver.model import Digest, Noun
from archiver.pictures.candidates.folder import MOST_BYTES, Store
from archiver.pictures.candidates.hashes import FORMS, HASH_BYTES, Hashes
from archiver.pictures.candidates.log import DAMAGED
from archiver.pictures.candidates.postings import Postings, Rows, mirrored_poses
from archiver.pictures.fingerprint import Fingerprint
from archiver.pictures.hashes import NEAR, QUALITY

RADIUS = 84  # bits of 256 between the PDQ hashes of candidates
VOTES = 16  # candidates by their keypoints
KEPT = 448  # keypoints of a picture; who asks has 960
MIRRORED = 480  # by which a mirrored picture is asked for
LEAST_VOTES = 100
FEW, FEW_VOTES = 4, 40  # the first of the others need fewer: screening tells them from chance
SURE_VOTES = 1_000  # so many are no chance, in a small index either
AGREEING = 8  # keypoints on one map: of 778 other pictures that had votes none had more than 6
POOR = 64  # a picture with fewer keypoints is not told from others by them

_PREFIX, _KEY_DIGITS = "sha256:", 64


class Candidate(Noun, frozen=True):
    """A picture that may show the same as another one."""

    key: Digest
    distance: int | None = None  # bits of 256 between their PDQ hashes; None where one of them finds nothing
    votes: int = 0  # of the descriptors that both have and that agree on a turn and a scale
    mirrored: bool = False  # whether these votes are for the mirrored picture
    inliers: int | None = None  # keypoints that one map takes from one to the other; None: not screened


class Index:
    """Fingerprints by key, the digest of a picture's bytes, in the order in which they came."""

    def __init__(self, folder: Path | None = None, *, writable: bool = True, label: str = "") -> None:
        """Open the index in a folder, or make it; None: one in memory. Close it in the end.

        `label` says what the fingerprints depend on, as versions of libraries. Raises RecordError for a
        folder that is damaged, somebody else's or of another label, and StorageError.
        """
        self._store = Store.open(folder, label, writable=writable)
        try:
            self._load()
            if writable:
                self._store.tidy()
        except BaseException:
            self._store.close()
            raise

    def _load(self) -> None:
        rows = self._store.rows
        digits = rows["key"].tobytes().hex()
        self._keys = [_PREFIX + digits[at : at + _KEY_DIGITS] for at in range(0, len(digits), _KEY_DIGITS)]
        self._row = {key: row for row, key in enumerate(self._keys)}
        if len(self._row) != len(rows):
            raise RecordError("the index of pictures is damaged: one picture twice", DAMAGED)
        self._hashes = Hashes(rows["pdq"].tobytes(), rows["quality"])
        self._postings = Postings(self._store.segments)
        self._post()

    def _post(self) -> None:
        """The postings of the rows that are in no segment."""
        for row in range(self._postings.tail.end, len(self)):
            known = self._read(row)
            self._postings.add(known.descriptors, known.poses)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, key: str) -> bool:
        return key in self._row

    def add(self, key: Digest, fingerprint: Fingerprint) -> None:
        """Put it behind the others; one that is there stays. It counts for other processes after a flush.

        Its first 448 keypoints are kept, and no mirrored descriptors: only who asks needs more.
        Raises RecordError for a fingerprint whose arrays do not fit, UsageError for a key that is no digest,
        and StorageError.
        """
        if key in self._row:
            return
        kept = _kept(_checked(fingerprint))
        data = msgspec.msgpack.encode(kept)
        pdq, quality = _hash(fingerprint)
        self._store.append(_raw(key), data, pdq, quality)
        self._row[key] = len(self._keys)
        self._keys.append(key)
        self._hashes.add(pdq, quality)
        if self._postings.add(kept.descriptors, kept.poses):
            self._keep()

    def _keep(self) -> None:
        segments = self._postings.segments
        segments[:] = [self._store.keep(segment) for segment in segments]

    def get(self, key: Digest) -> Fingerprint | None:
        """What was kept of what was added. Raises RecordError and StorageError."""
        row = self._row.get(key)
        return None if row is None else self._read(row)

    def _read(self, row: int) -> Fingerprint:
        try:
            return _checked(msgspec.msgpack.decode(self._store.read(row), type=Fingerprint))
        except (UnicodeDecodeError, msgspec.MsgspecError) as error:
            raise RecordError(f"the index of pictures is damaged: {error}", DAMAGED) from error

    def candidates(
        self, fingerprint: Fingerprint, votes: int = VOTES, *, quality: int = QUALITY
    ) -> list[Candidate]:
        """All that are near by their PDQ hash, the nearest first, then the first few of the others by votes.

        Near is within 84 bits of any of its 8 turned forms, where both hashes have at least that quality:
        none is missed. Votes are counted for all, for the picture as it is and mirrored, and the higher
        ones count. Ties are in the order of adding. A picture without information has no candidates.
        Raises RecordError.
        """
        _checked(fingerprint)
        distances = np.full(len(self), -1)
        if _hash(fingerprint)[1] >= quality:
            distances = self._hashes.distances(fingerprint.pdq, quality)
        plain, turned = self._votes(fingerprint)
        counted = np.maximum(plain, turned)
        near = (distances >= 0) & (distances <= RADIUS)
        first = np.flatnonzero(near)
        first = first[np.argsort(distances[first], kind="stable")]
        voted = np.flatnonzero(~near & (counted >= FEW_VOTES))
        voted = voted[np.argsort(-counted[voted], kind="stable")][:votes]
        voted = voted[(counted[voted] >= LEAST_VOTES) | (np.arange(len(voted)) < FEW)]
        return [
            Candidate(
                key=self._keys[row],
                distance=int(distances[row]) if distances[row] >= 0 else None,
                votes=int(counted[row]),
                mirrored=bool(counted[row] > plain[row]),
            )
            for row in [*first.tolist(), *voted.tolist()]
        ]

    def _votes(self, fingerprint: Fingerprint) -> tuple[Rows, Rows]:
        """Each row's for the picture, or the one on the page that it is; and for the mirrored picture."""
        own, mirrored = len(fingerprint.poses) - fingerprint.within, len(fingerprint.mirrored) // 32
        first = min(own, mirrored, MIRRORED)
        asked = [
            (fingerprint.descriptors[: 32 * own], fingerprint.poses[:own]),
            (fingerprint.descriptors[32 * own :], fingerprint.poses[own:]),
            (fingerprint.mirrored[: 32 * first], mirrored_poses(fingerprint.poses[:first])),
        ]
        plain, within, turned = self._postings.votes(*asked)
        return np.maximum(plain, within), turned

    def screen(self, fingerprint: Fingerprint, found: Iterable[Candidate]) -> list[Candidate]:
        """Those of the candidates whose pixels are worth a look, in their order.

        Worth it are those within 60 bits of PDQ, others with at least 8 `inliers` or 1,000 votes, and all
        where one of the two has fewer than 64 keypoints. Raises RecordError and StorageError.
        """
        from archiver.pictures.pairs.align import inliers  # noqa: PLC0415 - OpenCV, only for who screens

        kept = []
        for one in found:
            if one.distance is not None and one.distance <= NEAR:
                kept.append(one)
                continue
            known = self.get(one.key)
            if known is None:
                continue
            agreeing = inliers(known, _seen(fingerprint, one))
            poor = min(len(known.descriptors), len(fingerprint.descriptors)) < 32 * POOR
            if poor or agreeing >= AGREEING or one.votes >= SURE_VOTES:
                kept.append(msgspec.structs.replace(one, inliers=agreeing))
        return kept

    def truncate(self, count: int) -> None:
        """Keep only the first so many, at once. Raises RecordError and StorageError."""
        if count >= len(self):
            return
        self.flush()
        self._store.truncate(count)
        for key in self._keys[count:]:
            del self._row[key]
        del self._keys[count:]
        self._hashes.truncate(count)
        self._postings = Postings([part for part in self._postings.segments if part.end <= count])
        self._post()
        self.flush()

    def flush(self) -> None:
        """Make what was added count, and be there after a crash. Raises StorageError."""
        self._keep()
        self._store.commit(self._postings.segments)

    def close(self) -> None:
        """Flush, and close the files. Raises StorageError."""
        try:
            self.flush()
        finally:
            self._store.close()


def _raw(key: Digest) -> bytes:
    digits = key.removeprefix(_PREFIX)
    try:
        if len(digits) == _KEY_DIGITS and digits == digits.lower() and key != digits:
            return bytes.fromhex(digits)
    except ValueError:
        pass
    raise UsageError(f"{key!r} is not a digest", "Keys are sha256: and 64 lower-case hexadecimal digits.")


def _hash(fingerprint: Fingerprint) -> tuple[bytes, int]:
    """Its PDQ hash, not turned, and its quality; zero where there is none."""
    if not fingerprint.pdq:
        return bytes(HASH_BYTES), 0
    return fingerprint.pdq[:HASH_BYTES], min(max(fingerprint.facts.quality or 0, 0), 100)


def _seen(fingerprint: Fingerprint, candidate: Candidate) -> Fingerprint:
    """As the votes for a candidate say: as it is or mirrored; both where they say nothing."""
    if candidate.votes < FEW_VOTES or not fingerprint.mirrored:
        return fingerprint
    if not candidate.mirrored:
        return msgspec.structs.replace(fingerprint, mirrored=b"")
    points = np.frombuffer(fingerprint.points, "<u2").reshape(-1, 2).copy()
    points[:, 0] = np.iinfo("<u2").max - points[:, 0]
    return msgspec.structs.replace(
        fingerprint, points=points.tobytes(), descriptors=fingerprint.mirrored, mirrored=b""
    )


def _kept(fingerprint: Fingerprint) -> Fingerprint:
    """With the best keypoints of all of it; of a page half of them are those of the picture on it."""
    own = len(fingerprint.poses) - fingerprint.within
    within = min(fingerprint.within, max(KEPT // 2, KEPT - own))
    first = min(own, KEPT - within)
    parts = [
        b"".join((each[: size * first], each[size * own :][: size * within]))
        for each, size in ((fingerprint.points, 4), (fingerprint.poses, 1), (fingerprint.descriptors, 32))
    ]
    points, poses, descriptors = parts
    return msgspec.structs.replace(
        fingerprint, points=points, poses=poses, descriptors=descriptors, mirrored=b"", within=within
    )


def _checked(fingerprint: Fingerprint) -> Fingerprint:
    points, point_rest = divmod(len(fingerprint.points), 4)
    descriptors, descriptor_rest = divmod(len(fingerprint.descriptors), 32)
    if point_rest or descriptor_rest or not points == descriptors == len(fingerprint.poses):
        raise RecordError(f"a fingerprint with {points} keypoints and {descriptors} descriptors")
    if len(fingerprint.mirrored) not in (0, len(fingerprint.descriptors)):
        raise RecordError("a fingerprint with other mirrored descriptors than descriptors")
    if fingerprint.within > len(fingerprint.poses):
        raise RecordError(f"a fingerprint with {fingerprint.within} of {points} keypoints within a page")
    if len(fingerprint.pdq) not in (0, FORMS * HASH_BYTES):
        raise RecordError(f"a fingerprint with {len(fingerprint.pdq)} bytes of PDQ hashes")
    if len(fingerprint.descriptors) > MOST_BYTES // 2:
        raise RecordError(f"a fingerprint with {descriptors} keypoints")
    return fingerprint
