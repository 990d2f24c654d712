"""World → WARC: one source after the other, each first kept, then read, then what it names.

Everything that is found or fails becomes a record before anybody is told of it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from archiver.addresses.scope import Scope
from archiver.capture.ask import Desk, Wish
from archiver.capture.plan import Planner, wanted
from archiver.capture.records import source_record
from archiver.capture.rescue import rescues, with_copies
from archiver.errors import ArchiverError, SandboxError, SourceError
from archiver.model import Article, ArticleNote, Listing, ListingNote, Recognised, UnreadableNote
from archiver.sandbox import Sandbox
from archiver.sources import read_document, read_links, read_listing, read_page, recognise
from archiver.warc.http import decoded

BODY_BYTES = 64 << 20
LISTING_DEPTH = 4  # a list of OPML of feeds of articles; an index of sitemaps of articles
_LISTINGS = ("feed", "sitemap", "opml", "list")
_MEDIA_TYPES = {"document": "text/markdown", "list": "text/plain", "opml": "text/x-opml"}


@dataclass(frozen=True)
class Reach:
    """How far a run goes beyond what it was given.

    scope: which links of a given page are followed, None for none; depth: of how many pages in a row;
    pages: how many linked pages in all. timegate: who is asked for copies of dead pictures.
    """

    scope: Scope | None = None
    depth: int = 1
    pages: int | None = None
    timegate: str | None = None

    def options(self) -> dict[str, str | int | None]:
        """As `warcinfo` keeps it."""
        follow = self.scope.written if self.scope else None
        return {"follow": follow, "depth": self.depth, "pages": self.pages, "timegate": self.timegate}


@dataclass(frozen=True)
class _Task:
    """A URL to be read: what it must be (None: anything), who named it, how far its own links go."""

    url: str
    role: Literal["page", "feed", "sitemap"] | None = None
    wanted_by: str | None = None
    follow: int = 0
    level: int = 0  # listings above it
    counted: bool = False  # among the pages of `Reach.pages`


@dataclass(frozen=True)
class _Read:
    """Bytes that came or were given, and what they were recognised as."""

    given: str
    data: bytes
    record: str  # id
    kind: str
    url: str = ""
    content_type: str = ""


class Run:
    """Saves sources one by one. In a run each URL is asked for once as a page and once as a picture."""

    def __init__(self, desk: Desk, sandbox: Sandbox, planner: Planner, reach: Reach) -> None:
        self._desk, self._sandbox, self._planner, self._reach = desk, sandbox, planner, reach
        self._tasks: deque[_Task] = deque()
        self._queued: set[str] = set()  # URLs of the tasks
        self._pages = 0  # that count
        self.limited = False  # whether links were left because of `reach.pages`

    def file(self, given: str, data: bytes, kind: str) -> None:
        """Save what a person has in a file, and what it names. `kind` is what `recognise` said."""
        packed = data.startswith(b"\x1f\x8b")
        media_type = "application/gzip" if packed else _MEDIA_TYPES.get(kind, "application/octet-stream")
        source = source_record(data, media_type)
        self._desk.keep(source)
        self._read(_Read(given, data, source.id, kind), _Task(""))
        self._drain()

    def url(self, url: str) -> None:
        """Save what stands under a URL, and what it names."""
        self._queue([_Task(url, follow=self._reach.depth if self._reach.scope else 0)])
        self._drain()

    def _queue(self, tasks: Iterable[_Task]) -> None:
        """Each URL once, and no more pages than the limit: what many listings repeat takes no room."""
        for task in tasks:
            if task.url in self._queued or task.url in self._desk.pages:
                continue
            if task.counted:
                if self._full:
                    self.limited = True
                    continue
                self._pages += 1
            self._queued.add(task.url)
            self._tasks.append(task)

    @property
    def _full(self) -> bool:
        return self._reach.pages is not None and self._pages >= self._reach.pages

    def _drain(self) -> None:
        while self._tasks:
            task = self._tasks.popleft()
            self._queued.discard(task.url)
            if task.url in self._desk.pages:
                continue
            if task.role == "sitemap" and self._full:  # it could only name more pages
                self.limited = True
                continue
            if read := self._fetch(task.url, task.wanted_by):
                self._read(read, task)

    # --- reading --------------------------------------------------------------------------------

    def _fetch(self, url: str, wanted_by: str | None) -> _Read | None:
        """Ask for a URL and recognise what came; None, with a note of why, for what cannot be read."""
        answer = self._desk.ask(Wish(url, "page", wanted_by))
        last = answer.last
        if answer.response is None or last.status is None or not 200 <= last.status < 300:
            return None
        try:
            data = decoded(last.entity_body(), last.header("content-encoding"), BODY_BYTES)
            content_type = last.header("content-type") or ""
            found = self._sandbox.read(Recognised, recognise, data, content_type=content_type)
            if found.kind == "unknown":
                raise SourceError(found.why)
        except ArchiverError as error:
            self._desk.note(UnreadableNote(given=url, reason=str(error)), answer.response)
            return None
        return _Read(url, data, answer.response, found.kind, last.url, content_type)

    def _read(self, read: _Read, task: _Task) -> None:
        """Read a source by its kind, note what it says, and queue what it names."""
        try:
            _expect(read.kind, task)
            if read.kind in _LISTINGS:
                self._listing(read, task)
            elif read.kind == "document":
                article, note_id = self._noted(read, self._sandbox.read(Article, read_document, read.data))
                if article.url is not None:
                    self._own_page(article.url, note_id)
                self._pictures(article, note_id)
            else:
                self._pictures(*self._noted(read, self._page(read)))
                if task.follow and self._reach.scope:
                    self._links(read, task, self._reach.scope)
        except (SandboxError, SourceError) as error:
            self._desk.note(UnreadableNote(given=read.given, reason=str(error)), read.record)

    def _page(self, read: _Read) -> Article:
        """Read a page; where the library that finds its text was stopped, once more without it."""
        options = {"url": read.url, "content_type": read.content_type}
        try:
            return self._sandbox.read(Article, read_page, read.data, **options)
        except SandboxError:
            return self._sandbox.read(Article, read_page, read.data, library=0, **options)

    def _own_page(self, url: str, wanted_by: str) -> None:
        """The page of a mirror document's article: kept and read; its pictures stay claims."""
        if url in self._desk.pages:
            return
        if read := self._fetch(url, wanted_by):
            try:
                if read.kind != "page":
                    raise SourceError(f"an article's page, but what came is a {read.kind}")
                self._noted(read, self._page(read))
            except (SandboxError, SourceError) as error:
                self._desk.note(UnreadableNote(given=url, reason=str(error)), read.record)

    # --- listings -------------------------------------------------------------------------------

    def _listing(self, read: _Read, task: _Task) -> None:
        listing = self._sandbox.read(
            Listing, read_listing, read.data, url=read.url, content_type=read.content_type
        )
        named = msgspec.structs.replace(listing, articles=())
        note_id = self._desk.note(ListingNote(given=read.given, listing=named), read.record)
        for article in listing.articles:
            self._pictures(*self._noted(read, article))
        if task.level >= LISTING_DEPTH:
            raise SourceError(
                f"more than {LISTING_DEPTH} lists within one another: its links are not followed"
            )
        given = listing.kind == "list"  # its lines are as good as the person's own words
        follow = self._reach.depth if given and self._reach.scope else 0
        self._queue(
            _Task(
                link.url,
                None if given else link.role,
                note_id,
                follow,
                task.level + 1,
                counted=link.role == "page" and (not given or bool(read.url)),
            )
            for link in listing.links
        )

    def _links(self, read: _Read, task: _Task, scope: Scope) -> None:
        """Queue the links of a section page that are in scope."""
        listing = self._sandbox.read(
            Listing, read_links, read.data, url=read.url, content_type=read.content_type
        )
        links = [link for link in listing.links if link.role == "page" and scope.admits(link.url, read.url)]
        kept = Listing(kind="section", title=listing.title, url=listing.url, links=tuple(links))
        note_id = self._desk.note(ListingNote(given=read.given, listing=kept), read.record)
        self._queue(
            _Task(link.url, "page", note_id, task.follow - 1, task.level, counted=True) for link in links
        )

    # --- articles -------------------------------------------------------------------------------

    def _noted(self, read: _Read, article: Article) -> tuple[Article, str]:
        """The article with the forms of its pictures, and the id of its note."""
        article = self._planner.with_forms(article)
        if self._reach.timegate is not None:
            article = with_copies(article, self._desk.outcomes, self._reach.timegate)
        return article, self._desk.note(ArticleNote(given=read.given, article=article), read.record)

    def _pictures(self, article: Article, note_id: str) -> None:
        for form, numbers in wanted(article):
            if form.url not in self._desk.outcomes:
                self._desk.ask(Wish(form.url, "picture", note_id, form, numbers, article.url))
        if self._reach.timegate is not None:
            for wish in rescues(article, note_id, self._desk.outcomes, self._reach.timegate):
                if wish.url not in self._desk.outcomes:
                    self._desk.ask(wish)


def _expect(kind: str, task: _Task) -> None:
    """A link says what it leads to: a feed that came as a page of HTML is no feed."""
    fits = {"page": ("page", "document"), "feed": ("feed",), "sitemap": ("sitemap",)}
    if task.role is not None and kind not in fits[task.role]:
        raise SourceError(f"named as a {task.role}, but what came is a {kind}")
