"""The index's files.

    state.json        what of the other files counts; each commit replaces it atomically
    features.bin      one after the other, each picture's Fingerprint in MessagePack
    rows.bin          for each picture 77 bytes, little-endian: key (32 bytes), PDQ hash (32; zero: none),
                      where its fingerprint ends in features.bin (uint64), that one's CRC-32 (uint32), PDQ's
                      quality (uint8)
    postings-N.bin    descriptors of many pictures (`postings.py`); the newest have none and are read again

What lies behind or beside that was left by a process that was killed; the next one that writes removes it.
"""

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from archiver.errors import RecordError
from archiver.model import Count
from archiver.pictures.candidates.log import DAMAGED, Log, opened
from archiver.pictures.candidates.postings import Segment
from archiver.storage import own_folder, replace_file, storage_error

_ROW = struct.Struct("<32s32sQIB")
_FIELDS = np.dtype([("key", "V32"), ("pdq", "V32"), ("end", "<u8"), ("crc32", "<u4"), ("quality", "u1")])
MOST_BYTES = 1 << 18  # of a fingerprint
_VERSION = 3
_STATE = "state.json"
_TRIES = 10  # to read a state and its files while another process replaces them


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int = _VERSION
    label: str = ""  # what the fingerprints depend on
    pictures: Count = 0
    features: Count = 0  # bytes
    rows_crc32: Count = 0
    segments: tuple[tuple[Count, Count], ...] = ()  # the number in the name, and the row behind the last
    next_segment: Count = 0


