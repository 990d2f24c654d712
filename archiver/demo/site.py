"""The demo's news site: pages on one host, pictures on another, with the faults that real ones have."""

import hashlib
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from urllib.parse import urlsplit

from archiver.demo import encoding, feeds, pages, scenes
from archiver.demo.server import LoopbackServer, Reply, Request, Seen
from archiver.demo.stories import (
    FERRY,
    MARSH,
    NEWS,
    PICTURES,
    PLACEHOLDER,
    READING_ROOM,
    ROUTE_MAP,
    SPEECH,
    STORIES,
    STREET,
)
from archiver.errors import UsageError

_HTML = "text/html; charset=utf-8"
_TAKEN = datetime(2015, 3, 14, 8, 52, 30, tzinfo=UTC)


@dataclass(frozen=True)
class HotLinks:
    """Which Referer a picture asks for: one of these hosts, and whether none will do as well."""

    hosts: tuple[str, ...] = ()
    missing: bool = True

    def allow(self, referer: str | None) -> bool:
        if referer is None:
            return self.missing
        try:
            return urlsplit(referer).hostname in self.hosts
        except ValueError:  # no URL at all
            return False


@dataclass(frozen=True)
class Resource:
    """What stands under a path, and for whom."""

    body: bytes
    content_type: str
    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()
    hot_links: HotLinks | None = None


class NewsSite(LoopbackServer):
    """The stories under `www.news.example`, their pictures under `pictures.news.example`.

    One picture wants the site's own Referer, one refuses any, two are gone (404). Further hosts
    and paths come with `add`. A path is compared with its query; an unknown one is a 404, an
    unknown host a 421. Anything but GET and HEAD is a 405.
    """

    def __init__(
        self,
        hosts: Iterable[str] = (),
        contexts: Mapping[str, ssl.SSLContext] | None = None,
        log: list[Seen] | None = None,
    ) -> None:
        super().__init__(contexts, log)
        self._resources: dict[str, dict[str, Resource]] = {
            host.lower(): {} for host in (NEWS, PICTURES, *hosts)
        }
        self._publish()

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self._resources)

    def add(
        self,
        host: str,
        path: str,
        body: bytes,
        content_type: str,
        *,
        status: int = 200,
        fields: tuple[tuple[str, str], ...] = (),
        hot_links: HotLinks | None = None,
    ) -> None:
        """Put something under `host` and `path` (with its query), now or while serving.

        UsageError for a host that the site was not made with: nobody could reach it.
        """
        if host.lower() not in self._resources:
            raise UsageError(f"{host} is no host of this site", "Name it when the site is made.")
        self._resources[host.lower()][path] = Resource(body, content_type, status, fields, hot_links)

    def answer(self, request: Request) -> Reply:
        if request.method not in ("GET", "HEAD"):
            return Reply(405, pages.not_found_page(), _HTML, (("Allow", "GET, HEAD"),))
        if request.host not in self._resources:
            return Reply(421, b"No such site here.\n", "text/plain")
        found = self._resources[request.host].get(request.target)
        if found is None:
            return Reply(404, pages.not_found_page(), _HTML)
        if found.hot_links and not found.hot_links.allow(request.fields.get("referer")):
            return Reply(403, b"Pictures are for readers of our pages.\n", "text/plain")
        etag = f'"{hashlib.sha256(found.body).hexdigest()[:16]}"'
        return Reply(found.status, found.body, found.content_type, (("ETag", etag), *found.fields))

    def _publish(self) -> None:
        self.add(NEWS, "/", pages.home_page(), _HTML)
        for story in STORIES:
            self.add(NEWS, story.path, pages.article_page(story), _HTML)
        for path, (body, content_type) in feeds.publications().items():
            self.add(NEWS, path, body, content_type)
        self.add(NEWS, ROUTE_MAP, encoding.png(scenes.route_map()), "image/png")
        for host in (NEWS, PICTURES):
            self.add(host, "/robots.txt", b"User-agent: *\nAllow: /\n", "text/plain")
        for name, body in _pictures().items():
            self.add(
                PICTURES,
                f"/{name}",
                body,
                f"image/{name.rpartition('.')[2].replace('jpg', 'jpeg')}",
                fields=(("Cache-Control", "public, max-age=86400"),),
                hot_links=_PROTECTED.get(name),
            )


# The first serves only the paper's own readers; the second, an agency's, no page but its own.
_PROTECTED = {
    f"{STREET}_w1200.jpg": HotLinks((NEWS,), missing=False),
    f"{SPEECH}_w1200.jpg": HotLinks(()),
}


@cache
def _pictures() -> dict[str, bytes]:
    harbour, marsh = scenes.harbour(), scenes.marsh()
    return {
        f"{FERRY}_w1200.jpg": encoding.jpeg(harbour, taken=_TAKEN),
        f"{FERRY}_w600.jpg": encoding.jpeg(encoding.rendition(harbour, 600)),
        f"{FERRY}_cx28_cy30_cw70_r1_w900.jpg": encoding.jpeg(
            encoding.rendition(encoding.crop(harbour, 28, 30, 70), 900)
        ),
        f"{STREET}_w1200.jpg": encoding.jpeg(scenes.street(), taken=_TAKEN, turned=True),
        f"{READING_ROOM}_w1200.webp": encoding.webp(scenes.reading_room()),
        f"{SPEECH}_w1200.jpg": encoding.jpeg(scenes.podium()),
        f"{MARSH}_w1200.jpg": encoding.jpeg(marsh),
        f"{MARSH}_w600.jpg": encoding.jpeg(encoding.rendition(marsh, 600)),
        PLACEHOLDER: encoding.png(scenes.placeholder()),
    }
