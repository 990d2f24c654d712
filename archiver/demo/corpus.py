"""Mirror documents of every shape that the archiver reads, made from a seed, with what is true of each.

The truth is known by construction: nothing here reads what it wrote. Text, names and pictures are invented.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from archiver.demo.corpus_bodies import MENTION, STORIES, markdown, story
from archiver.demo.corpus_draft import FIRST, Draft, Truth
from archiver.demo.corpus_words import Language, clause, person

_MINUTES = 5 * 365 * 24 * 60
_LANGUAGES: tuple[Language, ...] = ("zh-Hans", "zh-Hans", "zh-Hans", "zh-Hant", "en")


@dataclass(frozen=True)
class Made:
    """One document."""

    name: str
    data: bytes
    truth: Truth


def documents(count: int, seed: int = 0) -> Iterator[Made]:
    """`count` documents; the same for the same seed, each independent of how many there are."""
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable on purpose
        write, site = chance.choice(_SHAPES)
        draft = Draft(chance, chance.choice(_LANGUAGES), site)
        draft.when = FIRST + timedelta(minutes=chance.randrange(_MINUTES))
        draft.title = clause(chance, draft.language)
        text = write(draft)
        yield Made(f"{number:05}-{draft.name}.md", _encoded(chance, draft.language, text), draft.truth())


def _encoded(chance: random.Random, language: Language, text: str) -> bytes:
    """Mostly UTF-8; some as older systems and other desks write it."""
    if chance.random() < 0.05:
        text = text.replace("\n", "\r\n")
    kind = chance.random()
    if kind < 0.04:
        return text.encode("utf-8-sig")
    if kind < 0.06:
        return text.encode("utf-16")
    if kind < 0.08:
        return text.encode(chance.choice(("utf-16-le", "utf-16-be")))
    if kind < 0.16 and language == "zh-Hans":
        return text.encode("gb18030")
    if kind < 0.5 and language == "zh-Hant" and text.encode("big5", "ignore").decode("big5") == text:
        return text.encode("big5")
    return text.encode()


# --- shapes -------------------------------------------------------------------------------------


def _comment(draft: Draft) -> str:
    if draft.chance.random() < 0.05:
        return f"<!--{draft.claim('comment', 'NaN', None)}-->"
    fed = draft.when + timedelta(seconds=draft.chance.randrange(4000))
    return f"<!--{draft.claim('comment', str(int(fed.timestamp()) * 1000), fed)}-->"


def _wild_title(draft: Draft) -> None:
    """Titles are not escaped above the rule, so they may hold what the grammar is made of."""
    add = draft.chance.choice(
        ("](", "[快讯]", "(图)", ")\n------", " [x](http://other.example/) ", "\n", "&amp;", "\"'")
    )
    cut = draft.chance.randrange(1, len(draft.title))
    draft.title = (draft.title[:cut] + add + draft.title[cut:]).strip()


def _feed_document(draft: Draft) -> str:
    """The comment, the heading and a body on one line."""
    if draft.chance.random() < 0.15:
        _wild_title(draft)
    head = f"{_comment(draft)}\n[{draft.title}]({draft.url})\n------\n\n"
    body = draft.chance.choice(STORIES)(draft)
    if draft.chance.random() < 0.1:
        return f"<div>\n{head}{body}\n</div>\n"
    return f"{head}<div>\n{body}\n</div>\n" if draft.chance.random() < 0.1 else f"{head}{body}\n"


def _front_matter(draft: Draft) -> str:
    """YAML as three writers write it."""
    stamp = f"{draft.when:%Y-%m-%dT%H:%M:%S}.000Z"
    draft.times.append(("front-matter", stamp, f"{stamp[:19]}Z"))
    author, draft.section = (
        person(draft.chance, draft.language),
        draft.chance.choice(("本地", "Technik, neu", "国际")),
    )
    draft.authors = (author,)
    if draft.chance.random() < 0.3:
        draft.authors = (author, "desk")
    names = ", ".join(json.dumps(name, ensure_ascii=False) for name in draft.authors)
    lists = (
        f"authors: [{names}]" if draft.chance.random() < 0.5 else "\n  - ".join(("authors:", *draft.authors))
    )
    if draft.chance.random() < 0.3:
        draft.declared = draft.language
    lines = (
        "layout: post",
        draft.chance.choice(
            (
                f"title: {json.dumps(draft.title, ensure_ascii=False)}",
                "title: '" + draft.title.replace("'", "''") + "'",
            )
        ),
        f"date: {stamp}",
        lists,
        f"{draft.chance.choice(('from', 'link', 'source'))}: {draft.url}",
        f"categories: [ {json.dumps(draft.section, ensure_ascii=False)}, b ]",
        "tags:\n- one\n- two",
        *([f"lang: {draft.declared}"] if draft.declared else []),
    )
    return "---\n" + "\n".join(lines) + "\n---\n"


def _post_of_html(draft: Draft) -> str:
    """Front matter over HTML that was written with indentation."""
    head = _front_matter(draft)
    return f'{head}\n<section class="clearfix">\n <div>\n  {story(draft)}\n </div>\n</section>\n'


def _post_of_feed(draft: Draft) -> str:
    """Front matter over a whole document of the first shape."""
    head = _front_matter(draft)
    front = draft.times.pop()
    comment = _comment(draft)
    draft.times.append(front)
    return f"{head}{comment}\n[{draft.title}]({draft.url})\n------\n\n<div>\n{story(draft)}\n</div>\n"


def _post_of_markdown(draft: Draft) -> str:
    return f"{_front_matter(draft)}\n{markdown(draft)}\n"


def _issue(draft: Draft) -> str:
    """Posted in an issue: no URL, and a space after every `@`."""
    day = f"{draft.when:%Y-%m-%d}"
    draft.times.append(("printed", day, None))
    by = ""
    if draft.chance.random() < 0.7:
        draft.authors = (person(draft.chance, draft.language),)
        by = f" by {draft.authors[0]}"
    body = markdown(draft).replace("@", "@ ")
    draft.texts[:] = [text.replace(MENTION, MENTION.replace("@", "@ ")) for text in draft.texts]
    return f"{draft.title}{by}\n------\n**{day}**\n{body}\n"


def _quoted(draft: Draft) -> str:
    """A `#` heading over quoted lines that name the original."""
    stamp = draft.claim("printed", f"{draft.when:%Y-%m-%d %H:%M}", None)
    link = draft.chance.choice((f"<{draft.url}>", str(draft.url), f"[{draft.url}]({draft.url})"))
    draft.authors = (person(draft.chance, draft.language),)
    lines = f"> 公众号: 澄湾日报\n> 作者: {draft.authors[0]}\n> 发布时间: {stamp}\n> 原文链接: {link}\n"
    return f"# {draft.title}\n\n{lines}\n---\n\n{markdown(draft)}\n"


_Write = Callable[[Draft], str]
_SHAPES: tuple[tuple[_Write, str | None], ...] = (
    *[(_feed_document, "www.news.example")] * 10,
    (_post_of_html, "news.example"),
    (_post_of_feed, "www.news.example"),
    *[(_post_of_markdown, "blog.news.example")] * 2,
    (_issue, None),
    (_quoted, "mp.news.example"),
)
