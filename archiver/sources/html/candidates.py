"""Which attributes of an element name pictures.

Browsers' own, AMP's, and those from which scripts load pictures late: the names that lazysizes,
vanilla-lazyload, lozad, jQuery Lazy Load, WordPress with its plugins, Flickity and others document. A further
`data-` attribute counts where its name speaks of a picture and its value is a picture's by its suffix.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from archiver.sources.html.markup import WHITESPACE

VALUE_CHARS = 100_000
NAME_CHARS = 40


class Candidate(NamedTuple):
    """A value that names a picture, or several as a `srcset` does.

    `late`: a script loads it. `judged`: the element is the picture, so its declared size tells of it.
    """

    value: str
    place: str
    several: bool = False
    late: bool = False
    judged: bool = True
    unwanted: str = ""


_SINGLES_NAMES = (
    "data-src data-original data-lazy-src data-lazy data-lazyload data-lazyload-src data-ll-src "
    "data-echo data-actualsrc data-real-src data-realsrc data-delayed-src data-defer-src "
    "data-hi-res-src data-hires data-src-retina data-src-large data-src-full data-src-medium "
    "data-large-file data-medium-file data-orig-file data-orig-src data-full-src data-fullsrc "
    "data-imgsrc data-img-src data-image-src data-image data-img data-flickity-lazyload "
    "data-pagespeed-lazy-src data-cfsrc data-ezsrc data-litespeed-src data-original-src "
    "data-original-desktop data-original-mobile data-src-mobile data-src-desktop data-raw-src "
    "data-canonical-src data-croporiginalsrc data-sf-src data-runner-src _src lazy-src data-i-src"
)
_SINGLES = frozenset(_SINGLES_NAMES.split())
_SETS_NAMES = (
    "data-srcset data-lazy-srcset data-original-set data-ll-srcset data-ezsrcset data-litespeed-srcset "
    "data-flickity-lazyload-srcset data-src-set data-lazyload-srcset data-sf-srcset"
)
_SETS = frozenset(_SETS_NAMES.split())
_BACKGROUNDS_NAMES = (
    "data-bg data-background data-background-image data-bg-src data-bg-image data-bg-url data-bg-hidpi "
    "data-backgroundimage data-image-background data-lazy-bg data-lazy-background data-parallax-image "
    "data-image-src data-style"
)
_BACKGROUNDS = frozenset(_BACKGROUNDS_NAMES.split())
_PICTURE_TAGS = frozenset(("img", "source", "image", "input", "amp-img", "amp-anim"))
_NATIVE = {"src": False, "srcset": True}

_SPEAKING = re.compile(
    r"src|img|image|photo|pic|thumb|poster|original|lazy|hires|full|large|zoom|bg|background|url|file|path|backup"
)
_SUFFIX = re.compile(
    r"[^\s<>\"'{}|?#]{1,3000}\.(?:jpe?g|png|gif|webp|avif|svg|bmp|heic|jxl)(?:[?#][^\s<>\"]{0,1000})?\Z",
    re.IGNORECASE,
)
# CSS Syntax 3 section 4.3.6, "consume a url token", and strings; an escape is a backslash and at most six hex
# digits with one white space after them, or any other character.
_URL_TOKEN = re.compile(
    r"url\([ \t\n\f\r]*+(?:\"((?:[^\"\\\n]|\\.)*+)\"|'((?:[^'\\\n]|\\.)*+)'"
    r"|((?:[^\"'()\\ \t\n\f\r]|\\[^\n])*+))[ \t\n\f\r]*+\)",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\f\r])?|(\n)|(.))", re.DOTALL)


def candidates(tag: str, attributes: Mapping[str, str | None]) -> list[Candidate]:
    """The pictures that an element names, the browser's own first."""
    return [one for one in _candidates(tag, attributes) if one.value]


