"""The nouns of a run of `archiver archive`: its aims, how far it is, and what it came to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from archiver.capture.engine import HostView
from archiver.capture.outcome import word
from archiver.capture.plan import Guesses
from archiver.capture.revisits import Mode
from archiver.capture.run import Reach
from archiver.manifest.manifest import CommittedWarc
from archiver.model import ArticleNote, FetchNote, ListingNote, Note, UnreadableNote


@dataclass(frozen=True)
class Aims:
    """What a run is to save, beside what its sources name: all that is neither network nor settings."""

    renditions: Guesses = "none"
    reach: Reach = field(default_factory=Reach)
    revisits: Mode = "all"
    retry_failed: bool = False

    def options(self) -> dict[str, Any]:
        """As `warcinfo` keeps it; what differs in it is another run."""
        return {
            "renditions": self.renditions,
            "reach": self.reach.options(),
            "revisits": self.revisits,
            "retry_failed": self.retry_failed,
        }


Outcome = Literal["stamped", "pending", "anchored", "failed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class Asked:
    """What came of asking an authority for a timestamp.

    stamped: `time` (RFC 3339, UTC) · failed: `reason` says why · of a calendar pending: it promised, which
    proves nothing yet · anchored: `reason` names the Bitcoin block.
    """

    authority: str
    outcome: Outcome
    time: str | None = None
    reason: str = ""


@dataclass
class Kept:
    """What a run came to. `outcomes` count URLs, in the words of `capture.outcome.word`."""

    run: str = ""
    continued: bool = False
    articles: int = 0
    listings: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    guesses: int = 0  # renditions that nobody referred to and that did not come
    unreadable: int = 0
    refused: list[str] = field(default_factory=list)  # what was named or found and cannot be read
    passed_over: int = 0  # files in folders that are no mirror documents
    limited: bool = False
    healed: list[str] = field(default_factory=list)
    sealed: list[CommittedWarc] = field(default_factory=list)
    signed: int = 0  # how many files' checkpoints were signed
    timestamps: dict[str, Asked] = field(default_factory=dict)  # by authority, after the newest sealing
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        return not self.unreadable and not self.refused and set(self.outcomes) <= {"captured", "unchanged"}

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        if not self.complete:
            return 3
        return 7 if self.limited else 0

    def asked(self, asked: Asked) -> None:
        self.timestamps[asked.authority] = asked

    def count(self, note: Note) -> None:
        match note:
            case ArticleNote():
                self.articles += 1
            case ListingNote():
                self.listings += 1
            case FetchNote() if note.purpose == "robots" or note.retry is not None:
                pass
            case FetchNote(form="rendition") if note.outcome != "whole":
                self.guesses += 1
            case FetchNote():
                counted = word(note.outcome, note.stage, unchanged=note.unchanged)
                self.outcomes[counted] = self.outcomes.get(counted, 0) + 1
            case UnreadableNote():
                self.unreadable += 1


@dataclass(frozen=True)
class Progress:
    """How far a run is. `waiting`: URLs that are known and have no outcome yet; `bytes`: received."""

    outcomes: dict[str, int]
    articles: int
    waiting: int
    requests: int
    bytes: int
    hosts: tuple[HostView, ...]
    stopping: bool


Watching = Callable[[Callable[[], Progress]], AbstractContextManager[None]]
