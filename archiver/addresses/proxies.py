"""Image proxies as rows of data (proxies.toml, archiver.toml), and one layer of them undone."""

import functools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote

import ada_url
import msgspec

from archiver.addresses import weserv
from archiver.addresses.codings import CODINGS
from archiver.addresses.templates import backwards
from archiver.addresses.urls import canonical
from archiver.errors import UsageError
from archiver.model import Noun

SERVER_CHARS = 260  # a host of 253 (RFC 1035 section 2.3.4), a dot, and a port
LONGEST = 1 << 16  # characters of a URL for which a row's regular expression is tried

_ROWS = Path(__file__).with_name("proxies.toml")
_SERVER = re.compile(r"(?:\*\.)?[^\s/?#@\\*]+")
_PIECE = re.compile(r"\{(\??)([\w-]+)(?::(\w+))?\}")
_ABSOLUTE = re.compile(r"(https?):/{1,3}(?!/)", re.IGNORECASE)  # servers and browsers merge slashes in paths
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?![0-9])", re.IGNORECASE)


class ProxyRule(Noun, forbid_unknown_fields=True, frozen=True):
    """How one kind of image proxy writes the publisher's URL (docs/addresses.md, "The table of proxies")."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{1,40}\Z")]
    source: str = ""  # the public text that says so
    hosts: tuple[str, ...] = ()  # "h.org", "h.org:8080", "*.h.org" for all below it; none: any host
    marks: tuple[str, ...] = ()  # texts of which each such URL has one; needed where there are no hosts
    path: str = ""  # regular expression that the whole path must fit; empty: any path
    origin: str = ""  # made of "{argument}", "{group:coding}", "{?argument:coding}" and text
    own: tuple[str, ...] | None = None  # arguments that are the proxy's and not the origin's; None: all
    scheme: Literal["", "http", "https"] = ""  # of an origin that is written without
    secure: str = ""  # the argument or group that says https when it is there, http when not
    relative: bool = False  # an origin that begins with / is on the proxy's own host
    opaque: str = ""  # why nobody but the proxy can tell the origin
    grammar: Literal["", "weserv"] = ""  # one that has a module of its own
    quota: tuple[Annotated[int, msgspec.Meta(ge=1)], Annotated[float, msgspec.Meta(gt=0)]] | None = (
        None  # so many uncached pictures in so many seconds, for all its hosts together
    )
    template: str = ""  # how such a URL is made; says how to undo it where nothing else does
    loses: tuple[Literal["scheme", "host", "query"], ...] = ()  # of what the template is given
    examples: dict[str, str] = msgspec.field(default_factory=dict)  # a URL, and its origin or nothing


@dataclass(frozen=True)
class Undone:
    """One layer of proxy, taken off. `origin` is None where there is none, and `reason` says why."""

    proxy: str
    parameters: dict[str, str]
    origin: str | None = None
    reason: str = ""
    found: bool = True  # False: the proxy's URL holds nothing that could be an origin


class Proxies:
    """The image proxies that are known: the public ones, and those that a person adds."""

    def __init__(self, instances: Collection[str] = (), rules: Sequence[ProxyRule] = ()) -> None:
        """`instances` are weserv servers, each a host or host:port; a host alone stands for ports 80 and 443.

        `rules` come before the public ones. Raises UsageError that names the instance, or rule and field.
        """
        own = [_complete(rule) for rule in rules]
        if instances:
            own.append(ProxyRule(name="weserv", hosts=tuple(instances), grammar="weserv"))
        self._own = _Index(own)
        self._own.check()
        self._rules = own

    def quotas(self) -> Iterator[tuple[ProxyRule, tuple[int, float]]]:
        """The rows whose service limits how often it is asked."""
        for rule in (*self._rules, *public_rules()):
            if rule.quota is not None:
                yield rule, rule.quota

    def undo(self, url: str, *, anywhere: bool = True) -> Undone | None:
        """Take one proxy off `url` (canonical); None where it goes through none that is known.

        Unless `anywhere`, only proxies that are known by their hosts count.
        """
        seen = _Seen.of(url)
        for index in (self._own, _public()):
            for unwrapper in index.candidates(seen, anywhere=anywhere):
                undone = unwrapper.undo(seen)
                if undone:
                    return undone
        return None


@dataclass(frozen=True)
class _Seen:
    """A canonical URL, cut where proxies look."""

    url: str
    scheme: str
    server: str  # host, and port unless it is the scheme's own
    path: str
    query: str  # with its ?

    @classmethod
    def of(cls, url: str) -> "_Seen":
        scheme, _, rest = url.partition("://")
        start = rest.find("/")
        path, mark, query = rest[start:].partition("?")
        return cls(url, scheme, rest[:start], path, mark + query)


class _Unwrapper:
    """A row, ready to be applied."""

    def __init__(self, rule: ProxyRule) -> None:
        self.rule = rule
        self.used = {found[2] for found in _PIECE.finditer(rule.origin)}

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.rule.path or "/.*", re.DOTALL)

    def check(self) -> None:
        """Raise UsageError where the row cannot be applied."""
        rule = self.rule
        try:
            groups = self.pattern.groupindex
        except (re.error, OverflowError, RecursionError) as error:
            raise _bad(rule, "path", str(error)) from error
        if rule.quota and (not rule.hosts or any("*" in host for host in rule.hosts)):
            raise _bad(rule, "quota", "it needs the names of its hosts, without *")
        if not (rule.origin or rule.opaque or rule.grammar):
            raise _bad(rule, "origin", "neither it nor a template says how to undo such a URL")
        for found in _PIECE.finditer(rule.origin):
            if (found[3] or "") not in CODINGS:
                known = " ".join(filter(None, CODINGS))
                raise _bad(rule, "origin", f"no coding {found[3]!r}; known: {known}")
            if rule.own is not None and found[2] not in groups and found[2] not in rule.own:
                raise _bad(rule, "origin", f"{found[2]!r} is neither a group of path nor in own")

    def undo(self, seen: _Seen) -> Undone | None:
        """Return None where this URL is not one of the row's."""
        if self.rule.grammar == "weserv":
            return _weserv(self.rule.name, seen.url)
        if len(seen.url) > LONGEST:
            return None
        arguments, rest = self._arguments(seen.query)
        found = self.pattern.fullmatch(seen.path + rest)
        return self._undone(seen, arguments, found.groupdict(default="")) if found else None

    def _undone(self, seen: _Seen, arguments: dict[str, str], groups: dict[str, str]) -> Undone | None:
        rule = self.rule
        parameters = self._parameters(arguments, groups)
        if rule.opaque:
            return Undone(rule.name, parameters, None, rule.opaque)
        pieces = arguments | groups
        try:
            written = self._composed(pieces)
            if written is None:
                return None
            secure = pieces.get(rule.secure, "") not in ("", "0")
            origin = canonical(self._absolute(written, seen, secure=secure))
        except (ValueError, UsageError) as error:
            reason = f"what the proxy {rule.name} was given cannot be read: {error}"
            return Undone(rule.name, parameters, None, reason) if rule.hosts else None
        return Undone(rule.name, parameters, origin) if rule.hosts or _plausible(origin, seen) else None

    def _parameters(self, arguments: dict[str, str], groups: dict[str, str]) -> dict[str, str]:
        """Return the proxy's own, decoded once; keys in lower case, the first of equal ones."""
        said = {name: value for name, value in groups.items() if value and name != self.rule.secure}
        parameters: dict[str, str] = {}
        for name, value in (arguments | said).items():
            if name and name not in self.used:
                parameters.setdefault(name.lower(), unquote(value))
        return parameters

    def _arguments(self, query: str) -> tuple[dict[str, str], str]:
        """Return the proxy's arguments as sent, the first of equal ones, and the rest of the query."""
        own = self.rule.own
        arguments: dict[str, str] = {}
        others = []
        for pair in query[1:].split("&"):
            name, _, value = pair.partition("=")
            if own is None or name in own:
                arguments.setdefault(name, value)
            else:
                others.append(pair)
        if not arguments:
            return arguments, query
        return arguments, "?" + "&".join(others) if others else ""

    def _composed(self, pieces: dict[str, str]) -> str | None:
        """Return the origin as the row puts it together; None where a piece of it is missing.

        Raises ValueError for what its coding cannot be.
        """
        written = []
        last = 0
        for found in _PIECE.finditer(self.rule.origin):
            value = pieces.get(found[2])
            if value is None and not found[1]:
                return None
            decoded = CODINGS[found[3] or ""](value or "")
            written += [self.rule.origin[last : found.start()], found[1] and decoded and "?", decoded]
            last = found.end()
        return "".join(written) + self.rule.origin[last:]

    def _absolute(self, written: str, seen: _Seen, *, secure: bool) -> str:
        """Return `written` with scheme and host. Raises ValueError."""
        rule = self.rule
        written = written.strip('"')  # Naver's
        if found := _ABSOLUTE.match(written):
            return f"{found[1]}://{written[found.end() :]}"
        scheme = ("https" if secure else "http") if rule.secure else rule.scheme
        if written.startswith("//"):
            return f"{scheme or 'https'}:{written}"
        if written.startswith("/") and rule.relative:
            return f"{seen.scheme}://{seen.server}{written}"
        if not scheme or _OTHER_SCHEME.match(written):
            raise ValueError(f"no http(s) URL: {written[:100]!r}")
        return f"{scheme}://{written}"


