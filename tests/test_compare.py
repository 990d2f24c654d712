"""A mirror's text against the page's: what is the same, what is not, and nothing else."""

import random
import time
import unicodedata
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.claims import compare as module
from archiver.claims.alignment import Work, align
from archiver.claims.compare import Comparison, compare
from archiver.model import Block


def _blocks(texts: Sequence[str]) -> list[Block]:
    return [Block(kind="paragraph", text=text) for text in texts]


def _compare(mirror: Sequence[str], page: Sequence[str]) -> Comparison:
    return compare(_blocks(mirror), _blocks(page))


def _counts(found: Comparison) -> tuple[int, int, int, int]:
    return found.same, found.changed, found.missing, found.added


def _marked(found: Comparison) -> list[tuple[str, str]]:
    """All that is not the same, white space aside: what is said to be only on one side."""
    marked = []
    for passage in found.passages:
        if passage.kind in {"missing", "added"}:
            marked.append((passage.kind, _solid(passage.page + passage.mirror)))
        marked += [(span.kind, _solid(span.text)) for span in passage.spans if span.kind != "same"]
    return marked


def _solid(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and unicodedata.category(char) != "Cf")


# --- one by one ---------------------------------------------------------------------------------

SAME = [
    (["海湾的新渡轮 首航。"], ["海湾的新渡轮首航。"]),
    (["周三（11 月 8 日）"], ["周三（11月8日）"]),
    (["海\u3000湾\u00a0的\u200b渡\ufeff轮\u2060。"], ["海湾的渡轮。"]),
    (["The oldferry leaves.Two boats stay."], ["The old ferry leaves. Two boats stay."]),
    (["一。二。", "三。"], ["一。", "二。三。"]),
    (["标题周三首航。"], ["标题", "周三首航。"]),
    (["old line"], ["ol", "d line"]),
    (["x", "x", "xx"], ["xx", "x", "x"]),
    (["cafe\u0301 ouvert"], ["caf\u00e9 ouvert"]),
    (["", " \n", "一。"], ["一。", "\u200b"]),
    ([], []),
]


@pytest.mark.parametrize(("mirror", "page"), SAME, ids=range(len(SAME)))
def test_only_white_space_and_paragraphs_differ(mirror: list[str], page: list[str]) -> None:
    found = _compare(mirror, page)
    assert _counts(found) == (sum(bool(_solid(text)) for text in page), 0, 0, 0)
    assert _solid("".join(each.mirror for each in found.passages)) == _solid(
        unicodedata.normalize("NFC", "".join(mirror))
    )


CHANGED = [  # mirror, page, what only the page has, what only the mirror has
    ("他说：“可以，坐船。”", "他说：“可以,坐船。”", ",", "，"),
    ("他说“可以坐船”。", '他说"可以坐船”。', '"', "“"),
    ("长江大桥明年通车。", "长江大橋明年通车。", "橋", "桥"),
    ("It was 3.14 pm on Monday.", "It was 3.15 pm on Monday.", "3.15", "3.14"),
    ("The bridge is open now.", "The bridge is closed now.", "closed", "open"),
    ("单程要１２分钟的船。", "单程要12分钟的船。", "12", "１２"),
    ("Prices rose by 1,000 euros.", "Prices rose by 1,900 euros.", "1,900", "1,000"),
]


@pytest.mark.parametrize(("mirror", "page", "theirs", "ours"), CHANGED, ids=range(len(CHANGED)))
def test_a_change_is_marked_where_it_is(mirror: str, page: str, theirs: str, ours: str) -> None:
    found = _compare(["一段文字。", mirror], ["一段文字。", page])
    assert _counts(found) == (1, 1, 0, 0)
    spans = found.passages[1].spans
    assert [(span.kind, span.text.strip()) for span in spans if span.kind != "same"] == [
        ("missing", theirs),
        ("added", ours),
    ]
    assert "".join(span.text for span in spans if span.kind != "added") == page
    assert (found.passages[1].mirror, found.passages[1].page) == (mirror, page)


