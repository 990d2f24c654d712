"""Hostile HTML: refused soon where a limit says so, read soon where none does."""

import time

import pytest

from archiver.errors import SourceError
from archiver.sources import read_document

HEAD = b"<!--1699468744000-->\n[title](https://www.example.org/a/1.html)\n------\n\n"

HOSTILE = {
    "nested-blocks": "<div>" * 200_000,
    "nested-lists": "<ul><li>" * 100_000,
    "nested-behind-false-ends": "<div></ul></p></x>" * 30_000,
    "attributes": "<p " + " ".join(f"a{n}" for n in range(300_000)) + ">",
    "attributes-glued": "<p " + "".join(f'a{n}="1"' for n in range(100_000)) + ">",
    "attributes-in-an-open-quote": "<a " * 100_000 + '"',
    "tags": "<b>" * 300_000,
    "paragraphs": "x<p>" * 100_000,
    "large": "x" * (17 << 20),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_markup_is_refused_soon(body: str) -> None:
    started = time.process_time()
    with pytest.raises(SourceError, match="too large"):
        read_document(HEAD + body.encode())
    assert time.process_time() - started < 3


TIRING = {
    "nested-inline": "<b>" * 190_000 + "x",
    "nested-unknown": "<x-y>" * 190_000 + "x",
    "character-reference": "&#" + "1" * 500_000 + ";",
    "cdata": "<![CDATA[" * 100_000,
    "end-tags": "</" * 190_000,
    "srcset-open": f'<img srcset="{"a, ( " * 100_000}">',
    "srcset-commas": f'<img srcset="{"," * 500_000}">',
    "breaks": "x" + "<br>" * 100_000 + "y",
    "spaces": "<p>" + " \n" * 500_000 + "x",
    "figure": "<figure>" + "<img src=a>" * 3_000 + f"<figcaption>{'c' * 100_000}</figcaption></figure>",
}


@pytest.mark.parametrize("body", TIRING.values(), ids=TIRING.keys())
def test_tiring_markup_is_read_soon(body: str) -> None:
    started = time.process_time()
    assert read_document(HEAD + body.encode())["title"] == "title"
    assert time.process_time() - started < 5
