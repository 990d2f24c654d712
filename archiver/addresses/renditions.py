"""Which rendition of a picture a publisher's own URL claims to be, and which larger ones may exist.

What is known of each publisher's naming is a row of renditions.toml; here is how a row is read
(docs/addresses.md, "Renditions"). The results are claims: no captured URL is changed by them.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote

import msgspec

from archiver.addresses.urls import canonical
from archiver.errors import UsageError
from archiver.model import Noun, Rendition

URL_CHARS = 8_192  # a longer URL is no rendition's
PIXELS_LEAST, PIXELS_MOST = 16, 5_000  # where the size is the only sign of a rendition …
RATIO_MOST = 5  # … it must be a picture's

_ROWS = Path(__file__).with_name("renditions.toml")
_URL = re.compile(
    r"(https?:)//([^/?#@:\s]{1,253}+)(:\d{1,5}+)?(/[^?#\s]*+)(?:\?([^#\s]*+))?+", re.IGNORECASE | re.ASCII
)
_SETTING = re.compile(r"([A-Za-z]++)[-_:=]?(.*+)", re.DOTALL)
_SIDE = re.compile(r"(\d{1,5})(?:px)?", re.ASCII)
_SIDES = re.compile(r"(\d{0,5})(?:x|,|%2C)(\d{0,5})", re.ASCII | re.IGNORECASE)

Meaning = Literal["width", "height", "size", "area", "options", "key", "origin", "other"]


class Family(Noun, forbid_unknown_fields=True, frozen=True):
    """A row of renditions.toml: one way in which publishers name the renditions of a picture.

    `path` is a regular expression for the URL's whole path. Of its named groups, `width`, `height` and
    `area` are claims, and `options` are settings with `separator` between them. The others may have any
    name; all of them, `host`, `origin` and `others` can be used in `group` and `larger`.

    `settings` say what a key means, or a key with its value, among the options and in the query. width,
    height, size (both), area: claims · options: of an argument, its value is options itself · key: every
    rendition of the picture on this host needs it · origin: the picture's own URL, percent-encoded ·
    other: quality and the like. An argument that is none of these is part of the picture's name.
    """

    name: str
    source: str  # the public text or code that says so
    path: str
    examples: tuple[str, ...]
    hosts: tuple[str, ...] = ("*",)  # example.org; *.example.org: every host below it; *: every host
    group: str = "{id}"  # the picture's name
    fold: bool = False  # letter case in it does not matter
    separator: str = "/"  # each of its characters divides
    settings: dict[str, Meaning] = msgspec.field(default_factory=dict)
    larger: tuple[str, ...] = ()  # the master's path, or //host/path, or URL; then what else is worth trying
    sized: bool = False  # the size is the only sign: without a plausible one the URL is not of this family


class _Reading(NamedTuple):
    """A URL as one family reads it."""

    claim: Rendition  # without its master
    larger: tuple[str, ...]


@dataclass
class _Settings:
    """What the settings in one URL say."""

    family: Family
    width: int | None = None
    height: int | None = None
    area: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # options that are no size, as written
    keys: list[str] = field(default_factory=list)
    origin: str = ""

    def options(self, written: str) -> None:
        first = self.family.separator[0]
        for mark in self.family.separator[1:]:
            written = written.replace(mark, first)
        for option in filter(None, written.split(first)):
            setting = _SETTING.fullmatch(option)
            if not setting or self.take(setting[1], setting[2], option) not in ("width", "height", "size"):
                self.others.append(option)

    def take(self, key: str, value: str, written: str) -> Meaning | None:
        """Note what a setting says, and return what it means; None where the family does not know it."""
        known = self.family.settings
        meaning = known.get(written) or known.get(key)
        if meaning in ("width", "height", "size"):
            return meaning if self._sides(meaning, value) else None
        if meaning == "area":
            self.area.append(written)
        elif meaning == "key":
            self.keys.append(written)
        elif meaning == "origin":
            self.origin = _origin(value)
        return meaning

    def _sides(self, meaning: str, value: str) -> bool:
        found = (_SIDES if meaning == "size" else _SIDE).fullmatch(value)
        if found is None:
            return False
        sides = [int(side or 0) or None for side in found.groups()]
        if meaning != "height":
            self.width = self.width or sides[0]
        if meaning != "width":
            self.height = self.height or sides[-1]
        return True


def rendition_of(url: str) -> Rendition | None:
    """Return what a publisher's own URL (canonical) claims; None where no family knows its form. Any str."""
    reading = _read(url)
    if reading is None:
        return None
    return msgspec.structs.replace(reading.claim, master=next(_worth_trying(url, reading), None))


