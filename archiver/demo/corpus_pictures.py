"""Pictures as mirrors' bodies show them, with what a reader must find; and what only looks like one."""

import base64
import html
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

HOST = "pictures.news.example"
GREY = 'style="color: #999;"'
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


@dataclass(frozen=True)
class Known:
    """A reference that must be found. `element` is the same for all the addresses of one picture."""

    element: int
    place: str
    written: str
    url: str
    alt: str
    caption: str
    unwanted: bool


@dataclass(frozen=True)
class Address:
    """How a picture's address is written, and what a browser asks for."""

    written: str
    url: str


@dataclass(frozen=True)
class Frame:
    """What a form is given: one picture's words and a source of addresses."""

    chance: random.Random
    address: Callable[[], Address]
    alt: str
    caption: str


Found = list[tuple[str, Address]]  # place and address of each reference


@dataclass(frozen=True)
class Shown:
    """The markup of a picture, what it refers to, and which words it gives them."""

    markup: str
    found: Found
    alt: str = ""
    caption: str = ""
    unwanted: bool = False


Form = Callable[[Frame], Shown]

# --- addresses ----------------------------------------------------------------------------------


def address(chance: random.Random, site: str | None) -> Address:
    """The address of a new picture; relative ones only where the article has a URL on `site`."""
    name = f"{chance.getrandbits(64):016x}"
    path = chance.choice(
        (f"/{name}_w900.jpg", f"/2024/05/{name}-300x200.png", f"/i/{name}@2x.webp", f"/{name}")
    )
    kinds = [*_ABSOLUTE, *(_RELATIVE if site else ())]
    written, url = chance.choice(kinds)(f"{HOST}{path}", path)
    return Address(written, url.replace("SITE", site or ""))


def _same(form: str) -> Callable[[str, str], tuple[str, str]]:
    """A wrapper that a URL parser leaves as it is; `{}` is the picture's address without its scheme."""
    return lambda bare, _path: (form.replace("{}", bare), form.replace("{}", bare))


def _encoded(form: str) -> Callable[[str, str], tuple[str, str]]:
    return lambda bare, _path: (form.replace("{}", quote(f"https://{bare}", "")),) * 2


def _hashed(form: str, encode: Callable[[bytes], str]) -> Callable[[str, str], tuple[str, str]]:
    return lambda bare, _path: (form.replace("{}", encode(f"https://{bare}".encode())),) * 2


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _resized(path: str) -> str:
    return f"/_next/image?url={quote(path, '')}&w=640&q=75"


_SIGNED = "9f86d081884c7d659a2feaa0c55ad015"
_ABSOLUTE: tuple[Callable[[str, str], tuple[str, str]], ...] = (
    _same("https://{}"),
    _same("http://{}"),
    lambda bare, _path: (f"https://images.weserv.nl?url={bare}", f"https://images.weserv.nl/?url={bare}"),
    _same("https://images.weserv.nl/?url={}"),
    _same("https://images.weserv.nl/?url={}&w=900&q=80"),
    _same("https://wsrv.nl/?url=ssl:{}&output=webp"),
    lambda bare, _path: (f"HTTPS://Images.Weserv.NL/?URL={bare}", f"https://images.weserv.nl/?URL={bare}"),
    _encoded("https://images.weserv.nl/?url={}"),
    _same("https://i0.wp.com/{}?ssl=1&w=640"),
    _encoded("https://external-content.duckduckgo.com/iu/?u={}&f=1&nofb=1"),
    _encoded("https://substackcdn.com/image/fetch/w_1456,c_limit,f_auto/{}"),
    _same("https://cdn.statically.io/img/{}"),
    _same("https://web.archive.org/web/20231108182556im_/https://{}"),
    _hashed(f"https://camo.githubusercontent.com/{_SIGNED}/{{}}", bytes.hex),
    _hashed(f"https://reader.example/proxy/{_SIGNED}/{{}}", _base64),
    lambda bare, _path: (f"https://{bare}?n=图片", f"https://{bare}?n={quote('图片')}"),
    lambda bare, _path: (f"https://{bare}#main", f"https://{bare}"),
)
_RELATIVE: tuple[Callable[[str, str], tuple[str, str]], ...] = (
    lambda bare, _path: (f"//{bare}", f"https://{bare}"),
    lambda _bare, path: (path, f"https://SITE{path}"),
    lambda _bare, path: (f"../{path[1:]}", f"https://SITE/a{path}"),
    lambda _bare, path: (_resized(path), f"https://SITE{_resized(path)}"),
)


