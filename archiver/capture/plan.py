"""Which URLs an article's pictures can be had under. Pure: no network, no disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from archiver.addresses import Proxies, explain, upload_time
from archiver.addresses.renditions import larger, rendition_of
from archiver.model import Article, Form, Reference

Guesses = Literal["none", "master", "all"]


@dataclass(frozen=True)
class Planner:
    """How the forms of a picture are found: known image proxies, and how many renditions are guessed."""

    proxies: Proxies
    renditions: Guesses = "none"

    def with_forms(self, article: Article) -> Article:
        """The article with each reference's forms, what its URL claims, and the time in its name."""
        references = tuple(self._with_forms(reference) for reference in article.references)
        return msgspec.structs.replace(article, references=references)

    def _with_forms(self, reference: Reference) -> Reference:
        address = explain(reference.url, self.proxies)
        if not address.via:
            # Mirrors write a proxy without a scheme, too; a browser takes that for a path of the page.
            bare = explain(reference.written, self.proxies)
            address = bare if bare.via else address
        forms = [Form(form="proxied", url=wrapper.url, proxy=wrapper.proxy) for wrapper in address.via]
        own = address.origin or reference.url
        if address.origin is not None:
            forms.append(Form(form="origin", url=address.origin))
            forms += [Form(form="rendition", url=url) for url in self._guesses(address.origin)]
        time = upload_time(own)
        return msgspec.structs.replace(
            reference,
            forms=tuple(forms),
            times=(*reference.times, time) if time else reference.times,
            rendition=rendition_of(own),
        )

    def passed_on(self, url: str) -> tuple[str, ...]:
        """What image proxies will be asked to fetch when `url` is asked for, outermost first."""
        address = explain(url, self.proxies)
        inner = [wrapper.url for wrapper in address.via[1:]]
        return (*inner, address.origin) if address.via and address.origin else tuple(inner)

    def _guesses(self, origin: str) -> tuple[str, ...]:
        if self.renditions == "all":
            return larger(origin)
        claimed = rendition_of(origin) if self.renditions == "master" else None
        return (claimed.master,) if claimed and claimed.master else ()


def wanted(article: Article) -> Iterator[tuple[Form, tuple[int, ...]]]:
    """Each URL to ask for once, in order, with the numbers of the references that want it.

    A URL that one reference names and another only guesses is no guess.
    """
    forms: dict[str, tuple[Form, list[int]]] = {}
    for reference in article.references:
        for form in () if reference.unwanted else reference.forms:
            known = forms.setdefault(form.url, (form, []))
            known[1].append(reference.number)
            if known[0].form == "rendition" and form.form != "rendition":
                forms[form.url] = (form, known[1])
    for form, numbers in forms.values():
        yield form, tuple(numbers)
