"""Search: what is there is found, by Chinese of any length, by words, by both; and anything can be typed."""

import json
import re
import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from browse_articles import CHINESE, ENGLISH, EVIL, PAGE, Site
from commands import within
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils import Database

from archiver import tell
from archiver.console import Output
from archiver.index.search import fold, index_article, parse, search_found
from archiver.index.words import placed, plain, runs
from archiver.search import SHOWN, excerpt, search
from archiver.show import reading

FERRY = "周三（11月8日）清晨，海湾的新渡轮“白鹭号”从北岸老码头出发，开始了它的第一次航行。"

# What is typed, and a text in which it is found.
FOUND = {
    "one character": ("轮", FERRY),
    "two": ("渡轮", FERRY),
    "four": ("北岸老码", FERRY),
    "twenty": ("从北岸老码头出发，开始了它的第一次航行", FERRY),
    "over punctuation": ("周三（11月8日）清晨，海湾", FERRY),
    "other punctuation": ("周三, 11月8日 清晨", FERRY),
    "quotes of Chinese": ("“白鹭号”", FERRY),
    "several, anywhere": ("航行 渡轮 清晨", FERRY),
    "digits beside Han": ("2023年", "那是２０２３ 年的事"),
    "digits alone": ("2023", "那是２０２３年的事"),
    "mixed": ("iPhone上海", "新的 iPhone 上海首发"),
    "full-width": ("ＩＰＨＯＮＥ", "iPhone"),
    "full-width text": ("iphone", "ＩＰＨＯＮＥ"),
    "a line's end in a word": ("第一次", "他第一\n次来"),
    "set wide": ("上海", "上 海 快 讯"),
    "plane 2": ("𠮷", "𠀀𠮷野"),
    "plane 2, a pair": ("𠮷野", "𠀀𠮷野"),
    "plane 3": ("𰻝𰻝", "吃𰻝𰻝面"),
    "compatibility Han": ("豈有", "豈\ufe00有此理"),
    "hiragana": ("ありがとう", "どうもありがとうございます"),
    "katakana": ("ガギ", "ｶﾞｷﾞ"),
    "kana in two characters": ("か\u3099", "がぎ"),
    "Hangul": ("시장", "서울시장"),
    "Hangul without a space": ("서울시장", "서울 시장"),
    "Hangul in jamo": ("\u1112\u1161\u11ab", "한국"),
    "Thai": ("ดี", "สวัสดี"),
    "capitals": ("LIBRARY", "the library"),
    "accents": ("café Zürich", "CAFE\u0301 in Zurich"),
    "ß": ("STRASSE", "Straße"),
    "apostrophes": ("don’t", "I don't know"),
    "numbers": ("3.5", "3.5 million"),
    "abbreviations": ("U.S.", "in the U.S. today"),
    "a phrase": ('"new york"', "in New\n York now"),
    "a beginning": ("photo*", "Photographers"),
    "one of two": ("北京 OR 上海", "上海"),
    "or with and": ("渡轮 北京 OR 清晨", FERRY),
    "without": ("渡轮 -北京", FERRY),
    "soft hyphen": ("newspaper", "news\u00adpaper"),
    "unseen characters": ("上海", "上\u200b海"),
    "long word": ("a" * 90, "b " + "a" * 90),
    "long Chinese": ("渡" * 200, "渡" * 300),
    "combining marks of India": ("हिन्दी", "यह हिन्दी है"),
    "an open quote": ('"白鹭', FERRY),
    "operators as words": ("AND NOT NEAR", "and not near"),
    "FTS5's syntax": ('{words}: ^(清晨) + "x', "words 清晨 x"),
}
MISSED = {
    "other order": ("轮渡", FERRY),
    "not together": ("渡轮清晨", FERRY),
    "pairs that are not together": ("中国人民", "中国人很多，国人民主，人民"),
    "within a word": ("bra", "the library"),
    "phrase in other order": ('"york new"', "new york"),
    "without": ("渡轮 -清晨", FERRY),
    "without a phrase": ('渡轮 -"从北岸老码头"', FERRY),
    "one letter with a star": ("l*", "the library"),
    "traditional": ("渡輪", FERRY),
    "over passages": ("次航行周三", FERRY),
}


def index(*texts: str) -> sqlite3.Connection:
    """A catalogue with an article for each text."""
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    db.executescript(files("archiver.index").joinpath("schema.sql").read_text("utf-8"))
    for number, text in enumerate(texts, 1):
        add(db, number, text)
    return db


def add(db: sqlite3.Connection, number: int, text: str, url: str | None = None) -> None:
    row = (number, url, "2026-11-22T19:05:12Z", f"n{number}", f"s{number}")
    db.execute(
        "INSERT INTO articles (id, title, url, kind, given, language, authors, section, reader, archived,"
        " left_out, note_id, source_id) VALUES (?, '', ?, 'page', '', '', '', '', '', ?, '', ?, ?)",
        row,
    )
    db.execute("INSERT INTO blocks VALUES (?, 0, 'paragraph', ?, NULL)", (number, text))
    index_article(Database(db), number)