def test_missing_is_the_page_s_and_added_is_the_mirror_s() -> None:
    found = _compare(["一。", "广告！"], ["一。", "二。"])
    assert [(each.kind, each.mirror, each.page) for each in found.passages] == [
        ("same", "一。", "一。"),
        ("missing", "", "二。"),
        ("added", "广告！", ""),
    ]


def test_unlike_paragraphs_are_no_change_of_each_other() -> None:
    mirror = "The mayor of the town said on Monday that the bridge is closed for repairs."
    page = "Farmers in the south are worried about the rain this year, the ministry found."
    assert _counts(_compare([mirror], [page])) == (0, 0, 1, 1)
    assert _counts(_compare(["中国外交部周三在北京表示欢迎。"], ["美国的农民今年收入下降了。"])) == (
        0,
        0,
        1,
        1,
    )


def test_simplified_beside_traditional_is_a_change() -> None:
    found = _compare(
        ["国务院发言人周三表示，长江大桥将于明年通车。"], ["國務院發言人周三表示，長江大橋將於明年通車。"]
    )
    assert _counts(found) == (0, 1, 0, 0)
    assert ("same", "言人周三表示，") in [(span.kind, span.text) for span in found.passages[0].spans]


def test_a_moved_paragraph_is_missing_here_and_added_there() -> None:
    found = _compare(
        ["二是新闻。", "一是新闻。", "三。", "四！"], ["一是新闻。", "二是新闻。", "三。", "四！", "五。"]
    )
    assert [(each.kind, each.moved) for each in found.passages] == [
        ("added", True),
        ("same", False),
        ("missing", True),
        ("same", False),
        ("same", False),
        ("missing", False),
    ]


def test_a_joined_mirror_says_which_of_the_page_s_paragraphs_changed() -> None:
    page = ["一号船开了。二号船停了。", "三号船来了。", "四号船走了。"]
    found = _compare(["".join(page).replace("三号船来了", "三号船沉了")], page)
    assert [each.kind for each in found.passages] == ["same", "changed", "same"]
    assert _marked(found) == [("missing", "来"), ("added", "沉")]
    assert [each.mirror for each in found.passages] == [
        "一号船开了。二号船停了。",
        "三号船沉了。",
        "四号船走了。",
    ]


def test_headings_quotes_and_items_count_and_pictures_do_not() -> None:
    mirror = [
        Block(kind="heading", text="甲"),
        Block(kind="picture", picture=0, text="说明"),
        Block(kind="quote", text="乙"),
        Block(kind="item", text="丙"),
    ]
    assert _counts(compare(mirror, _blocks(["甲", "乙", "丙"]))) == (3, 0, 0, 0)


def test_it_has_one_json_form() -> None:
    found = _compare(["一。新闻很长。", "四。"], ["一。新闻很短。", "三。"])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


# --- properties ---------------------------------------------------------------------------------

_HAN = "海湾渡轮码头清晨乘客公司冬季末班船晚上十点离开南岸新闻记者"
_WORDS = ("ferry", "harbour", "the", "old", "pier", "Monday", "leaves", "night", "boats", "said")
_chinese = st.text(_HAN, min_size=3, max_size=30).map(lambda text: f"{text}{{}}号。")
_english = st.lists(st.sampled_from(_WORDS), min_size=2, max_size=9).map(
    lambda words: f"{' '.join(words).capitalize()} no{{}} Sir. "
)
_sentences = st.lists(st.one_of(_chinese, _english), min_size=1, max_size=14).map(
    lambda made: [text.format(number) for number, text in enumerate(made)]  # no two are alike
)


def _paragraphs(sentences: Sequence[str], dice: random.Random) -> list[str]:
    """Cut anywhere between sentences."""
    found = [""]
    for sentence in sentences:
        if found[-1] and dice.random() < 0.4:
            found.append("")
        found[-1] += sentence
    return found


