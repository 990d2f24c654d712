"""Ten thousand mutated mirror documents: an Article or a SourceError, each in bounded time and memory."""

import random
import time
from collections.abc import Callable

import msgspec
import pytest
from wide import part

from archiver.demo.corpus import documents
from archiver.errors import SourceError
from archiver.model import Article
from archiver.sources import is_mirror_document, read_document
from archiver.sources.documents.markdown import MARKDOWN_MARKS

SECONDS = 5.0

Mutation = Callable[[random.Random, bytes, bytes], bytes]


def cut(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    return (
        data[: chance.randrange(len(data))] if chance.random() < 0.5 else data[chance.randrange(len(data)) :]
    )


def spliced(chance: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def inserted(chance: random.Random, data: bytes, other: bytes) -> bytes:
    start, at = chance.randrange(len(other)), chance.randrange(len(data))
    return data[:at] + other[start : start + chance.randrange(1, 300)] + data[at:]


def repeated(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    start = chance.randrange(len(data))
    chunk = data[start : start + chance.randrange(1, 40)]
    return data[:start] + chunk * chance.choice((10, 500, 3000)) + data[start:]


def flipped(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    wrong = bytearray(data)
    for _ in range(chance.randrange(1, 30)):
        wrong[chance.randrange(len(wrong))] = chance.randrange(256)
    return bytes(wrong)


def tokens(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """The grammar's own marks, in great numbers, where they do not belong."""
    at = chance.randrange(len(data))
    mark = chance.choice(TOKENS)
    return data[:at] + mark * chance.choice((1, 50, 5000)) + data[at:]


TOKENS = [
    mark.encode()
    for mark in (
        *(
            "<",
            ">",
            "<!--",
            "-->",
            "<div>",
            "</div>",
            "<p",
            "<b><i>",
            "</b>",
            "<a ",
            '<img src="',
            "<img srcset='a,",
        ),
        *(
            "](",
            "](http",
            ")\n------\n",
            "------\n",
            "---\n",
            "\n\n",
            "- ",
            "> ",
            "#",
            "title: '",
            '"',
            "@ ",
            "@",
        ),
        *(
            "![",
            "[a][",
            "![a](<",
            "`",
            "``` ",
            "*a_",
            "**",
            "|a",
            "|-|\n",
            "\\",
            "&",
            "&#x",
            "(",
            "[",
            "<table>",
        ),
        *(
            "<select>",
            "<svg>",
            "<template>",
            "<noscript>",
            "<figure>",
            "\0",
            "\ufeff",
            "\u3000",
            "http://a@ ",
            " by ",
        ),
    )
]
MUTATIONS: tuple[Mutation, ...] = (cut, spliced, inserted, repeated, flipped, tokens)


def outcome(data: bytes) -> Article | None:
    """What reading gives; anything but an Article or a SourceError fails the test."""
    recognised = is_mirror_document(data)
    try:
        article = msgspec.convert(read_document(data), Article)
    except SourceError:
        return None
    assert recognised
    assert msgspec.json.encode(article)
    return article


def mutated(count: int, seed: int) -> None:
    chance = random.Random(seed)
    pool = [made.data for made in documents(200, seed=seed)]
    read = 0
    for _ in range(count):
        data = chance.choice(pool)
        for mutation in chance.choices(MUTATIONS, k=chance.randint(1, 3)):
            data = mutation(chance, data, chance.choice(pool)) or b"\n"
        start = time.process_time()
        read += outcome(data) is not None
        assert time.process_time() - start < SECONDS, data[:2000]
    assert count * 0.2 < read < count * 0.95  # else the mutations would test one way only


def test_mutated_documents() -> None:
    mutated(400, seed=1)


@pytest.mark.slow
def test_many_mutated_documents() -> None:
    mutated(part(10_000), seed=2)


MOST = MARKDOWN_MARKS - 100  # just below the limit
HEAD = "<!--1-->\n[t](https://e.org/)\n------\n\n"
POST = "---\ntitle: t\nlink: https://e.org/\n---\n\ntext "
ISSUE = "t\n------\n**2020-10-11**\n"
HEAVY = {
    "comments": "<!--" * 100_000,
    "rules": "<!--1-->\n[" + ")\n------\n](http://" * 10_000,
    "parentheses": "<!--1-->\n[t](https://" + ")" * 60_000,
    "divs-above": "<div " * 30_000 + "<!--1-->",
    "white-space": " \n" * 500_000,
    "front-matter-without-end": "---\n" + "a: b\n" * 100_000,
    "front-matter-quotes": "---\na: ['" + "''" * 30_000,
    "front-matter-list": "---\nauthors: [" + ("'a'," * 15_000) + "]\n---\n",
    "front-matter-colons": "---\n" + "a" * 60_000 + "\n---\n",
    "issue-title": "a" * 1_000_000,
    "quoted": "# a\n\n" + "> 原文链接: [a" * 10_000,
    "quoted-lines": "# a\n\n" + "> a: b\n" * 100_000,
    "markdown-brackets": POST + "[" * MOST,
    "markdown-pictures": POST + "![" * MOST,
    "markdown-closed": POST + "![a" * MOST + "](b)" * MOST,
    "markdown-emphasis": POST + "*a_" * (MOST // 2),
    "markdown-emphasis-closed": POST + "_a " * (MOST // 2) + "a_ " * (MOST // 2),
    "markdown-ticks": POST + "".join("`" * n + "a" for n in range(300)),
    "markdown-table": POST + "\n\n" + "|a" * 3_000 + "\n" + "|-" * 3_000 + "\n" + "|b\n" * (MOST // 3),
    "markdown-quotes": POST + "\n\n" + ">" * 200_000,
    "markdown-lists": POST + "\n\n" + "- " * 200_000,
    "markdown-nested-lists": POST + "\n\n" + "".join(" " * n + "- a\n" for n in range(1_000)),
    "markdown-definitions": POST + "\n\n" + "".join(f"[a{n}]: x\n" for n in range(5_000)) + "![a1]" * 5_000,
    "markdown-html": POST + "<a" * MOST,
    "markdown-entities": POST + "&#x41" * MOST,
    "markdown-links": POST + "[a](<b" * (MOST // 2),
    "markdown-titles": POST + '[a](b "' * MOST,
    "markdown-escapes": POST + "\\" * MOST,
    "markdown-autolinks": POST + "<http://" * MOST,
    "markdown-lines": POST + "a  \n" * MOST,
    "markdown-text": POST + "a" * 1_000_000,
    "markdown-spaces": POST + " " * 1_000_000,
    "markdown-parentheses": POST + "[a]" + "(" * 1_000_000,
    "markdown-exclamations": POST + "!" * 1_000_000,
    "markdown-marks": POST + "[" * 100_000,
    "ats": ISSUE + "a@ " * 200_000,
    "ats-in-url": ISSUE + "https://" + "a@ " * 200_000,
    "ats-without-end": ISSUE + "a" * 300_000 + "@ " + "b." * 100_000,
    "html-blocks": HEAD + "<div>" * 100_000,
    "html-inline": HEAD + "<b><i>" * 60_000,
    "html-attributes": HEAD + "<a " + "b=1 " * 100_000 + ">",
    "html-set": HEAD + "<img srcset='" + "a, " * 100_000 + "'>",
    "html-table": HEAD + "<table><tr><td>" * 30_000,
    "lines-of-text": HEAD + "<p>" + "a<br>" * 60_000,
    "wide": HEAD + "字" * 2_000_000,
}


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY.keys())
def test_no_shape_takes_long(text: str) -> None:
    start = time.process_time()
    outcome(text.encode())
    assert time.process_time() - start < SECONDS
