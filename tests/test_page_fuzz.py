"""Ten thousand broken pages: each is an Article and a Listing or a SourceError, and soon."""

import random
import time

import msgspec
import pytest
from wide import PARTS

from archiver.errors import SourceError
from archiver.model import Article, Listing
from archiver.sources import read_page
from archiver.sources.pages.links import read_links

URL = "https://www.example.org/a/1.html"
SEED = """<?xml encoding="gbk"?><!doctype html><html lang="zh"><head><meta charset="gbk"><title>标题</title>
<base href="/b/"><meta property="og:image" content="/og.jpg">
<link rel="preload" as="image" imagesrcset="/p 1x, /q 2x">
<link rel="apple-touch-icon" href="/i.png"><meta name="author" content="A; B">
<meta name="date" content="2020-01-02">
<script type="application/ld+json">
{"@graph":[{"@type":"NewsArticle","image":[{"url":"/l.jpg"}],"author":{"name":"甲"},
"datePublished":"2020-01-01T00:00:00Z","publisher":{"logo":"/logo.png"}}]}</script></head><body><header>
<nav><ul><li><a href="/x">首页</a>
</ul></nav></header><main><article><h1>标题</h1><time datetime="2020-01-01">一月</time>
<div itemprop="articleBody">
<picture><source srcset="/a.webp 1x,/b.webp 2x" data-srcset="/c">
<img src="data:,x" data-src="/d.jpg" width=1 height="1"
style="display:none; background:url(/e\\29 .png)" alt="图"></picture><p>第一段，说的是会谈，内容很长。<br><br>
第二段。</p>
<figure><a href="/full.jpg"><img src="/g.jpg"></a><figcaption>说明</figcaption></figure><blockquote>
引</blockquote>
<noscript><img src="/h.jpg"></noscript><video poster="/v.jpg"><source src="/v.mp4"></video>
<amp-img src="/j"></amp-img>
<div data-bg="/k.jpg" style='background-image: url("/m.jpg")'></div><svg><image href="/n.png"/></svg>
<table><tr><td>表</table>
<p>
A longer paragraph in English, that speaks of ferries, harbours and the river, once more.</p></div>
<aside><img src="/o.gif"></aside></article></main><footer><img src="https://www.facebook.com/tr?id=1">
</footer></body></html>"""
SEEDS = [
    SEED.encode("gb18030"),
    SEED.replace("gbk", "utf-8").encode(),
    b"\xff\xfe" + SEED.encode("utf-16-le"),
]
TOKENS = [
    *(
        b"<",
        b">",
        b'"',
        b"'",
        b"&#x",
        b"<!--",
        b"-->",
        b"url(",
        b"\\",
        b"\x00",
        b"\xff",
        b"\x81",
        b"\xed\xa0\x80",
        b"{",
        b"[",
    ),
    *(
        b"<table>",
        b"<select>",
        b"<svg>",
        b"<math>",
        b"<template>",
        b"<frameset>",
        b"</p>",
        b"<a>",
        b"<noscript>",
        b"<form>",
    ),
    *(
        b" srcset=",
        b" style=",
        b" href=",
        b"http://[",
        b"&",
        b",",
        b"\\ud800",
        b"<plaintext>",
        b"<![CDATA[",
        b"</body>",
    ),
]


def mutated(random_: random.Random) -> bytes:
    data = bytearray(random_.choice(SEEDS))
    for _ in range(random_.randint(1, 12)):
        at, end = sorted(random_.randrange(len(data) + 1) for _ in range(2))
        end = min(end, at + random_.choice((1, 30, 3_000)))
        kind = random_.randrange(6)
        if kind == 0:
            del data[at:end]
        elif kind == 1:
            data[at:end] = bytes(random_.randrange(256) for _ in range(min(20, end - at)))
        elif kind == 2:
            data[at:at] = random_.choice(TOKENS) * random_.choice((1, 1, 5, 300))
        elif kind == 3:
            data[at:at] = data[at:end] * random_.choice((1, 3, 40))
        elif kind == 4:
            other = random_.choice(SEEDS)
            data[at:end] = other[at : at + 500]
        else:
            data[at : at + 1] = random_.choice(TOKENS)
        del data[200_000:]
    return bytes(data)


def survives(count: int, seed: int) -> float:
    """The longest time that one of `count` pages took, in seconds."""
    random_, longest = random.Random(seed), 0.0
    for number in range(count):
        data = mutated(random_)
        content_type = random_.choice(("", "text/html; charset=gbk", "text/html;charset=utf-8"))
        started = time.process_time()
        try:
            found = read_page(data, url=URL, content_type=content_type, library=int(number % 4 == 0))
            article = msgspec.convert(found, Article)
            assert [one.number for one in article.references] == list(range(len(article.references)))
            assert msgspec.json.encode(article)
            listing = msgspec.convert(read_links(data, url=URL, content_type=content_type), Listing)
            assert msgspec.json.encode(listing)
        except SourceError:
            pass
        longest = max(longest, time.process_time() - started)
    return longest


def test_a_few_broken_pages() -> None:
    assert survives(150, 0) < 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", PARTS)
def test_many_broken_pages(seed: int) -> None:
    assert survives(2_500, 1 + seed) < 5