def _spaced(text: str, dice: random.Random) -> str:
    """Other white space: some between characters that have none, and none where some was."""
    made = []
    for char in text:
        if char.isspace() and dice.random() < 0.2:
            continue
        made.append(char)
        if char > "\u2000" and dice.random() < 0.2:
            made.append(dice.choice(" \u3000\u00a0\u200b\n\ufeff"))
    return "".join(made)


@given(st.lists(st.text()))
def test_a_text_is_the_same_as_itself(texts: list[str]) -> None:
    found = _compare(texts, texts)
    assert found.changed == found.missing == found.added == 0
    assert all(each.mirror == each.page for each in found.passages)


@given(_sentences, st.randoms(use_true_random=False))
def test_splits_joins_and_spaces_do_not_count(sentences: list[str], dice: random.Random) -> None:
    page = _paragraphs(sentences, dice)
    mirror = [_spaced(text, dice) for text in _paragraphs(sentences, dice)]
    assert _counts(_compare(mirror, page)) == (len(page), 0, 0, 0)


@given(_sentences, st.data(), st.randoms(use_true_random=False))
def test_one_deleted_sentence_is_found(
    sentences: list[str], data: st.DataObject, dice: random.Random
) -> None:
    place = data.draw(st.integers(0, len(sentences) - 1))
    page = _paragraphs(sentences, dice)
    rest = sentences[:place] + sentences[place + 1 :]
    mirror = [_spaced(text, dice) for text in _paragraphs(rest, dice)]
    found = _compare(mirror, page)
    assert _marked(found) == [("missing", _solid(sentences[place]))]
    assert found.same == len(page) - 1


@given(_sentences, st.data(), st.randoms(use_true_random=False))
def test_one_inserted_sentence_is_found(
    sentences: list[str], data: st.DataObject, dice: random.Random
) -> None:
    place = data.draw(st.integers(0, len(sentences)))
    page = _paragraphs(sentences, dice)
    more = [*sentences[:place], "这一句是镜像自己加上去的广告！", *sentences[place:]]
    mirror = [_spaced(text, dice) for text in _paragraphs(more, dice)]
    found = _compare(mirror, page)
    assert _marked(found) == [("added", "这一句是镜像自己加上去的广告！")]
    assert found.same == len(page) - found.changed
    assert found.changed + found.added == 1


@given(_sentences, st.data(), st.randoms(use_true_random=False))
def test_one_edited_sentence_is_found(sentences: list[str], data: st.DataObject, dice: random.Random) -> None:
    place = data.draw(st.integers(0, len(sentences) - 1))
    sentence = sentences[place]
    at = data.draw(st.sampled_from([i for i, char in enumerate(sentence) if char in _HAN or char == "S"]))
    edited = f"{sentence[:at]}改{sentence[at + 1 :]}"
    page = _paragraphs(sentences, dice)
    mirror = [
        _spaced(text, dice)
        for text in _paragraphs([*sentences[:place], edited, *sentences[place + 1 :]], dice)
    ]
    found = _compare(mirror, page)
    assert (found.same, found.missing, found.added, found.changed) == (len(page) - 1, 0, 0, 1)
    marked = _marked(found)
    assert {kind for kind, _ in marked} == {"missing", "added"}
    assert all(_solid(sentence).find(text) >= 0 for kind, text in marked if kind == "missing")
    assert all(_solid(edited).find(text) >= 0 for kind, text in marked if kind == "added")


_any_text = st.text(st.sampled_from("一二。. !aB1\u200b\u3000\u0301“”\n"), max_size=12)


