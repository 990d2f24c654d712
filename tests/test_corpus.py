"""The corpus of the demo: every reference of every document found, none invented, and all the rest right."""

import re
import time
from collections import Counter

import msgspec
import pytest
from wide import part

from archiver.demo.corpus import Made, documents
from archiver.demo.corpus_pictures import Known
from archiver.model import Article, Reference
from archiver.sources import is_mirror_document, read_document

SECONDS = 60.0

Row = tuple[int, str, str, str, str, str, bool]


def known(reference: Known) -> Row:
    words = (reference.place, reference.written, reference.url, reference.alt, reference.caption)
    return (reference.element, *words, reference.unwanted)


def found(element: int, reference: Reference) -> Row:
    words = (reference.place, reference.written, reference.url, reference.alt, reference.caption)
    return (element, *words, bool(reference.unwanted))


def differences(made: Made, article: Article) -> list[str]:
    """What the reader says and the corpus does not, by field."""
    truth = made.truth
    claims = tuple((claim.clock, claim.written, claim.value) for claim in article.times)
    texts = tuple(block.text for block in article.blocks if block.kind != "picture")
    pairs = {
        "title": (article.title, truth.title),
        "url": (article.url, truth.url),
        "times": (claims, truth.times),
        "authors": (article.authors, truth.authors),
        "section": (article.section, truth.section),
        "language": (article.language, truth.language),
        "texts": (texts, truth.texts),
    }
    wrong = [
        f"{made.name}: {name}: {got!r} != {want!r}" for name, (got, want) in pairs.items() if got != want
    ]
    # Several addresses of one picture may come in any order among themselves.
    elements = [reference.element for reference in truth.references]
    got = [
        found(element, reference) for element, reference in zip(elements, article.references, strict=False)
    ]
    want = sorted(map(known, truth.references))
    if len(article.references) != len(elements) or sorted(got) != want:
        wrong.append(f"{made.name}: references: {sorted(set(got) ^ set(want))}")
    if {reference.part for reference in article.references} - {"article"}:
        wrong.append(f"{made.name}: a picture of the document was said to be the page's")
    return wrong


def read(made: Made) -> Article:
    return msgspec.convert(read_document(made.data), Article)


def check(count: int, seed: int) -> float:
    """Read `count` documents; the seconds that reading took."""
    taken = 0.0
    for made in documents(count, seed=seed):
        start = time.process_time()
        result = read_document(made.data)
        taken += time.process_time() - start
        assert is_mirror_document(made.data)
        assert differences(made, msgspec.convert(result, Article)) == []
    return taken


def test_five_hundred_documents() -> None:
    check(500, seed=1)


@pytest.mark.slow
def test_many_documents() -> None:
    assert check(part(20_000), seed=2) < SECONDS


def test_the_corpus_is_the_same_each_time() -> None:
    assert list(documents(40)) == list(documents(60))[:40]
    assert list(documents(40)) != list(documents(40, seed=1))


PLACES = {"img-src", "img-srcset", "source-srcset", "img-data-src", "img-data-original", "video-poster"}
PLACES |= {"a-href", "style", "amp-img-src", "svg-image-href"}
WRAPPERS = ["weserv.nl", "wsrv.nl", "i0.wp.com", "duckduckgo.com", "substackcdn.com", "statically.io"]
WRAPPERS += ["web.archive.org", "camo.github", "/_next/"]
ENCODED = {"utf-8": "渡轮", "utf-16-le": "渡轮", "utf-16-be": "渡轮", "gb18030": "渡轮", "big5": "渡輪"}


def test_the_corpus_holds_what_it_claims_to() -> None:
    """Of every shape, place, encoding and language there are some among a thousand."""
    pool = list(documents(1_000))
    references = [reference for made in pool for reference in made.truth.references]
    places = Counter(reference.place for reference in references)
    assert set(places) >= PLACES
    assert min(places.values()) >= 5
    assert {clock for made in pool for clock, _, _ in made.truth.times} == {
        "comment",
        "front-matter",
        "printed",
    }
    assert all(any(wrapper in reference.url for reference in references) for wrapper in WRAPPERS)
    assert any(made.truth.url is None for made in pool)
    assert any(reference.unwanted for reference in references)
    assert all(any(word.encode(encoding) in made.data for made in pool) for encoding, word in ENCODED.items())
    assert sum(b"decoy-" in made.data for made in pool) > 100
    assert not [reference for reference in references if "decoy" in reference.url]
    titles = " ".join(made.truth.title for made in pool)
    assert re.search(r"\]\(", titles)
    assert "\n" in titles


def test_a_wrong_truth_is_noticed() -> None:
    """The comparison itself can fail."""
    made = next(made for made in documents(50) if made.truth.references)
    article = read(made)
    assert differences(made, article) == []
    first, *rest = article.references
    for wrong in (
        {"title": "x"},
        {"times": ()},
        {"blocks": ()},
        {"references": tuple(rest)},
        {"references": (*article.references, first)},
        {"references": (msgspec.structs.replace(first, alt="x"), *rest)},
        {"references": (msgspec.structs.replace(first, part="page"), *rest)},
    ):
        assert len(differences(made, msgspec.structs.replace(article, **wrong))) == 1
