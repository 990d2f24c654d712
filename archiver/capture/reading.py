"""What came or was given → what it says, as notes. Hostile bytes are parsed in a child."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from archiver.addresses.scope import Scope
from archiver.capture.desk import Answer, Desk
from archiver.capture.plan import Planner
from archiver.errors import RecordError, SandboxError, SourceError
from archiver.index.memory import Memory
from archiver.model import Article, ArticleNote, Listing, ListingNote, Note, Recognised, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.sources import read_document, read_links, read_listing, read_page, recognise

BODY_BYTES = 64 << 20


@dataclass(frozen=True)
class Read:
    """Bytes that came or were given, and what they were recognised as."""

    given: str
    data: bytes
    record: str  # id
    kind: str
    url: str = ""
    content_type: str = ""


class Reader:
    """Reads, and stores what was read. A note that would only repeat an earlier one is not written again."""

    def __init__(self, desk: Desk, memory: Memory, sandbox: Sandbox, planner: Planner) -> None:
        self._desk, self._memory, self._sandbox, self._planner = desk, memory, sandbox, planner

    def opened(self, url: str, answer: Answer) -> Read | None:
        """Recognise what came; None, with a note of why, for what cannot be read."""
        if not answer.readable or answer.response is None:
            return None
        try:
            body = self._desk.body(answer, BODY_BYTES)
            found = self._sandbox.read(Recognised, recognise, body.data, content_type=body.content_type)
            if found.kind == "unknown":
                raise SourceError(found.why)
        except (RecordError, SandboxError, SourceError) as error:
            self.unreadable(url, error, answer.response)
            return None
        return Read(url, body.data, answer.response, found.kind, body.url, body.content_type)

    def unreadable(self, given: str, error: Exception, record: str) -> None:
        note = UnreadableNote(given=given, reason=str(error))
        if self._memory.is_unreadable(given, record):  # a run that is continued met it before
            self._desk.repeat(note)
        else:
            self._desk.note(note, record)

    def article(
        self, read: Read, article: Article | None = None, also: Callable[[Article], Article] | None = None
    ) -> tuple[Article, str]:
        """The article with the forms of its pictures, and the id of its note; `also` adds further forms.

        `article` is given where a listing held it. Raises SandboxError, SourceError.
        """
        if article is None:
            article = self.said(read)
        article = self._planner.with_forms(article)
        if also is not None:
            article = also(article)
        note = ArticleNote(given=read.given, article=article)
        return article, self._noted(note, self._memory.article(read.given, article.kind, article.url), read)

    def _noted(self, note: Note, known: tuple[str, Note] | None, read: Read) -> str:
        """The note's id: that of the newest of its kind where it says the same."""
        held = known[0] if known and known[1] == note else self._desk.waiting(note)
        if held is None:
            return self._desk.note(note, read.record)
        self._desk.repeat(note)
        return held

    def said(self, read: Read) -> Article:
        """What a document or a page says; where the library that finds a page's text was stopped, without it.

        Raises SandboxError, SourceError.
        """
        if read.kind == "document":
            return self._sandbox.read(Article, read_document, read.data)
        options = {"url": read.url, "content_type": read.content_type}
        try:
            return self._sandbox.read(Article, read_page, read.data, **options)
        except SandboxError:
            return self._sandbox.read(Article, read_page, read.data, library=0, **options)

    def listing(self, read: Read) -> tuple[Listing, str]:
        """What it names, and the id of its note, which holds all but the articles."""
        options = {"url": read.url, "content_type": read.content_type}
        listing = self._sandbox.read(Listing, read_listing, read.data, **options)
        return listing, self._listed(read, msgspec.structs.replace(listing, articles=()))

    def links(self, read: Read, scope: Scope) -> str:
        """The id of a note of those links of a page that are in scope."""
        options = {"url": read.url, "content_type": read.content_type}
        listing = self._sandbox.read(Listing, read_links, read.data, **options)
        links = [link for link in listing.links if link.role == "page" and scope.admits(link.url, read.url)]
        kept = Listing(kind="section", title=listing.title, url=listing.url, links=tuple(links))
        return self._listed(read, kept)

    def _listed(self, read: Read, listing: Listing) -> str:
        note = ListingNote(given=read.given, listing=listing)
        return self._noted(note, self._memory.listing(read.given, listing.kind), read)
