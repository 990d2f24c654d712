"""Every exception the archiver raises on purpose, drawn.

    ArchiverError                     anything below; knows its exit code and the next step
    ├── UsageError            2       the person asked for something that cannot be
    ├── SourceError           3       what was given to save is not something to save
    ├── FetchError            3       the wire: no complete answer came
    ├── StorageError          3       the disk would not take or give bytes
    ├── RecordError           4       stored bytes are not what they claim to be
    ├── ManifestError         4       the commitment itself is damaged
    ├── NotAnArchive          5       no archive here, or one of a newer layout
    ├── Locked                6       another process holds the archive
    ├── TimestampError        3       somebody's word about a time is not what it should be
    └── SandboxError          3       a child process was stopped while decoding or parsing

Split by whose fault it is: the person's, the world's, the disk's, the archive's.
"""

from typing import ClassVar

EXIT_CODES: dict[int, str] = {
    0: "done, nothing wrong",
    1: "unexpected error: a bug in the archiver",
    2: "wrong usage or settings",
    3: "finished, but some items failed, are partial or could not be judged",
    4: "damage found",
    5: "not an archive, or one of a newer layout",
    6: "locked by another process",
    7: "stopped at a limit that you set",
    130: "interrupted, everything sealed",
}


class ArchiverError(Exception):
    """What went wrong and where (the message), and what to do about it (`advice`)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class UsageError(ArchiverError):
    exit_code = 2


class SourceError(ArchiverError):
    exit_code = 3


class FetchError(ArchiverError):
    """`stage` is where it broke: address, dns, connect, tls, proxy, request, response, body, redirect.

    Or why it was left alone: robots, dead, deferred.
    """

    exit_code = 3

    def __init__(self, message: str, stage: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.stage = stage


class StorageError(ArchiverError):
    exit_code = 3


class RecordError(ArchiverError):
    exit_code = 4


class ManifestError(ArchiverError):
    exit_code = 4


class NotAnArchive(ArchiverError):
    exit_code = 5


class Locked(ArchiverError):
    exit_code = 6


class TimestampError(ArchiverError):
    exit_code = 3


class SandboxError(ArchiverError):
    exit_code = 3
