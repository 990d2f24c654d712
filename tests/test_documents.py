"""Mirror documents beyond the commonest shape: front matter, Markdown, issues, quoted heads, encodings."""

import msgspec
import pytest

from archiver.errors import SourceError
from archiver.model import Article
from archiver.sources import is_mirror_document, read_document
from archiver.sources.documents.body import read_body
from archiver.sources.documents.markdown import MARKDOWN_MARKS
from archiver.sources.encoding import text_of

URL = "https://www.example.org/a/1.html"
SIMPLIFIED = "澄湾市议会周三批准了码头扩建的预算，预计明年春天完成。居民说，这只是开始。"
TRADITIONAL = "澄灣市議會週三批准了碼頭擴建的預算，預計明年春天完成。居民說，這只是開始。"
JAPANESE = "澄湾市議会は水曜日に、桟橋を広げる予算を認めました。来年の春に終わる予定です。"
KOREAN = "항구 도시 의회는 수요일에 부두를 넓히는 예산을 승인했다. 내년 봄에 끝날 예정이다."
FRENCH = "Le conseil a approuvé le budget à l’été; les élèves fêtent déjà leur fenêtre réparée."
RUSSIAN = "Городской совет одобрил в среду расходы на расширение причала, работы закончатся весной."


def read(text: str) -> Article:
    data = text.encode()
    assert is_mirror_document(data)
    return msgspec.convert(read_document(data), Article)


def post(body: str, fields: str = "") -> str:
    return f"---\ntitle: t\nlink: {URL}\n{fields}---\n{body}"


def pictures(article: Article) -> list[tuple[str, str]]:
    return [(reference.written, reference.alt) for reference in article.references]


def texts(article: Article) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in article.blocks if block.kind != "picture"]


# --- front matter -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("plain words # comment", "plain words"),
        ("C#: a language", "C#: a language"),
        ("'it''s: \"so\"'", 'it\'s: "so"'),
        ('"\\u6807\\"x"', '标"x'),
        ('"a\\qb"', "a\\qb"),
        (">-\n  two\n  lines", "two lines"),
        ("|\n  two\n  lines", "two\nlines"),
        ("plain\n  on two lines", "plain on two lines"),
        ('"quoted\n  on two lines"', "quoted on two lines"),
        ("\n  below its name", "below its name"),
        ('"\\ud800"', "?"),
    ],
)
def test_titles_in_yaml(written: str, title: str) -> None:
    assert read(f"---\ntitle: {written}\nlink: {URL}\n---\n<p>x</p>").title == title


@pytest.mark.parametrize(
    ("fields", "authors"),
    [
        ("author: 林若溪\n", ("林若溪",)),
        ("authors: [A, \"B, C\", 'D']\n", ("A", "B, C", "D")),
        ("authors:\n  - A\n  - 'B'\n", ("A", "B")),
        ("authors:\n- A\n- A\n", ("A",)),
        ("authors: [\n  A,\n  B ]\n", ("A", "B")),
        ("author:\n  name: A\n  email: a@example.org\n", ()),
        ("author: {name: A}\n", ()),
        ("author: ''\n", ()),
        ("authors: [A\n", ("A",)),
    ],
)
def test_authors_in_yaml(fields: str, authors: tuple[str, ...]) -> None:
    assert read(post("<p>x</p>", fields)).authors == authors


def test_section_language_and_times_in_yaml() -> None:
    fields = "date: 2020-10-11 08:00:00 +0800\nupdated: 2020-10-12\nlang: zh\ntags: [ t ]\n"
    fields += "categories: [ 本地, x ]\n"
    article = read(post("<p>x</p>", fields))
    assert (article.section, article.language) == ("本地", "zh")
    assert [(claim.clock, claim.written, claim.value) for claim in article.times] == [
        ("front-matter", "2020-10-11 08:00:00 +0800", "2020-10-11T00:00:00Z"),
        ("front-matter-modified", "2020-10-12", None),
    ]
    assert read(post("<p>x</p>", "tags:\n- t\n")).section == "t"


@pytest.mark.parametrize(
    "key", ["link", "from", "url", "source", "source_url", "original_url", "canonical_url"]
)
def test_names_of_the_link(key: str) -> None:
    assert read(f"---\ntitle: t\nid: 3\n{key}: {URL}\n---\n<p>x</p>").url == URL


# --- Markdown -----------------------------------------------------------------------------------

