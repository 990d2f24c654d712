"""Claimed times that contradict each other: which pairs are told, how far apart, in which words."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.claims.contradictions import Contradiction, contradictions, span_words
from archiver.model import Article, ClaimedTime
from archiver.sources import read_document
from archiver.sources.times import claimed, from_milliseconds

SAMPLE = Path(__file__).parents[2] / "shared" / "samples" / "000_eb24c55ad338b572.txt"
COMMENT = from_milliseconds("comment", "1699468744000")
PRINTED = claimed("printed", "Wed, 08 Nov 2023 18:25:56 GMT")
UPLOADED = ClaimedTime(
    clock="guid", written="01000000-0a00-0242-1524-08dbe0853e12", value="2023-11-08T18:05:07.970000Z"
)


def _short(*times: ClaimedTime) -> list[tuple[str, str, str, float | None]]:
    return [(each.kind, each.first, each.second, each.seconds) for each in contradictions(times)]


def test_the_sample_s_clocks_differ_by_788_seconds() -> None:
    (found,) = contradictions([COMMENT, PRINTED, UPLOADED])
    assert (found.kind, found.first, found.second, found.seconds) == ("differ", "comment", "printed", 788.0)
    assert found.words == (
        "The comment and the printed date differ by 788 s (13 min 8 s); the printed date is earlier."
    )


@pytest.mark.parametrize(
    ("clock", "written", "value", "seconds"),
    [
        ("exif", "2023:11:08 18:39:05Z", "2023-11-08T18:39:05Z", 1),
        ("exif", "2023:11:08 18:00:00Z", "2023-11-08T18:00:00Z", None),
        ("exif", "2023:11:09 08:39:04", None, None),  # it may be UTC+14
        ("exif", "2023:11:09 08:39:14", None, 10),  # later, wherever it was taken
        ("iptc", "20231110", None, 55_256),
        ("iptc", "20231110 083904", None, 86_400),
        ("xmp", "2023-11-09T08:39", None, None),
        ("xmp", "2023-99-99T08:39", None, None),
        ("xmp", "0001-01-01T00:00", None, None),
        ("xmp", "some day", None, None),
    ],
)
def test_a_picture_is_taken_before_it_is_published(
    clock: str, written: str, value: str | None, seconds: float | None
) -> None:
    found = contradictions([COMMENT, ClaimedTime(clock=clock, written=written, value=value)])
    assert [(each.kind, each.first, each.seconds) for each in found] == (
        [("order", clock, seconds)] if seconds else []
    )
    if seconds and value is None:
        assert found[0].words.endswith("after the comment, the last time of publication, in every time zone.")
        assert " is at least " in found[0].words


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2023-11-08T18:39:04Z", None),
        ("2023-11-09T02:39:04+08:00", None),
        ("2023-11-08T18:39:04.999Z", None),  # less than a second
        ("2023-11-08T18:39:05Z", 1.0),
        ("2023-11-08T18:39:02.500Z", 1.5),
        ("2024-11-08T18:39:04Z", 366 * 86400.0),
    ],
)
def test_a_second_is_a_difference(written: str, seconds: float | None) -> None:
    expected = [] if seconds is None else [("differ", "comment", "meta", seconds)]
    assert _short(COMMENT, claimed("meta", written)) == expected


def test_clocks_that_agree_share_an_entry() -> None:
    same = [claimed(clock, PRINTED.written) for clock in ("json-ld-published", "meta")]
    found = contradictions([COMMENT, PRINTED, *same, claimed("time-element", "2023-11-08T18:39:04Z")])
    assert [(each.first, each.second) for each in found] == [("comment", "printed")]
    assert "the printed date (and the JSON-LD date, the <meta> element) differ by 788 s" in found[0].words


def test_a_clock_of_many_claims_is_named_with_the_farthest() -> None:
    many = [claimed("time-element", f"2023-11-08T18:{minute:02}:04Z") for minute in range(60)]
    assert _short(COMMENT, *many) == [("differ", "comment", "time-element", 39 * 60.0)]
    (found,) = contradictions(many)
    assert found.words == "Two claims of the <time> element differ by 3,540 s (59 min); the second is later."


def test_changes_come_after_publication() -> None:
    early, late = (
        claimed("json-ld-modified", "2023-11-08T18:00:00Z"),
        claimed("meta-modified", "2023-11-08T20:00:00Z"),
    )
    assert _short(PRINTED, COMMENT, late) == [("differ", "printed", "comment", 788.0)]
    assert _short(PRINTED, early, late) == [("order", "json-ld-modified", "printed", 1556.0)]
    # Between two times of publication a change contradicts neither for certain.
    between = claimed("feed-updated", "2023-11-08T18:30:00Z")
    assert [each[0] for each in _short(COMMENT, PRINTED, between)] == ["differ"]
    assert _short(early, late) == []


def test_pictures_are_uploaded_before_publication() -> None:
    late = msgspec.structs.replace(UPLOADED, value="2023-11-08T19:00:00Z")
    later = msgspec.structs.replace(UPLOADED, value="2023-11-08T20:00:00Z")
    assert _short(PRINTED, UPLOADED) == []
    assert _short(PRINTED, late, UPLOADED, later) == [("order", "guid", "printed", 5644.0)]
    assert _short(COMMENT, PRINTED, late)[1] == ("order", "guid", "comment", 1256.0)
    assert _short(late) == []


def test_nan_is_a_missing_claim_and_no_zone_an_unreadable_one() -> None:
    found = contradictions(
        [claimed("printed", "26/09/2023 - 10:44"), from_milliseconds("comment", "NaN"), claimed("meta", " ")]
    )
    assert [(each.kind, each.first, each.second, each.seconds) for each in found] == [
        ("missing", "comment", "", None),
        ("missing", "meta", "", None),
        ("unreadable", "printed", "", None),
    ]
    assert found[0].words == (
        "The comment claims no time (NaN); the mirror's writer could not read the feed's time."
    )
    assert "“26/09/2023 - 10:44”, names no one moment" in found[2].words
    assert _short(claimed("meta", "2023-11-08 18:39:04"), COMMENT) == [("unreadable", "meta", "", None)]


def test_unknown_clocks_are_publication() -> None:
    assert _short(COMMENT, claimed("sundial", "2023-11-08T18:39:14Z")) == [
        ("differ", "comment", "sundial", 10.0)
    ]


_clocks = st.sampled_from(
    ["comment", "printed", "meta", "meta-modified", "feed-published", "feed-updated", "guid", "x"]
)
_times = st.lists(
    st.builds(
        claimed, _clocks, st.one_of(st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"), st.text())
    ),
    max_size=50,
)


@given(_times)
def test_any_claims_give_few_entries(times: list[ClaimedTime]) -> None:
    found = contradictions(times)
    clocks = {each.clock for each in times}
    assert len(found) <= 2 * len(clocks)
    assert len({(each.kind, each.first, each.second) for each in found}) == len(found)
    for each in found:
        assert {each.first, each.second} <= {*clocks, ""}
        assert (each.seconds is None) == (each.kind in {"missing", "unreadable"})
        assert each.seconds is None or each.seconds >= 1
        assert each.words.endswith(".")
    assert msgspec.json.decode(msgspec.json.encode(found), type=tuple[Contradiction, ...]) == found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (1.5, "1.5 s"),
        (788, "13 min 8 s"),
        (3600, "1 h"),
        (90061, "1 d 1 h"),
        (2016.03, "33 min 36.03 s"),
    ],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span_words(seconds) == words


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample is not part of the repository")
def test_the_sample_document_itself() -> None:
    article = msgspec.convert(read_document(SAMPLE.read_bytes()), Article)
    assert _short(*article.times, UPLOADED) == [("differ", "comment", "printed", 788.0)]
