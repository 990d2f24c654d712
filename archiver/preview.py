"""What `archiver archive` would ask for, without asking: `--dry-run`."""

from collections.abc import Callable, Iterator, Sequence

from archiver.addresses import Proxies
from archiver.capture.plan import Planner, wanted
from archiver.config import Settings
from archiver.inputs import Inputs, Source
from archiver.kept import Aims
from archiver.model import Article, Listing
from archiver.sandbox import Sandbox
from archiver.sources import read_document, read_listing


def plan(
    givens: Sequence[str], settings: Settings, aims: Aims, say: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """What was named and a URL that would be asked for, in order, without asking.

    What a page, or a feed that is named by its URL, leads to is not known yet.
    """
    planner = Planner(Proxies(settings.instances, settings.proxies), aims.renditions)
    with Sandbox() as sandbox:
        for source in Inputs(givens, sandbox, say, []):
            for url in _planned(source, sandbox, planner):
                yield source.given, url


def _planned(source: Source, sandbox: Sandbox, planner: Planner) -> Iterator[str]:
    if source.url is not None:
        yield source.url
        return
    if source.kind == "document":
        listing = Listing(kind="list", articles=(sandbox.read(Article, read_document, source.data),))
    else:
        listing = sandbox.read(Listing, read_listing, source.data)
    for article in listing.articles:
        if article.url is not None and article.kind == "document":
            yield article.url
        for form, _ in wanted(planner.with_forms(article)):
            yield form.url
    yield from (link.url for link in listing.links)