def _candidates(tag: str, attributes: Mapping[str, str | None]) -> Iterator[Candidate]:
    if tag in _PICTURE_TAGS:
        yield from _picture(tag, attributes)
    elif tag == "video" or tag.startswith("amp-"):
        yield from _posters(tag, attributes)
    elif tag == "object" and (attributes.get("type") or "").strip().lower().startswith("image/"):
        yield Candidate(attributes.get("data") or "", "object-data")
    elif tag in ("body", "table", "td", "th") and (value := attributes.get("background")):
        yield Candidate(value, "background")
    for name, value in attributes.items():
        if not value or len(value) > VALUE_CHARS:
            continue
        if name == "style":
            if "url(" in value.lower():
                yield from (Candidate(url, "style", judged=False) for url in css_urls(value))
        elif name.startswith("data-") and tag not in _PICTURE_TAGS:
            yield from _background(name, value)


def is_linked_picture(href: str) -> bool:
    """Whether a link leads to a picture, by its suffix; `File:x.jpg` is a wiki's page about one."""
    path = href.partition("?")[0]
    return ":" not in path.rpartition("/")[2] and _SUFFIX.match(href.strip(WHITESPACE)) is not None


def css_urls(style: str) -> Iterator[str]:
    """The URLs of `url(…)` in a declaration, escapes undone."""
    for found in _URL_TOKEN.finditer(style):
        yield _ESCAPE.sub(_unescaped, found[1] or found[2] or found[3] or "")


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        code = int(found[1], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return found[3] or ""


def _picture(tag: str, attributes: Mapping[str, str | None]) -> Iterator[Candidate]:
    if tag == "image":  # of SVG
        for name in ("href", "xlink:href"):
            yield Candidate(attributes.get(name) or "", "svg-image-href")
        return
    if tag == "input" and (attributes.get("type") or "").strip().lower() != "image":
        return
    for name, several in _NATIVE.items():
        if tag != "source" or several or "src" in attributes:
            yield Candidate(attributes.get(name) or "", f"{tag}-{name}", several)
    for name, value in attributes.items():
        if not value or name in _NATIVE:
            continue
        if name in _SINGLES or (_is_speaking(name) and _SUFFIX.match(value.strip(WHITESPACE))):
            yield Candidate(value, f"{tag}-{name}", late=True)
        elif name in _SETS or (
            name.startswith("data-") and "srcset" in name[:NAME_CHARS] and len(name) <= NAME_CHARS
        ):
            yield Candidate(value, f"{tag}-{name}", several=True, late=True)


def _posters(tag: str, attributes: Mapping[str, str | None]) -> Iterator[Candidate]:
    if tag == "amp-pixel":
        yield Candidate(attributes.get("src") or "", "amp-pixel-src", unwanted="tracking pixel: amp-pixel")
    place = "video" if tag == "video" else "amp"
    for name in ("poster", "data-poster"):
        yield Candidate(attributes.get(name) or "", f"{place}-{name}")
    if tag == "amp-story":
        for name in ("poster-portrait-src", "poster-square-src", "poster-landscape-src"):
            yield Candidate(attributes.get(name) or "", f"amp-story-{name}")
        logo = attributes.get("publisher-logo-src") or ""
        yield Candidate(logo, "amp-story-publisher-logo-src", unwanted="icon: logo")


def _background(name: str, value: str) -> Iterator[Candidate]:
    if name == "data-bgset":
        yield Candidate(value, name, several=True, late=True)
    elif name in _BACKGROUNDS and "url(" in value.lower():
        yield from (Candidate(url, name, late=True, judged=False) for url in css_urls(value))
    elif _names_background(name, value.strip(WHITESPACE)):
        yield Candidate(value, name, late=True, judged=False)


def _names_background(name: str, value: str) -> bool:
    if _SUFFIX.match(value):
        return name in _BACKGROUNDS or name in _SINGLES or _is_speaking(name)
    return name in ("data-bg", "data-background-image") and value.startswith(("http:", "https:", "/"))


def _is_speaking(name: str) -> bool:
    if name == "file":  # of Discuz!, a forum's software
        return True
    return len(name) <= NAME_CHARS and name.startswith("data-") and _SPEAKING.search(name) is not None
