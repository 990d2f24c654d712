"""A URL that is wanted, and how far the asking has come: redirects, and refusals for a Referer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archiver.capture.outcome import hotlink_refusal
from archiver.capture.revisits import not_modified
from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import ACCEPT_ANY, ACCEPT_PAGE, ACCEPT_PICTURE, following, referer_field
from archiver.errors import FetchError
from archiver.index.memory import Held
from archiver.model import Form, Purpose

_ACCEPT = {"page": ACCEPT_PAGE, "picture": ACCEPT_PICTURE, "robots": ACCEPT_ANY}


@dataclass(frozen=True)
class Wish:
    """A URL that is wanted, and by whom."""

    url: str
    purpose: Purpose
    wanted_by: str | None = None  # id of the note that wants it
    form: Form | None = None
    references: tuple[int, ...] = ()
    referer: str | None = None
    original: str | None = None  # the URL whose copy another archive is asked for
    fields: Mapping[str, str] = field(default_factory=dict)  # further request header fields
    held: Mapping[str, Held] = field(default_factory=dict)  # by URL: what to ask whether it changed


@dataclass
class Job:
    """One try at a wish. `url` is to be asked next; `attempt` counts the tries before this one."""

    wish: Wish
    attempt: int = 0
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    why: list[str] = field(default_factory=list)  # of each exchange: "", redirect, without-referer
    refusal: FetchError | None = None  # why it was not asked, or not asked on
    retry: float | None = None  # seconds until it is tried again
    _chain: int = 0  # where in `exchanges` the present chain of redirects begins
    _next: str = ""
    _referer: bool = True
    _conditional: bool = True

    def __post_init__(self) -> None:
        self.url = self.url or self.wish.url

    @property
    def fields(self) -> dict[str, str]:
        """The header fields of the next request."""
        wish = self.wish
        referer = referer_field(wish.referer) if self._referer else {}
        held = wish.held.get(self.url) if self._conditional else None
        return (
            {"Accept": _ACCEPT[wish.purpose]}
            | referer
            | dict(wish.fields)
            | (held.validators if held else {})
        )

    def took(self, exchange: Exchange, most_redirects: int) -> bool:
        """Note what came; whether there is more to ask, and then what."""
        self.exchanges.append(exchange)
        self.why.append(self._next)
        try:
            url = following(self.exchanges[self._chain :], most_redirects)
        except FetchError as error:
            exchange.error, url = error, None
        if url is not None:
            self.url, self._next = url, "redirect"
        elif exchange.status == 304 and self._conditional and self._is_other(exchange):
            self.url, self._next, self._conditional = exchange.url, "unconditional", False
        elif self._refused_for_its_referer():
            self.url, self._next = self.wish.url, "without-referer"
            self._chain, self._referer = len(self.exchanges), False
        else:
            return False
        return True

    def _is_other(self, exchange: Exchange) -> bool:
        """A 304 that speaks of another version than the one that the archive holds."""
        return exchange.url in self.wish.held and not not_modified(exchange, self.wish.held)

    def _refused_for_its_referer(self) -> bool:
        """A publisher's picture that was refused is asked for once more, without saying where it stands."""
        form = self.wish.form
        publishers = form is not None and form.form != "proxied"
        return publishers and self._referer and bool(self.wish.referer) and hotlink_refusal(self.exchanges)

    def again(self) -> "Job":
        """The next try."""
        return Job(self.wish, self.attempt + 1)