def larger(url: str) -> tuple[str, ...]:
    """Return URLs under which the publisher may have the picture larger, the most promising first.

    The first is the master, which may show more of the picture; the others show the area that `url`
    shows. Empty for a master, and where no family knows the URL's form. Takes any str.
    """
    reading = _read(url)
    return () if reading is None else tuple(_worth_trying(url, reading))


@cache
def families() -> tuple[Family, ...]:
    """Return the rows of renditions.toml, in order."""
    rows = tomllib.loads(_ROWS.read_text(encoding="utf-8"))["family"]
    return msgspec.convert(rows, tuple[Family, ...])


def _worth_trying(url: str, reading: _Reading) -> Iterator[str]:
    claim, candidates = reading
    if candidates and _arguments(candidates[0]) == _arguments(url):
        return
    for number, candidate in enumerate(dict.fromkeys(candidates)):
        guess = _read(candidate)
        theirs = guess.claim if guess else claim
        smaller = guess and claim.width and theirs.width and theirs.width <= claim.width
        elsewhere = theirs.group != claim.group or (number and theirs.area != claim.area)
        if not smaller and not elsewhere and candidate != url:
            yield candidate


def _arguments(url: str) -> tuple[str, list[str]]:
    place, _, query = url.partition("?")
    return place, sorted(query.split("&"))


def _read(url: str, *, inside: bool = False) -> _Reading | None:
    if len(url) > URL_CHARS or (split := _URL.fullmatch(url)) is None:
        return None
    known = _by_host()
    for name in _names(split[2].lower()):
        for family, pattern in known.get(name, ()):
            found = pattern.fullmatch(split[4])
            if inside and "origin" in family.settings.values():
                continue
            if found and (reading := _reading(family, split, found.groupdict(default=""))):
                return reading
    return None


@cache
def _by_host() -> dict[str, list[tuple[Family, re.Pattern[str]]]]:
    known: dict[str, list[tuple[Family, re.Pattern[str]]]] = {}
    for family in families():
        for host in family.hosts:
            known.setdefault(host, []).append((family, re.compile(family.path, re.ASCII)))
    return known


def _names(host: str) -> Iterator[str]:
    """The names in `hosts` that mean this host, the closest first."""
    yield host
    at = host.find(".")
    while at >= 0:
        yield "*" + host[at:]
        at = host.find(".", at + 1)
    yield "*"


def _reading(family: Family, url: re.Match[str], parts: dict[str, str]) -> _Reading | None:
    scheme, host, port, _, query = url.groups(default="")
    said = _Settings(family)
    said.options(parts.get("options", ""))
    kept = []
    for argument in filter(None, query.split("&")):
        key, _, value = argument.partition("=")
        meaning = said.take(key, value, argument)
        if meaning is None:
            kept.append(argument)
        elif meaning == "options":
            said.options(value)
    width = int(parts.get("width") or 0) or said.width
    height = int(parts.get("height") or 0) or said.height
    if family.sized and not _plausible(width, height):
        return None
    if "origin" in family.settings.values() and not said.origin:
        return None
    others = "".join(family.separator[0] + option for option in said.others)
    parts |= {"host": host.lower() + port, "origin": said.origin, "others": others}
    group = family.group.format_map(parts)
    area = " ".join(filter(None, [parts.get("area"), *sorted(said.area)]))
    if family.fold:
        group, area = group.lower(), area.lower()
    named = f"{family.name}:{group}" + ("?" + "&".join(kept) if kept else "")
    claim = Rendition(family=family.name, group=named, area=area, width=width, height=height)
    here = f"{scheme}//{host}{port}"
    urls = [_filled(template, parts, here, kept, said.keys) for template in family.larger]
    if said.origin and (inner := _read(said.origin, inside=True)):
        claim = msgspec.structs.replace(claim, family=inner.claim.family, group=inner.claim.group)
        urls = [*inner.larger, *urls]
    return _Reading(claim, tuple(urls))


def _filled(template: str, parts: dict[str, str], here: str, kept: list[str], keys: list[str]) -> str:
    """Return a template of `larger` as a URL."""
    url = template.format_map(parts)
    if not template.startswith("/"):
        return url
    if template.startswith("//"):
        url = here.partition("//")[0] + url
    else:
        url, kept = here + url, keys + kept
    return url + ("&" if "?" in url else "?") + "&".join(kept) if kept else url


def _plausible(width: int | None, height: int | None) -> bool:
    sides = [side for side in (width, height) if side]
    if not sides or min(sides) < PIXELS_LEAST or max(sides) > PIXELS_MOST:
        return False
    return max(sides) <= RATIO_MOST * min(sides)


def _origin(value: str) -> str:
    try:
        return canonical(unquote(value))
    except UsageError:
        return ""