MARKDOWN = r"""
The *first* paragraph
on two lines, with \*no\* emphasis.

![alt **words**](/a.jpg "title") ![](<https://e.org/b c.jpg>)

Heading
-------

![reference][one] ![one] [![thumbnail](t.jpg)](full.jpg)

- item
- ![in a list](https://e.org/图.jpg)

> quoted

<figure><img src="f.jpg?a=1&amp;b=2"><figcaption>caption</figcaption></figure>

| name | picture |
|------|---------|
| a    | ![cell](cell.jpg) |

`![code](no.jpg)` and \![escaped](no.jpg) and ![data](data:image/gif;base64,AA==)

    ![indented](no.jpg)

```
<img src="no.jpg">
```

<!-- ![comment](no.jpg) -->

[one]: https://e.org/one.jpg "title"
"""


def test_every_picture_of_markdown() -> None:
    article = read(post(MARKDOWN))
    assert pictures(article) == [
        ("/a.jpg", "alt words"),
        ("https://e.org/b c.jpg", ""),
        ("https://e.org/one.jpg", "reference"),
        ("t.jpg", "thumbnail"),
        ("full.jpg", "thumbnail"),
        ("https://e.org/图.jpg", "in a list"),
        ("f.jpg?a=1&b=2", ""),
        ("cell.jpg", "cell"),
    ]
    assert article.references[1].url == "https://e.org/b%20c.jpg"
    assert article.references[3].url == "https://www.example.org/a/t.jpg"
    assert article.references[6].caption == "caption"


def test_the_text_of_markdown() -> None:
    assert texts(read(post(MARKDOWN)))[:5] == [
        ("paragraph", "The first paragraph on two lines, with *no* emphasis."),
        ("heading", "Heading"),
        ("item", "item"),
        ("quote", "quoted"),
        ("paragraph", "name"),
    ]


@pytest.mark.parametrize(
    ("body", "paragraphs"),
    [
        ("<p>a</p>\n    <p>b</p>\n\n    <p>c</p>", ["a", "b", "c"]),
        ("<div>\n<p>a</p>\n\nplain\n\n    <p>b</p>\n</div>\n", ["a", "plain", "b"]),
        ("<p>a</p>\n\nplain *text*\n\n<p>b</p>", ["a", "plain text", "b"]),
        ("<https://e.org/> said", ["https://e.org/ said"]),
        ("a\n\nb", ["a", "b"]),
        ("", []),
    ],
)
def test_html_and_markdown_are_told_apart(body: str, paragraphs: list[str]) -> None:
    assert [text for _, text in texts(read(post(body)))] == paragraphs


def test_a_body_below_a_heading_is_html() -> None:
    article = read(f"<!--1-->\n[t]({URL})\n------\n\n*a* ![b](c.jpg)")
    assert (texts(article), article.references) == ([("paragraph", "*a* ![b](c.jpg)")], ())


def test_too_much_markdown_is_refused() -> None:
    with pytest.raises(SourceError, match="too large to be read as an article: 20006 lines and marks"):
        read_document(post("a\n" + "[" * (MARKDOWN_MARKS + 5)).encode())
    with pytest.raises(SourceError, match="characters of Markdown"):
        read_document(post("a" * (1 << 20) + "b").encode())


# --- issues and quoted heads ----------------------------------------------------------------------


def test_an_issue() -> None:
    article = read(
        "怎样在河边散步 by 林若溪\n------\n**2020-10-11**\n"
        "first ![a](https://e.org/@ user/a@ 2x.jpg) paragraph\n\n"
        "![b](/relative.jpg) ask desk@ news.example or @ user, see <https://e.org/@ user> \\*\n"
    )
    assert (article.title, article.url, article.authors) == ("怎样在河边散步", None, ("林若溪",))
    assert [(claim.clock, claim.written, claim.value) for claim in article.times] == [
        ("printed", "2020-10-11", None)
    ]
    assert pictures(article) == [("https://e.org/@user/a@2x.jpg", "a")]
    assert texts(article)[-1] == ("paragraph", "ask desk@news.example or @ user, see https://e.org/@user *")
    assert article.left_out == ("img-src that is no URL: 1, the first '/relative.jpg'",)


@pytest.mark.parametrize(
    ("title", "author"),
    [("标题", None), ("Walks by the river by A. Lindqvist", "A. Lindqvist"), ("标题 by " + "x" * 61, None)],
)
def test_titles_of_issues(title: str, author: str | None) -> None:
    article = read(f"{title}\n------\n**2020-10-11**\nbody")
    assert article.authors == ((author,) if author else ())
    assert article.title == (title.removesuffix(f" by {author}") if author else title)


def test_a_space_after_an_at_stays_where_it_was_no_rule() -> None:
    article = read("t\n------\n**2020-10-11**\na@b https://e.org/@ user and desk@ news.example")
    assert texts(article) == [("paragraph", "a@b https://e.org/@ user and desk@ news.example")]


