"""Which URLs an article's pictures can be had under. Pure: no network, no disk."""

from collections.abc import Collection, Iterator

import msgspec

from archiver.addresses import explain, upload_time
from archiver.model import Article, Form, Reference


def with_forms(article: Article, instances: Collection[str]) -> Article:
    """The article with each reference's forms (proxies undone) and the time that its name carries."""
    references = tuple(_with_forms(reference, instances) for reference in article.references)
    return msgspec.structs.replace(article, references=references)


def _with_forms(reference: Reference, instances: Collection[str]) -> Reference:
    address = explain(reference.url, instances=instances)
    forms = [Form(form="proxied", url=url, proxy=address.proxy) for url in address.via]
    if address.origin is not None:
        forms.append(Form(form="origin", url=address.origin))
    time = upload_time(address.origin or reference.url)
    return msgspec.structs.replace(
        reference, forms=tuple(forms), times=(*reference.times, time) if time else reference.times
    )


def wanted(article: Article) -> Iterator[tuple[Form, tuple[int, ...]]]:
    """Each URL to ask for once, in order, with the numbers of the references that want it."""
    forms: dict[str, tuple[Form, list[int]]] = {}
    for reference in article.references:
        for form in reference.forms:
            forms.setdefault(form.url, (form, []))[1].append(reference.number)
    for form, numbers in forms.values():
        yield form, tuple(numbers)
