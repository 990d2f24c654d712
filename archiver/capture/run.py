"""World → WARC: each source first kept, then read, then what it names is asked for.

Everything that is found or fails becomes a record before anybody is told of it. Requests are on their
way side by side; reading and storing is done here, in one thread, as the answers come.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from archiver.addresses.scope import Scope
from archiver.capture.desk import Answer, Desk
from archiver.capture.engine import Engine
from archiver.capture.job import Job, Wish
from archiver.capture.plan import wanted
from archiver.capture.reading import Read, Reader
from archiver.capture.records import source_record
from archiver.capture.rescue import accept_datetime, rescues, with_copies
from archiver.capture.revisits import Revisits
from archiver.digests import digest
from archiver.errors import FetchError, SandboxError, SourceError
from archiver.index.memory import Memory
from archiver.model import Article, FetchNote, Form, Outcome, Role

LISTING_DEPTH = 4  # a list of OPML of feeds of articles; an index of sitemaps of articles
MOST_SKIPPED = 64  # that wait to be noted
FEW = 4  # requests on their way, where `Reach.pages` ends the run
WAIT_SECONDS = 0.2  # for answers, before it is looked whether the run is to stop
_LISTINGS = ("feed", "sitemap", "opml", "list")
_MEDIA_TYPES = {"document": "text/markdown", "list": "text/plain", "opml": "text/x-opml"}

Step = Callable[[], None]
Then = Callable[[Answer], None]


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
    role: Role | None = None
    wanted_by: str | None = None
    follow: int = 0
    level: int = 0  # listings above it
    counted: bool = False  # among the pages of `Reach.pages`
    named: bool = False  # by the person: asked for also when it is known to be dead


class Run:
    """Saves sources. In a run each URL is asked for once as a page and once as a picture.

    `continued`: an earlier process began it, so what it asked for is read where it lies. `insist`: also
    ask for what is known to be dead.
    """

    def __init__(
        self,
        desk: Desk,
        engine: Engine,
        memory: Memory,
        *,
        revisits: Revisits,
        reader: Reader,
        reach: Reach,
        continued: bool = False,
        insist: bool = False,
    ) -> None:
        self._desk, self._engine, self._memory, self._revisits = desk, engine, memory, revisits
        self._reader, self._reach, self._insist = reader, reach, insist
        self._steps: deque[Iterator[Step]] = deque()  # what is still to be begun
        self._asking: dict[tuple[str, str], list[Then]] = {}  # purpose and URL; who waits for the answer
        self._skipped: list[Job] = []  # wishes that are not asked for
        self._seen: set[int] | None = set() if continued else None  # hashes of pages' URLs
        self._pages = 0  # that count
        self.limited = False  # whether links were left because of `reach.pages`

    def begin(self, steps: Iterator[Step], *, first: bool = False) -> None:
        """Put steps behind those that wait, or before them. None is taken before its turn."""
        if first:
            self._steps.appendleft(steps)
        else:
            self._steps.append(steps)

    def save(self, stopping: Callable[[], bool]) -> None:
        """Do the steps, and all that follows from them, until nothing is left or it is to stop."""
        stopped = False
        while True:
            if stopping():
                self._steps.clear()  # also of what was named since
                if not stopped:
                    stopped = True
                    self._engine.stop()
            while self._hungry and not stopping() and (step := self._next_step()):
                step()
            self._desk.rest()
            skipped, self._skipped = self._skipped, []
            if jobs := skipped or self._engine.take(WAIT_SECONDS):
                self._came(jobs)
            elif self._engine.idle and not self._steps:
                return

    @property
    def _hungry(self) -> bool:
        """Where pages are counted, few are begun before it is known what comes of the first."""
        few = self._reach.pages is None or self._engine.pending < FEW
        return few and self._engine.hungry and len(self._skipped) < MOST_SKIPPED

    def _next_step(self) -> Step | None:
        while self._steps:
            step = next(self._steps[0], None)
            if step is not None:
                return step
            self._steps.popleft()
        return None

    # --- what is begun --------------------------------------------------------------------------

    def file(self, given: str, data: bytes, kind: str) -> None:
        """Save what a person has in a file, and what it names. `kind` is what `recognise` said."""
        record = self._memory.source(digest(data))
        if record is None:
            packed = data.startswith(b"\x1f\x8b")
            media_type = "application/gzip" if packed else _MEDIA_TYPES.get(kind, "application/octet-stream")
            source = source_record(data, media_type)
            self._desk.keep(source)
            record = source.id
        self._read(Read(given, data, record, kind), _Task(""))

    def url(self, url: str) -> None:
        """Save what stands under a URL, and what it names."""
        self._go(_Task(url, follow=self._reach.depth if self._reach.scope else 0, named=True))

    def again(self, note: FetchNote) -> None:
        """Ask once more for what a note says that it did not come."""
        if note.purpose == "picture":
            article = self._memory.noted(note.article) if note.original else None
            wish = Wish(
                note.url,
                "picture",
                note.article,
                Form(form=note.form or "origin", url=note.url),
                note.references,
                note.referer,
                original=note.original,
                fields=accept_datetime(article.article) if article else {},
            )
            self._ask(wish, named=True)
        elif self._memory.is_article(note.article):
            self._own_page(note.url, note.article, named=True)
        else:
            self._go(_Task(note.url, wanted_by=note.article, named=True))

    def _go(self, task: _Task) -> None:
        """Ask for a page; what the person names and the archive knows as a picture is asked for as that."""
        if task.named and (note := self._memory.picture(task.url)):
            self.again(note)
            return
        if not self._is_first(task.url):
            return
        if self._full and (task.counted or task.role == "sitemap"):  # a sitemap could only name more pages
            self.limited = True
            return
        self._pages += task.counted
        self._ask(Wish(task.url, "page", task.wanted_by), partial(self._page_came, task), named=task.named)

    @property
    def _full(self) -> bool:
        return self._reach.pages is not None and self._pages >= self._reach.pages

    def _is_first(self, url: str) -> bool:
        """Whether a page is met for the first time: what many listings repeat is read once."""
        if self._seen is None:
            return ("page", url) not in self._asking and self._memory.outcome(url, "page") is None
        known = len(self._seen)
        self._seen.add(hash(url))
        return len(self._seen) > known

    def _ask(self, wish: Wish, then: Then | None = None, *, named: bool = False) -> None:
        """Ask for a URL unless that was done in this run; `then` gets what came of it, now or later."""
        key = (wish.purpose, wish.url)
        waiting = [then] if then else []
        if key in self._asking:
            self._asking[key] += waiting
        elif outcome := self._memory.outcome(wish.url, wish.purpose):
            response = self._memory.response(wish.url) if wish.purpose == "page" else None
            _tell(waiting, Answer(outcome, response))
        elif not named and not self._insist and (why := self._memory.known_dead(wish.url, wish.purpose)):
            self._asking[key] = waiting
            self._skipped.append(Job(wish, refusal=FetchError(why, "dead")))
        else:
            self._asking[key] = waiting
            held = self._revisits.held(wish.url, wish.purpose)
            self._engine.submit(replace(wish, held=held))

    def _came(self, jobs: list[Job]) -> None:
        """Store what came, then go on from it."""
        for job, answer in zip(jobs, self._desk.store(jobs), strict=True):
            if job.retry is None and job.wish.purpose != "robots":
                _tell(self._asking.pop((job.wish.purpose, job.wish.url), []), answer)

    # --- what came is read ----------------------------------------------------------------------

    def _page_came(self, task: _Task, answer: Answer) -> None:
        if read := self._reader.opened(task.url, answer):
            self._read(read, task)

    def _read(self, read: Read, task: _Task) -> None:
        """Read a source by its kind, note what it says, and go on to what it names."""
        try:
            _expect(read.kind, task)
            if read.kind in _LISTINGS:
                self._listing(read, task)
                return
            article, note = self._reader.article(read, also=self._with_copies)
            if read.kind == "document" and article.url is not None:
                self._own_page(article.url, note)
            self._pictures(article, note)
            if read.kind != "document" and task.follow and self._reach.scope:
                self._links(read, task, self._reach.scope)
        except (SandboxError, SourceError) as error:
            self._reader.unreadable(read.given, error, read.record)

    def _own_page(self, url: str, wanted_by: str | None, *, named: bool = False) -> None:
        """The page of a mirror document's article: kept and read; its pictures stay claims."""
        if self._is_first(url):
            self._ask(Wish(url, "page", wanted_by), partial(self._own_page_came, url), named=named)

    def _own_page_came(self, url: str, answer: Answer) -> None:
        read = self._reader.opened(url, answer)
        if read is None:
            return
        try:
            if read.kind != "page":
                raise SourceError(f"an article's page, but what came is a {read.kind}")
            self._reader.article(read, also=self._with_copies)
        except (SandboxError, SourceError) as error:
            self._reader.unreadable(url, error, read.record)

    def _listing(self, read: Read, task: _Task) -> None:
        listing, note = self._reader.listing(read)
        self.begin((partial(self._item, read, article) for article in listing.articles), first=True)
        if task.level >= LISTING_DEPTH:
            raise SourceError(
                f"more than {LISTING_DEPTH} lists within one another: its links are not followed"
            )
        given = listing.kind == "list"  # its lines are as good as the person's own words
        follow = self._reach.depth if given and self._reach.scope else 0
        typed = given and not read.url

        def linked(url: str, role: Role) -> _Task:
            counted = role == "page" and not typed
            return _Task(url, None if given else role, note, follow, task.level + 1, counted, named=typed)

        self._later(note, linked, first=listing.kind == "sitemap")  # else an index is read to its end before

    def _item(self, read: Read, article: Article) -> None:
        self._pictures(*self._reader.article(read, article, also=self._with_copies))

    def _links(self, read: Read, task: _Task, scope: Scope) -> None:
        note = self._reader.links(read, scope)
        self._later(note, lambda url, _: _Task(url, "page", note, task.follow - 1, task.level, counted=True))

    def _later(self, note: str, linked: Callable[[str, Role], _Task], *, first: bool = False) -> None:
        """Go to what a listing names when its turn comes; until then the archive holds it."""
        self._desk.flush()
        links = self._memory.links(note)
        self.begin((partial(self._go, linked(url, role)) for url, role in links), first=first)

    # --- pictures -------------------------------------------------------------------------------

    def _pictures(self, article: Article, note: str) -> None:
        forms = list(wanted(article))
        left = len(forms)

        def then(_: Answer) -> None:
            nonlocal left
            left -= 1
            if not left:
                self._rescue(article, note)

        wishes = (Wish(form.url, "picture", note, form, numbers, article.url) for form, numbers in forms)
        tell = then if self._reach.timegate is not None else None
        self.begin((partial(self._ask, wish, tell) for wish in wishes), first=True)

    def _with_copies(self, article: Article) -> Article:
        if self._reach.timegate is None:
            return article
        return with_copies(article, self._picture_outcome, self._reach.timegate)

    def _rescue(self, article: Article, note: str) -> None:
        """Ask another archive for those of an article's pictures that are dead everywhere."""
        if self._reach.timegate is not None:
            for wish in rescues(article, note, self._picture_outcome, self._reach.timegate):
                self._ask(wish)

    def _picture_outcome(self, url: str) -> Outcome | None:
        return self._memory.outcome(url, "picture")


def _tell(waiting: list[Then], answer: Answer) -> None:
    for then in waiting:
        then(answer)


def _expect(kind: str, task: _Task) -> None:
    """A link says what it leads to: a feed that came as a page of HTML is no feed."""
    fits = {"page": ("page", "document"), "feed": ("feed",), "sitemap": ("sitemap",)}
    if task.role is not None and kind not in fits[task.role]:
        raise SourceError(f"named as a {task.role}, but what came is a {kind}")