@pytest.mark.parametrize("link", [URL, f"<{URL}>", f"[original]({URL})"])
def test_a_quoted_head(link: str) -> None:
    article = read(
        "# 标题 \\#1\n\n> 公众号: 澄湾日报\n> **作者**：林若溪\n> 发布时间: 2025-02-09 04:24\n"
        f"> 原文链接: {link}\n\n---\n![图](https://e.org/a.png)\n\nbody\n"
    )
    assert (article.title, article.url, article.authors) == ("标题 #1", URL, ("林若溪",))
    assert [(claim.clock, claim.written) for claim in article.times] == [("printed", "2025-02-09 04:24")]
    assert pictures(article) == [("https://e.org/a.png", "图")]
    assert texts(article) == [("paragraph", "body")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\0\1\2", "its bytes are no text"),
        ("---\ntitle: t\n---\n", "its front matter has no title with"),
        ("<!--1-->\nx", "below its comment stands no"),
        ("# t\n\n> 原文链接: none\n\nbody", "neither a comment with a time"),
        ("t\n-----\n**2020-10-11**\nbody", "neither a comment with a time"),
        ("- t\n------\n**2020-10-11**\nbody", "neither a comment with a time"),
        ("t\n------\n**11 October**\nbody", "neither a comment with a time"),
    ],
)
def test_why_something_is_no_document(text: str, why: str) -> None:
    assert not is_mirror_document(text.encode())
    with pytest.raises(SourceError, match=f"^not a mirror document: {why}"):
        read_document(text.encode())


# --- a body without a document --------------------------------------------------------------------


def test_a_body_without_a_url_has_absolute_pictures_only() -> None:
    body = read_body(
        '<i>Wed, 08 Nov 2023 18:25:56 GMT</i><p>t</p><p>x</p><img src="/a.jpg"><img src="http://e.org/b.jpg">',
        url="",
        title="t",
    )
    assert [claim.written for claim in body.times] == ["Wed, 08 Nov 2023 18:25:56 GMT"]
    assert [block.text for block in body.blocks] == ["x", ""]
    assert [reference.url for reference in body.references] == ["http://e.org/b.jpg"]
    assert body.left_out == ("img-src that is no URL: 1, the first '/a.jpg'",)


# --- encodings ------------------------------------------------------------------------------------

ENCODINGS = [
    *(("utf-8", SIMPLIFIED), ("utf-8-sig", SIMPLIFIED), ("utf-16", TRADITIONAL), ("utf-32", SIMPLIFIED)),
    *(("utf-16-le", SIMPLIFIED), ("utf-16-be", JAPANESE), ("gb18030", SIMPLIFIED), ("gbk", SIMPLIFIED)),
    *(("gb18030", TRADITIONAL), ("big5", TRADITIONAL), ("shift_jis", JAPANESE), ("euc_jp", JAPANESE)),
    *(("euc_kr", KOREAN), ("cp1252", FRENCH), ("cp1251", RUSSIAN), ("koi8_r", RUSSIAN), ("utf-8", "")),
]
HEADS = {
    "comment": f"<!--1-->\n[WORDS]({URL})\n------\n\n<p>WORDS</p>",
    "front-matter": f"---\ntitle: WORDS\nlink: {URL}\n---\n\nWORDS\n",
    "issue": "WORDS\n------\n**2020-10-11**\nWORDS\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
@pytest.mark.parametrize(("encoding", "words"), ENCODINGS[:-1])
def test_files_in_every_encoding(encoding: str, words: str, head: str) -> None:
    data = head.replace("WORDS", words).replace("<p>", f"<p>{words} ").encode(encoding)
    assert is_mirror_document(data)
    article = msgspec.convert(read_document(data), Article)
    assert article.title == words
    assert len(article.blocks) == (head == HEADS["comment"])


@pytest.mark.parametrize(("encoding", "words"), [pair for pair in ENCODINGS if not pair[0].startswith("utf")])
def test_one_damaged_byte_does_not_hide_the_encoding(encoding: str, words: str) -> None:
    data = words.encode(encoding)
    text = text_of(data + b" \xff " + data[:-1])
    assert text.startswith(words)


@pytest.mark.parametrize(("encoding", "words"), ENCODINGS)
def test_a_plain_file_in_every_encoding(encoding: str, words: str) -> None:
    text = f"2024-05-06\n{words}\n{words}\n"
    assert text_of(text.encode(encoding)) == text


def test_damaged_utf_8_stays_utf_8() -> None:
    data = f"<p>{SIMPLIFIED}</p>\0".encode()
    assert text_of(data[:20] + data[21:]).endswith(f"{SIMPLIFIED[-20:]}</p>\0")
    assert text_of(b"a\x80b" * 9).count("b") == 9
    assert text_of(bytes(range(256)) * 300).count("a") == 300