class Store:
    """Rows, fingerprints and segments of postings, in a folder or in memory."""

    def __init__(self, folder: Path | None, state: State, *, writable: bool) -> None:
        """What a state says. Raises RecordError, FileNotFoundError and StorageError."""
        self._folder, self._state, self._writable = folder, state, writable
        self._next_segment = state.next_segment
        self._features = Log(folder and folder / "features.bin", writable=writable)
        try:
            self._rows = Log(folder and folder / "rows.bin", writable=writable)
            data = self._rows.read(0, state.pictures * _ROW.size)
            self.rows = np.frombuffer(data, _FIELDS)  # those of the state
            self._crc32 = zlib.crc32(data)
            self._ends = [0, *self.rows["end"].tolist()]
            self._checksums = self.rows["crc32"].tolist()
            if self._crc32 != state.rows_crc32 or self._ends[-1] != state.features:
                raise RecordError("rows.bin is damaged", DAMAGED)
            self.segments = self._mapped(state)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, folder: Path | None, label: str, *, writable: bool) -> "Store":
        """Make or open it. Raises RecordError for what is damaged or somebody else's, and StorageError."""
        if folder is None:
            return cls(None, State(label=label), writable=True)
        if writable:
            own_folder(folder)
        for tries in reversed(range(_TRIES)):
            state = _read_state(folder)
            if state and state.label != label:
                raise RecordError(f"{folder}: fingerprints of {state.label!r}, not of {label!r}", DAMAGED)
            try:
                if state is None and not writable:
                    return cls(None, State(label=label), writable=False)
                if state is None:
                    state = State(label=label)
                    replace_file(folder / _STATE, msgspec.json.encode(state))
                return cls(folder, state, writable=writable)
            except (RecordError, FileNotFoundError) as error:
                if writable or not tries or _read_state(folder) == state:
                    raise RecordError(f"{folder}: {error}", DAMAGED) from error
        raise RecordError(f"{folder}: another process writes without end", DAMAGED)

    def __len__(self) -> int:
        return len(self._checksums)

    def append(self, key: bytes, fingerprint: bytes, pdq: bytes, quality: int) -> None:
        """Nothing that counts before the next commit. Raises StorageError."""
        end, checksum = self._ends[-1] + len(fingerprint), zlib.crc32(fingerprint)
        row = _ROW.pack(key, pdq, end, checksum, quality)
        self._features.write(self._ends[-1], fingerprint)
        self._rows.write(len(self) * _ROW.size, row)
        self._crc32 = zlib.crc32(row, self._crc32)
        self._ends.append(end)
        self._checksums.append(checksum)

    def read(self, row: int) -> bytes:
        """A row's fingerprint. Raises RecordError and StorageError."""
        begin, end = self._ends[row : row + 2]
        if end - begin > MOST_BYTES:
            raise RecordError(f"features.bin: a fingerprint of {end - begin} bytes", DAMAGED)
        data = self._features.read(begin, end)
        if zlib.crc32(data) != self._checksums[row]:
            raise RecordError(f"features.bin: picture {row} is damaged", DAMAGED)
        return data

    def keep(self, segment: Segment) -> Segment:
        """The same out of memory, where there is a folder and it may be written. Raises StorageError."""
        if self._folder is None or not self._writable or segment.number is not None:
            return segment
        number, self._next_segment = self._next_segment, self._next_segment + 1
        path = _segment_path(self._folder, number)
        segment.save(path)
        return Segment.open(path, number)

    def commit(self, segments: Iterable[Segment]) -> None:
        """Make what was appended count, and be there after a crash. Raises StorageError."""
        numbered = [(segment.number, segment.end) for segment in segments if segment.number is not None]
        state = State(
            label=self._state.label,
            pictures=len(self),
            features=self._ends[-1],
            rows_crc32=self._crc32,
            segments=tuple(numbered),
            next_segment=self._next_segment,
        )
        if self._folder is None or not self._writable or state == self._state:
            return
        self._features.sync()
        self._rows.sync()
        replace_file(self._folder / _STATE, msgspec.json.encode(state))
        self._state = state
        self.tidy()

    def truncate(self, count: int) -> None:
        """Forget the rows from `count` on, with the next commit. Raises RecordError and StorageError."""
        del self._ends[count + 1 :], self._checksums[count:]
        self._crc32 = zlib.crc32(self._rows.read(0, count * _ROW.size))

    def tidy(self) -> None:
        """Remove what does not count. Raises StorageError."""
        self._features.truncate(self._ends[-1])
        self._rows.truncate(len(self) * _ROW.size)
        if self._folder is None:
            return
        counted = {_segment_path(self._folder, number) for number, _ in self._state.segments}
        try:
            for path in self._folder.glob("postings-*.bin"):
                if path not in counted:
                    path.unlink()
        except OSError as error:
            raise storage_error(self._folder, error) from error

    def close(self) -> None:
        self._features.close()
        if hasattr(self, "_rows"):
            self._rows.close()

    def _mapped(self, state: State) -> list[Segment]:
        segments: list[Segment] = []
        for number, end in state.segments:
            segment = Segment.open(_segment_path(self._folder or Path(), number), number)
            before = segments[-1].end if segments else 0
            fits = before < end <= state.pictures and number < state.next_segment
            if (segment.first, segment.end) != (before, end) or not fits:
                raise RecordError(f"postings {number} are of other pictures", DAMAGED)
            segments.append(segment)
        return segments


def _segment_path(folder: Path, number: int) -> Path:
    return folder / f"postings-{number:08}.bin"


def _read_state(folder: Path) -> State | None:
    """None where nothing is: no folder, or an empty one."""
    path = folder / _STATE
    try:
        with opened(path, writable=False) as file:
            data = file.read(1 << 20)
        state = msgspec.json.decode(data, type=State)
    except FileNotFoundError:
        if folder.is_dir() and any(folder.glob("[!.]*")):
            raise RecordError(f"{folder}: not empty, and no index of pictures", DAMAGED) from None
        return None
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise RecordError(f"{path}: not the state of an index of pictures: {error}", DAMAGED) from error
    if state.version != _VERSION:
        raise RecordError(f"{path}: an index of pictures of version {state.version}", DAMAGED)
    return state
