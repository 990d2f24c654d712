"""The whole demo world: the news site and the picture proxy, running, and how to reach them."""

import ssl
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Self

from archiver.demo.mirror import mirror_documents
from archiver.demo.proxy import ImageProxy, RateLimit
from archiver.demo.server import Seen
from archiver.demo.site import NewsSite


class DemoWorld:
    """A context manager. Both servers listen on free ports of 127.0.0.1 while it is entered.

    picture_hosts, proxy_hosts: further host names of the news site and of the proxy. What stands
    under a further host of the site is put there by `world.site.add(…)`.
    ssl_contexts: host → server-side SSLContext, for each host that shall answer `https:` too.
    limit: the proxy's rate limit, if it shall have one.
    """

    def __init__(
        self,
        *,
        picture_hosts: Iterable[str] = (),
        proxy_hosts: Iterable[str] = (),
        ssl_contexts: Mapping[str, ssl.SSLContext] | None = None,
        limit: RateLimit | None = None,
    ) -> None:
        self.requests: list[Seen] = []  # every request that either server answered, in order
        self.documents: dict[str, bytes] = mirror_documents()
        self._contexts = dict(ssl_contexts or {})
        self._origins: dict[str, tuple[str, int]] = {}
        self.site = NewsSite(picture_hosts, self._contexts, self.requests)
        self.proxy = ImageProxy(
            self._origins, hosts=proxy_hosts, limit=limit, contexts=self._contexts, log=self.requests
        )
        self._running = ExitStack()

    @property
    def instances(self) -> tuple[str, ...]:
        """The proxy's hosts, as `archiver.addresses.explain` wants them."""
        return self.proxy.hosts

    @property
    def connect_to(self) -> tuple[str, ...]:
        """HOST:PORT:127.0.0.1:PORT for each host, port 80, and 443 where it has a certificate."""
        return tuple(
            f"{host}:{port}:{address}:{listening}"
            for host, (address, listening) in self._origins.items()
            for port in ((80, 443) if host in self._contexts else (80,))
        )

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.site)
            starting.enter_context(self.proxy)
            self._origins.update(dict.fromkeys(self.site.hosts, self.site.address))
            self._origins.update(dict.fromkeys(self.proxy.hosts, self.proxy.address))
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()
        self._origins.clear()