# --- forms --------------------------------------------------------------------------------------


def attribute(chance: random.Random, value: str) -> str:
    """A value in the quotes that a writer may choose, escaped as that needs."""
    if chance.random() < 0.1 and value and not set(value) & set(" \"'`=<>\n") and value[-1] != "/":
        return value
    escaped = html.escape(value)
    return f"'{escaped}'" if chance.random() < 0.1 else f'"{escaped}"'


def lead(frame: Frame) -> Shown:
    shown = frame.address()
    source = attribute(frame.chance, shown.written)
    caption = f"<div><small {GREY}>{html.escape(frame.caption)}</small></div>"
    alt = f" alt={attribute(frame.chance, frame.alt)}" if frame.alt else ""
    return Shown(
        f'<img src={source}{alt} width="100%">{caption}', [("img-src", shown)], frame.alt, frame.caption
    )


def inner(frame: Frame) -> Shown:
    shown = frame.address()
    caption = f"<div><small {GREY}>{html.escape(frame.caption)}</small></div>"
    image = f'<img  src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}" border="0"/>'
    return Shown(f"<div >{image}{caption}</div>", [("img-src", shown)], frame.alt, frame.caption)


def figure(frame: Frame) -> Shown:
    shown = frame.address()
    image = (
        f'<img src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}" width="1050" height="700">'
    )
    caption = f"<figcaption> <cite>{html.escape(frame.caption)}</cite></figcaption>"
    return Shown(f"<figure>{image}{caption}</figure>", [("img-src", shown)], frame.alt, frame.caption)


def _press(frame: Frame) -> Shown:
    shown = frame.address()
    image = f'<img class="size-full" src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}">'
    caption = f'<p class="wp-caption-text">{html.escape(frame.caption)}</p>'
    return Shown(
        f'<div class="wp-caption alignnone">{image}{caption}</div>',
        [("img-src", shown)],
        frame.alt,
        frame.caption,
    )


def _set(frame: Frame) -> Shown:
    """As one broadcaster writes it: a set in mixed case before the source."""
    large, small, shown = frame.address(), frame.address(), frame.address()
    candidates = f"{html.escape(small.written)} 240w, {html.escape(large.written)} 800w"
    alt, source = html.escape(frame.alt), html.escape(shown.written)
    image = f'<img srcSet="{candidates}" alt="{alt}" src="{source}" width="976" class="StyledImg"/>'
    found = [("img-src", shown), ("img-srcset", small), ("img-srcset", large)]
    return Shown(f'<div class="Figure">{image}</div>', found, frame.alt)


def _art(frame: Frame) -> Shown:
    one, two, shown = frame.address(), frame.address(), frame.address()
    sources = (
        f'<source type="image/webp" srcset="{html.escape(one.written)} 1x, {html.escape(two.written)} 2x">'
    )
    image = f'<img src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}">'
    found = [("source-srcset", one), ("source-srcset", two), ("img-src", shown)]
    return Shown(f"<picture>{sources}{image}</picture>", found, frame.alt)


def _late(frame: Frame) -> Shown:
    shown = frame.address()
    name = frame.chance.choice(("data-src", "data-original", "data-lazy-src"))
    source = attribute(frame.chance, shown.written)
    image = f'<img class="lazyload" src="{DOT}" {name}={source} alt="{html.escape(frame.alt)}">'
    return Shown(image, [(f"img-{name}", shown)], frame.alt)


