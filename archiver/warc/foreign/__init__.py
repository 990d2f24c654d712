"""Read anyone's WARC, ARC and WACZ files: every byte belongs to a record or to a gap that says what it is.

`import`, `lint`, `verify` of imported files and `rebuild` read through here, so all see the same.
"""

from archiver.warc.foreign.kinds import FileKind, recognise_file
from archiver.warc.foreign.nouns import ForeignRecord, Problem, Stretch
from archiver.warc.foreign.transcript import Transcribed, transcribe
from archiver.warc.foreign.walk import parse_stored, stretches

__all__ = [
    "FileKind",
    "ForeignRecord",
    "Problem",
    "Stretch",
    "Transcribed",
    "parse_stored",
    "recognise_file",
    "stretches",
    "transcribe",
]