class _Index:
    """Rows by host, and in their order those of any host."""

    def __init__(self, rules: Sequence[ProxyRule]) -> None:
        self._hosts: dict[str, list[_Unwrapper]] = {}
        self._anywhere: list[_Unwrapper] = []
        for rule in rules:
            unwrapper = _Unwrapper(rule)
            for host in rule.hosts:
                for server in _served(host):
                    self._hosts.setdefault(server, []).append(unwrapper)
            if not rule.hosts:
                self._anywhere.append(unwrapper)
        self._marks = tuple({mark: None for each in self._anywhere for mark in each.rule.marks})

    def candidates(self, seen: _Seen, *, anywhere: bool) -> Iterator[_Unwrapper]:
        """Yield the rows that may fit: of the host, of the hosts above it, and of any host."""
        yield from self._hosts.get(f"{seen.scheme}://{seen.server.removesuffix('.')}", ())
        above = seen.server.partition(".")[2] if len(seen.server) <= SERVER_CHARS else ""
        while above:
            yield from self._hosts.get(f"{seen.scheme}://*.{above}", ())
            above = above.partition(".")[2]
        if anywhere and any(map(seen.url.__contains__, self._marks)):
            for unwrapper in self._anywhere:
                if any(map(seen.url.__contains__, unwrapper.rule.marks)):
                    yield unwrapper

    def check(self) -> None:
        """Raise UsageError for a row that cannot be applied."""
        for unwrappers in (*self._hosts.values(), self._anywhere):
            for unwrapper in unwrappers:
                unwrapper.check()