@given(st.lists(_any_text, max_size=6), st.lists(_any_text, max_size=6))
def test_nothing_is_lost_and_every_paragraph_is_counted(mirror: list[str], page: list[str]) -> None:
    found = _compare(mirror, page)
    assert len(found.passages) == sum(_counts(found))
    assert found.same + found.changed + found.missing == len([text for text in page if _solid(text)])
    for texts, side in ((mirror, "mirror"), (page, "page")):
        given_text = _solid("".join(unicodedata.normalize("NFC", text) for text in texts))
        shown = [getattr(each, side) for each in found.passages]
        assert _solid("".join(shown)) == given_text
    for each in found.passages:
        if each.kind == "same":
            assert _solid(each.mirror) == _solid(each.page)
        if each.kind == "changed":
            assert _solid("".join(span.text for span in each.spans if span.kind != "added")) == _solid(
                each.page
            )
            assert _solid("".join(span.text for span in each.spans if span.kind != "missing")) == _solid(
                each.mirror
            )


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.lists(st.sampled_from("abcde"), max_size=30))
def test_aligned_elements_are_equal_and_as_many_as_can_be(one: list[str], other: list[str]) -> None:
    runs = align(one, other, Work(1_000_000))
    at = to = 0
    for start, begin, length in runs:
        assert start >= at
        assert begin >= to
        assert one[start : start + length] == other[begin : begin + length]
        at, to = start + length, begin + length
    assert sum(length for _, _, length in runs) == _longest_common(one, other)


@given(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=30), st.randoms(use_true_random=False))
def test_long_sequences_are_cut_at_what_stands_once(texts: list[str], dice: random.Random) -> None:
    one, other = ([text for text in texts * 20 if dice.random() < 0.98] for _ in range(2))
    places = sorted(dice.randrange(len(texts) * 15 + 1) for _ in range(20))
    for number, place in reversed(list(enumerate(places))):  # elements that stand once on each side, in order
        one.insert(place, f"once {number}")
        other.insert(place, f"once {number}")
    runs = align(one, other, Work(10_000_000))
    at = to = 0
    for start, begin, length in runs:
        assert start >= at
        assert begin >= to
        assert one[start : start + length] == other[begin : begin + length]
        at, to = start + length, begin + length
    if len(one) + len(other) > 700:
        found = [text for start, _, length in runs for text in one[start : start + length] if "once" in text]
        assert found == [f"once {number}" for number in range(20)]


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """The textbook's table."""
    row = [0] * (len(other) + 1)
    for left in one:
        before = row[:]
        for i, right in enumerate(other):
            row[i + 1] = before[i] + 1 if left == right else max(before[i + 1], row[i])
    return row[-1]


# --- size ---------------------------------------------------------------------------------------

LARGE = {
    "equal": lambda many, long: ((many, many), (long, long)),
    "every paragraph changed": lambda many, long: (
        (many, [text.replace("新闻", "新聞") for text in many]),
        (long, [long[0].replace("五", "伍", 9)]),
    ),
    "turned round": lambda many, long: ((many, many[::-1]), (long, [long[0][::-1]])),
    "nothing common": lambda many, long: ((many, ["x y z"] * len(many)), (long, ["x" * len(long[0])])),
    "one of another": lambda many, long: ((many, ["".join(many)]), (long, list(long[0][:20_000]))),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE)
def test_time_is_bounded(case: str) -> None:
    dice = random.Random(4)
    many = [f"第{number}段。这是一段新闻，很短。" for number in range(20_000)]
    long = ["".join(dice.choice("一二三四五六七八九十") for _ in range(1_000_000))]
    for mirror, page in LARGE[case](many, long):
        begun = time.process_time()
        found = _compare(mirror, page)
        assert time.process_time() - begun < 20
        assert found.same + found.changed + found.missing == len(page)


def test_work_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be paid is said to be different: never a false 'same'."""
    monkeypatch.setattr(module, "WORK", 0)
    found = _compare(["一二三四五。", "甲乙丙丁戊。", "同。"], ["一二三四六。", "甲乙丙丁己。", "同。"])
    assert (found.same, found.changed + found.missing) == (1, 2)