def matched(db: sqlite3.Connection, written: str) -> bool:
    """What the index alone says."""
    sql = "SELECT 1 FROM article_words WHERE article_words MATCH ?"
    return db.execute(sql, (parse(written).expression,)).fetchone() is not None


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = index()
    yield connection
    connection.close()


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str, db: sqlite3.Connection) -> None:
    written, text = FOUND[name]
    add(db, 1, "Something else. 其他的事。")
    add(db, 2, text)
    (hit,) = search(db, parse(written), limit=5).hits
    assert hit.id == 2
    if not parse(written).without:
        assert any(marked for _, marked in hit.passages[0].parts)


@pytest.mark.parametrize("name", MISSED)
def test_not_found(name: str, db: sqlite3.Connection) -> None:
    written, text = MISSED[name]
    add(db, 1, text)
    assert search(db, parse(written), limit=5).hits == ()


TEXT = st.text(
    st.one_of(st.sampled_from('上海轮渡 \n,，。"“-*|OR2３.aAéß\u0301がﾞｶ한\u1161𠮷\u200b'), st.characters()),
    max_size=40,
)


@given(TEXT, TEXT, st.integers(0, 40), st.integers(0, 40))
@example('"', "", 0, 0)
@example("\ud800上", "上", 0, 1)
@example("上|海", "上|海", 0, 3)
def test_what_the_text_has_the_index_finds(text: str, other: str, start: int, end: int) -> None:
    """Any part of a text as a query, and anything else: the index never misses what the text has."""
    storable = text.encode("utf-8", "replace").decode()
    db = index(storable)
    try:
        for written in (text[start:end], f'"{text[start:end]}"', other, f"{other} -{text}"):
            query, there = parse(written), matched(db, written)
            found = query.found(fold([storable]))
            assert there or not found
            assert not query.exact or there == found
            assert search_found(written, json.dumps([storable])) == found
    finally:
        db.close()


@given(TEXT)
@example("a⑴b…ﬁ¨")
@example("e\u0301\u0302 \u1112\u1161\u11ab ｶﾞ")
def test_words_have_their_places(text: str) -> None:
    folded, where = placed(text)
    assert folded == plain(runs(text))
    assert len(where) == len(folded)
    assert all(0 <= start <= end <= len(text) for start, end in where)
    assert [*runs(text), "1", "2"] == runs(text + " ½")  # which takes another way
    starts = [start for (start, _), letter in zip(where, folded, strict=True) if letter != " "]
    assert starts == sorted(starts)


@given(st.text("上海轮渡，。", min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 25))
def test_any_part_of_a_chinese_text_is_found(text: str, start: int, length: int) -> None:
    part = re.split("[，。]", text[start : start + length])[0]
    if part:
        assert parse(part).found(fold([text]))


@given(TEXT, TEXT)
def test_marks_are_on_what_was_asked_for(text: str, written: str) -> None:
    query = parse(written)
    parts = excerpt(text, query)
    assert sum(len(part) for part, _ in parts) <= max(SHOWN, len(text)) + 2
    assert all("\n" not in part for part, _ in parts)
    assert any(marked for _, marked in parts) == (bool(text) and query.touches(*fold([text])))


def test_excerpts_show_the_place() -> None:
    text = "一" * 500 + "渡轮" + "二" * 500
    parts = excerpt(text, parse("渡轮"))
    assert [part for part, marked in parts if marked] == ["渡轮"]
    assert parts[0] == parts[-1] == ("…", False)
    assert 100 < sum(len(part) for part, _ in parts) <= SHOWN + 2
    english = excerpt("one two three " * 40 + "ferry " + "four five " * 40, parse("ferry"))
    assert english[1][0].startswith(("one ", "two ", "three "))


def test_a_query_is_bounded() -> None:
    query = parse("上海 " * 5000 + "渡" * 5000)
    assert len(query.groups) <= 32
    assert search_found("上", "{}") == search_found("上", "[1]") == search_found("上", "[") == 0
    assert search_found(None, None) == search_found("上", None) == 0


def test_each_url_once_and_pages_hold_all(db: sqlite3.Connection) -> None:
    for number in range(1, 61):
        add(db, number, "北京渡轮" if number % 3 else "北京，渡轮", url=f"http://a.example/{number % 20}")
    seen, before, pages = [], None, 0
    while True:
        found = search(db, parse("北京渡轮"), limit=4, before=before, most=7)
        seen += found.hits
        pages += 1
        if found.older is None:
            break
        before = found.older
    assert [hit.id for hit in seen] == sorted((hit.id for hit in seen), reverse=True)
    assert sorted(hit.url or "" for hit in seen) == sorted({f"http://a.example/{n}" for n in range(20)})
    everything = sorted([hit.id for hit in seen] + [other for hit in seen for other in hit.others])
    assert everything == [number for number in range(1, 61) if number % 3]
    assert pages > 5
    assert not search(db, parse("北京渡轮"), limit=20).older


# --- the command, the page, Datasette's own box and SQL -------------------------------------------


