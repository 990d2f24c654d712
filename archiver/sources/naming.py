"""The Links of a listing: each URL once, absolute, in the order written, and never too many."""

from typing import Literal

from ada_url import join_url, normalize_url

from archiver.model import Link
from archiver.sources.html.markup import WHITESPACE, one_line
from archiver.sources.html.pictures import URL_CHARS, LeftOut

LINKS = 100_000  # the sitemap protocol allows 50,000 in a file
LINK_CHARS = 16 << 20  # all URLs and titles together
TITLE_CHARS = 1_000
MODIFIED_CHARS = 100


def absolute(base: str, written: str) -> str | None:
    """`written` joined to `base` ("": it must be absolute), without its fragment; None if not http(s)."""
    trimmed = written.strip(WHITESPACE)
    if not trimmed or len(trimmed) > URL_CHARS:
        return None
    try:
        url: str = join_url(base, trimmed) if base else normalize_url(trimmed)
    except ValueError:
        return None
    url = url.partition("#")[0]
    return url if url.startswith(("http:", "https:")) and len(url) <= URL_CHARS else None


class Links:
    """Collects links. What is not taken is told in `left_out`."""

    def __init__(self, base: str, left_out: LeftOut) -> None:
        self._base = base
        self._left_out = left_out
        self._links: dict[str, Link] = {}
        self._chars = 0

    def add(
        self,
        written: str,
        role: Literal["page", "feed", "sitemap"] = "page",
        *,
        title: str = "",
        modified: str = "",
    ) -> None:
        """Take a link. The first of a URL stands; what is no http(s) URL is left out."""
        url = absolute(self._base, written)
        if url is None:
            self._left_out.add("link that is no http or https URL", written)
            return
        title = one_line(title)
        if len(title) > TITLE_CHARS:
            self._left_out.add(f"title of more than {TITLE_CHARS} characters", title)
            title = ""
        if len(modified) > MODIFIED_CHARS:
            self._left_out.add(f"time of more than {MODIFIED_CHARS} characters", modified)
            modified = ""
        if url in self._links:
            return
        if self.full:
            self._left_out.add(f"link beyond the first {len(self._links)}", url)
            return
        self._chars += len(url) + len(title) + len(modified)
        self._links[url] = Link(url=url, role=role, title=title, modified=modified.strip())

    @property
    def full(self) -> bool:
        """Whether no more are taken: who reads a long listing stops here, for reading takes time."""
        return len(self._links) >= LINKS or self._chars > LINK_CHARS

    def stop(self, about: int) -> None:
        """Tell that the reading ended here, of about so many links."""
        self._left_out.add(f"what follows the first {len(self._links)} links", f"about {about} links in all")

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(self._links.values())

    @property
    def left_out(self) -> tuple[str, ...]:
        return self._left_out.told()
