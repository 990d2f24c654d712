"""The pictures that a page's head links to: `<link>`, and the icons that `<meta>` names."""

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from archiver.sources.html.candidates import is_linked_picture
from archiver.sources.html.pictures import Gallery, srcset_urls

_ICONS = frozenset(
    (
        "icon",
        "apple-touch-icon",
        "apple-touch-icon-precomposed",
        "apple-touch-startup-image",
        "mask-icon",
        "fluid-icon",
    )
)
_META_ICONS = ("msapplication-tileimage", "msapplication-square150x150logo", "og:logo")


def add_links(tree: LexborHTMLParser, names: dict[str, list[str]], gallery: Gallery) -> None:
    """Add the pictures of every `<link>`, and the icons."""
    for link in tree.css("link[rel]"):
        attributes = {name: value or "" for name, value in link.attributes.items()}
        rel = attributes["rel"].lower().split()
        href = attributes.get("href", "")
        if icon := next((name for name in rel if name in _ICONS), ""):
            gallery.add(href, "link-icon", unwanted=f"icon: link rel={icon}", outside=True)
        for written, place, outside in _named(rel, href, attributes):
            gallery.add(written, place, outside=outside)
    for name in _META_ICONS:
        for content in names.get(name, ()):
            gallery.add(content, "meta-icon", unwanted=f"icon: meta {name}", outside=True)


def _named(rel: list[str], href: str, attributes: dict[str, str]) -> Iterator[tuple[str, str, bool]]:
    """What a link names: as written, its place, and whether that says nothing of the article."""
    if "image_src" in rel:
        yield href, "link-image_src", False
    if "enclosure" in rel and (attributes.get("type", "").startswith("image/") or is_linked_picture(href)):
        yield href, "link-enclosure", False
    if "preload" in rel and attributes.get("as", "").lower() == "image":
        yield href, "link-preload", True
        for written in srcset_urls(attributes.get("imagesrcset", "")):
            yield written, "link-imagesrcset", True