def test_command(sealed: Path) -> None:
    code, rows, _ = within("search", "正文", "-不存在", "--in", str(sealed), "--json", "--limit", "1")
    assert code == 0
    hit, summary = rows
    (passage,) = hit["passages"]
    assert [passage["text"][start:end] for start, end in passage["marks"]] == ["正文"]
    assert (summary["type"], summary["articles"]) == ("summary", 1)
    code, _, text = within("search", "正文", "--in", str(sealed))
    assert code == 0
    assert hit["title"] in text
    assert within("search", "不存在", "--in", str(sealed))[::2] == (0, "0 articles.\n")
    assert within("search", "%%", "--in", str(sealed))[0] == 2
    assert within("search", "x", "--lmit", "--in", str(sealed))[0] == 2


def test_hostile_text_is_safe_on_a_terminal(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with reading(site.archive.root) as db:
        found = search(db, parse("script"), limit=5)
    assert [hit.id for hit in found.hits] == [EVIL]
    tell.found(Output(as_json=False), found)
    text = capsys.readouterr().out
    assert "<script>" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("search") / "archive", fillers=25) as site:
        yield site


def test_page_marks_what_was_found(site: Site) -> None:
    html = site.get("/-/search", params={"q": "渡轮"}).text
    assert re.findall(r'<h2><a href="(/-/articles/\d+)"', html) == [f"/-/articles/{PAGE}"]
    assert "海湾新<mark>渡轮</mark>首航" in html
    assert "1 older source of it has them too" in html
    assert f"/-/thumbnail/{site.archive.digits['origin']}" in html
    assert 'value="渡轮"' in html
    alt = site.get("/-/search", params={"q": '"room with lamps"'}).text
    assert '<span class="place" lang="en">Alternative text</span> A <mark>room with lamps</mark>' in alt
    assert "Damaged" in site.get("/-/search", params={"q": "script"}).text


def test_pages_of_results(site: Site) -> None:
    first = site.get("/-/search?q=short+item").text
    address = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")  # type: ignore[index]
    second = site.get(address).text
    found = [re.findall(r'<h2><a href="/-/articles/(\d+)"', html) for html in (first, second)]
    assert [len(each) for each in found] == [20, 5]
    assert len({*found[0], *found[1]}) == 25
    assert 'rel="next"' not in second
    assert 'href="/-/search?q=short+item"' in second


def test_nothing_found_says_what_was_asked_for(site: Site) -> None:
    html = site.get("/-/search", params={"q": "渡轮 OR 船 <b>x -广告"}).text
    for said in (
        "No article here has all of this",
        "渡轮</q> or",
        "without <q",
        "&lt;b&gt;x",
        "How to search",
    ):
        assert said in html
    assert "There is no word in it" in site.get("/-/search", params={"q": "%%"}).text
    assert "How to search" in site.get("/-/search").text


@pytest.mark.parametrize("before", ["", "0", "-1", "x", "９", "9" * 30])
def test_page_takes_anything(site: Site, before: str) -> None:
    for written in (
        "渡轮",
        '"',
        "\x00\ud800".encode("utf-8", "replace").decode(),
        "a" * 5000,
        "* OR - NOT (",
    ):
        assert site.get("/-/search", params={"q": written, "before": before}).status_code == 200


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_has_the_box(site: Site, language: str) -> None:
    html = site.get(f"/-/articles/{CHINESE}", headers={"accept-language": language}).text
    assert 'role="search" action="/-/search"' in html
    assert ("要搜索的词" in html) == (language == "zh")


def ids(site: Site, written: str) -> set[int]:
    rows = site.get("/catalogue/articles.json", params={"_search": written, "_shape": "array"}).json()
    return {row["id"] for row in rows}


def test_the_box_of_datasette_finds_the_same(site: Site) -> None:
    assert "_search" in site.get("/catalogue/articles").text
    assert ids(site, "渡轮") == ids(site, "轮") == ids(site, "老码头的新生活") == {CHINESE, PAGE}
    assert ids(site, "老码头渡轮") == set()  # every pair of it is there
    assert ids(site, "码头的生") == set()
    assert ids(site, "library -nurses") == ids(site, '"') == ids(site, "%") == set()
    assert ids(site, '"night shift" OR 老人和儿童') == {ENGLISH, PAGE}
    assert site.get("/catalogue/articles", params={"_search": '" NEAR( -'}).status_code == 200


def test_search_in_sql(site: Site) -> None:
    sql = "SELECT rowid FROM article_words WHERE article_words MATCH search_query(:q)"
    answer = site.get("/catalogue.json", params={"sql": sql, "q": "渡轮", "_shape": "array"}).json()
    assert {row["rowid"] for row in answer} == {CHINESE, PAGE}
    sql = "SELECT search_query(NULL) a, search_query(5) b, search_found('渡轮', '[\"新渡轮\"]') c"
    assert site.get("/catalogue.json", params={"sql": sql, "_shape": "array"}).json() == [
        {"a": '""', "b": '""', "c": 1}
    ]
