"""A document of the corpus while it is written, and what is true of it."""

import html
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

from archiver.demo.corpus_pictures import Address, Form, Frame, Known, Shown, address, decoy
from archiver.demo.corpus_words import Language, clause, paragraph

FIRST = datetime(2020, 10, 1, tzinfo=UTC)

Time = tuple[str, str, str | None]  # clock, written, value


@dataclass(frozen=True)
class Truth:
    """What a document says. `references` are in the order of the document; `texts` are the blocks of text."""

    title: str
    url: str | None
    times: tuple[Time, ...]
    authors: tuple[str, ...]
    section: str
    language: str
    references: tuple[Known, ...]
    texts: tuple[str, ...]


@dataclass
class Draft:
    """A document while it is written: every call adds to the truth what its markup says."""

    chance: random.Random
    language: Language
    site: str | None
    title: str = ""
    when: datetime = FIRST
    times: list[Time] = field(default_factory=list)
    authors: tuple[str, ...] = ()
    section: str = ""
    declared: str = ""
    known: list[Known] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    elements: int = 0

    @property
    def url(self) -> str | None:
        return f"https://{self.site}/a/2024/{self.when:%Y%m%d}-{self.name}.html" if self.site else None

    @property
    def name(self) -> str:
        return f"{int(self.when.timestamp()) // 60:x}"

    def address(self) -> Address:
        return address(self.chance, self.site)

    def said(self, text: str) -> str:
        """A text that the reader must find, as HTML."""
        self.texts.append(text)
        return html.escape(text, quote=self.chance.random() < 0.5)

    def paragraph(self) -> str:
        return self.said(paragraph(self.chance, self.language))

    def picture(self, form: Form) -> str:
        alt = clause(self.chance, self.language) if self.chance.random() < 0.7 else ""
        caption = clause(self.chance, self.language) + ' ("photo")'
        shown = form(Frame(self.chance, self.address, alt, caption))
        self.show(shown)
        return shown.markup

    def show(self, shown: Shown) -> None:
        for place, its in shown.found:
            self.known.append(
                Known(self.elements, place, its.written, its.url, shown.alt, shown.caption, shown.unwanted)
            )
        self.elements += 1

    def decoy(self) -> str:
        markup, text = decoy(self.chance)
        if text:
            self.texts.append(text)
        return markup

    def claim(self, clock: str, written: str, when: datetime | None) -> str:
        self.times.append((clock, written, None if when is None else f"{when:%Y-%m-%dT%H:%M:%SZ}"))
        return written

    def truth(self) -> Truth:
        return Truth(
            self.title,
            self.url,
            tuple(self.times),
            self.authors,
            self.section,
            self.declared,
            tuple(self.known),
            tuple(self.texts),
        )