def _unscripted(frame: Frame) -> Shown:
    shown = frame.address()
    image = f'<img src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}" aria-hidden="true"/>'
    return Shown(
        f'<div><noscript><div class="Wrapper">{image}</div></noscript></div>', [("img-src", shown)], frame.alt
    )


def _poster(frame: Frame) -> Shown:
    shown = frame.address()
    film = f'<source src="https://{HOST}/film-{frame.chance.getrandbits(32):x}.mp4" type="video/mp4">'
    return Shown(
        f'<video controls poster="{html.escape(shown.written)}">{film}</video>', [("video-poster", shown)]
    )


def _linked(frame: Frame) -> Shown:
    """A thumbnail that leads to the whole picture."""
    shown, whole = frame.address(), f"https://{HOST}/{frame.chance.getrandbits(64):016x}.jpg"
    image = f'<img src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}">'
    found = [("img-src", shown), ("a-href", Address(whole, whole))]
    return Shown(f'<a href="{whole}">{image}</a>', found, frame.alt)


def _background(frame: Frame) -> Shown:
    """CSS takes quotes of its own inside the attribute's."""
    shown = frame.address()
    url = shown.written.replace("\\", "\\\\").replace("'", "\\'")
    return Shown(f"<div style=\"background-image: url('{html.escape(url)}')\"></div>", [("style", shown)])


def _fast(frame: Frame) -> Shown:
    shown = frame.address()
    image = f'<amp-img src="{html.escape(shown.written)}" alt="{html.escape(frame.alt)}" layout="responsive">'
    return Shown(f"{image}</amp-img>", [("amp-img-src", shown)], frame.alt)


def _drawn(frame: Frame) -> Shown:
    shown = frame.address()
    image = f'<image href="{html.escape(shown.written)}" width="640" height="480"/>'
    return Shown(f'<svg viewBox="0 0 640 480">{image}</svg>', [("svg-image-href", shown)])


def _pixel(frame: Frame) -> Shown:
    """One that only counts readers."""
    url = f"https://{HOST}/_/stat?event=post.clientViewed&postId={frame.chance.getrandbits(32):x}"
    image = f'<img src="{html.escape(url)}" width="1" height="1" alt="">'
    return Shown(image, [("img-src", Address(url, url))], unwanted=True)


HTML_FORMS: tuple[Form, ...] = (
    *(lead, inner, inner, inner, figure, figure, _press, _set, _art, _late, _unscripted, _poster),
    *(_linked, _background, _fast, _drawn, _pixel),
)


# --- decoys -------------------------------------------------------------------------------------


def decoy(chance: random.Random) -> tuple[str, str]:
    """Markup without a picture, and the text that it shows, if any."""
    image = f'<img src="https://{HOST}/decoy-{chance.getrandbits(32):08x}.jpg">'
    link = f"https://{HOST}/decoy-{chance.getrandbits(32):08x}.jpg"
    return chance.choice(
        (
            (f"<!-- {image} -->", ""),
            (f"<textarea>{image}</textarea>", ""),
            (f"<template>{image}</template>", ""),
            (f"<script>document.write('{image}')</script>", ""),
            (f'<iframe src="{link}"></iframe>', ""),
            (f'<audio src="{link}"></audio>', ""),
            (f'<img src="{DOT}">', ""),
            ('<img src="">', ""),
            ("<img alt='no picture'>", ""),
            (f"<pre>{html.escape(image)}</pre>", image),
            (f"<p>{html.escape(image)} {link}</p>", f"{image} {link}"),
            (f'<p><a href="{link}">jpg</a></p>', "jpg"),
            (f"<p>![alt]({link})</p>", f"![alt]({link})"),
        )
    )