@functools.cache
def _public() -> _Index:
    return _Index(public_rules())


@functools.cache
def public_rules() -> tuple[ProxyRule, ...]:
    """The rows of proxies.toml."""
    return msgspec.toml.decode(_ROWS.read_bytes(), type=dict[str, tuple[ProxyRule, ...]])["proxy"]


def _complete(rule: ProxyRule) -> ProxyRule:
    """Return a person's row, undone as its template says where nothing else does. Raises UsageError."""
    try:
        for host in rule.hosts:
            _served(host)
    except UsageError as error:
        raise _bad(rule, "hosts", str(error), error.advice) from error
    if not rule.template or rule.origin or rule.path or rule.opaque or rule.grammar:
        if not rule.hosts and not (rule.marks and all(rule.marks) and rule.path):
            raise _bad(rule, "hosts", "without hosts, marks and path must say how such a URL is known")
        return rule
    try:
        back = backwards(rule.template)
    except UsageError as error:
        raise _bad(rule, "template", str(error), error.advice) from error
    return msgspec.structs.replace(
        rule,
        hosts=rule.hosts or (back.server,),
        path=back.path,
        origin=back.origin,
        own=(),
        scheme=rule.scheme or "https",
    )


def _weserv(name: str, url: str) -> Undone:
    origin, reason = weserv.origin_of(url)
    return Undone(name, weserv.parameters_of(url), origin, reason, weserv.has_url(url))


def _served(host: str) -> tuple[str, ...]:
    try:
        if not _SERVER.fullmatch(host):
            raise ValueError(host)
        below = "*." if host.startswith("*.") else ""
        urls = [ada_url.URL(f"{scheme}://{host.removeprefix(below)}/") for scheme in ("http", "https")]
    except ValueError as error:
        raise UsageError(
            f"not a server of an image proxy: {host!r}", "name it as host or host:port"
        ) from error
    return tuple(f"{url.protocol}//{below}{url.host.removesuffix('.')}" for url in urls)


def _plausible(origin: str, seen: _Seen) -> bool:
    """Say whether what a shape alone found can be a URL: its host has a dot, is an IP or the proxy's own."""
    server = _Seen.of(origin).server
    return "." in server or server.startswith("[") or server == seen.server


def _bad(rule: ProxyRule, field: str, why: str, advice: str = "") -> UsageError:
    return UsageError(f"proxy {rule.name!r}, {field}: {why}", advice or "docs/settings.md shows such a rule.")
