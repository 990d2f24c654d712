"""What the shell says of an article: contradicting times, renditions, the mirror's text and the page's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import archiver, started
from mirrored import DOCUMENT, INNER, LEAD, PICTURES, SAMPLE, Mirror, mirrored

DOCUMENTS = {"own": DOCUMENT} | ({"sample": SAMPLE.read_bytes()} if SAMPLE.exists() else {})


@pytest.fixture(scope="module", params=DOCUMENTS)
def shown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mirror, Path]]:
    with mirrored(tmp_path_factory.mktemp("mirror"), DOCUMENTS[request.param]) as mirror:
        root = tmp_path_factory.mktemp("archive") / "mine"
        code, _, text = archiver("archive", str(mirror.document), "--into", str(root), *mirror.flags)
        assert code == 0, text
        assert "differ by 788 s" in text  # said at once
        yield mirror, root


def test_times_contradict_each_other_by_788_seconds(shown: tuple[Mirror, Path]) -> None:
    mirror, root = shown
    code, rows, text = started("show", mirror.url, "--in", str(root), "--json")
    assert (code, rows[-1]) == (0, {"type": "summary", "articles": 2}), text
    document = rows[0]
    assert [(each["kind"], each["seconds"]) for each in document["contradictions"]] == [("differ", 788)]
    assert {document["contradictions"][0][side] for side in ("first", "second")} == {"comment", "printed"}
    assert [(time["clock"], time["written"]) for time in document["times"]] == [
        ("comment", "1699468744000"),
        ("printed", "Wed, 08 Nov 2023 18:25:56 GMT"),
    ]


def test_two_pictures_are_two_groups_with_their_crops_and_upload_times(shown: tuple[Mirror, Path]) -> None:
    mirror, root = shown
    pictures = archiver("show", mirror.url, "--in", str(root), "--json")[1][0]["pictures"]
    claims = [picture["rendition"] for picture in pictures]
    assert len({claim["group"] for claim in claims}) == 2
    assert [LEAD.partition("_")[0] in claims[0]["group"], INNER.partition("_")[0] in claims[1]["group"]] == [
        True,
        True,
    ]
    assert set(claims[0]["area"].split()) >= {"cx5", "cy8", "cw93"}
    assert not claims[1]["area"]
    assert [claim["width"] for claim in claims] == [900, 900]
    assert claims[0]["master"] == f"http://{PICTURES}/{LEAD.partition('_')[0]}.jpg"
    uploads = [time["value"][:22] for picture in pictures for time in picture["times"]]
    assert uploads == ["2023-11-08T18:05:07.97", "2023-11-08T18:05:07.78"]
    assert [[form["form"] for form in picture["forms"]] for picture in pictures] == [
        ["proxied", "origin"]
    ] * 2
    assert all(form["outcome"] == "whole" for picture in pictures for form in picture["forms"])


def test_the_mirrors_text_is_held_against_the_pages(shown: tuple[Mirror, Path]) -> None:
    mirror, root = shown
    document, page = archiver("show", mirror.url, "--in", str(root), "--json")[1][:2]
    assert document["text"]["page"] == page["id"]
    assert page["text"] is None
    kinds = {passage["kind"] for passage in document["text"]["passages"]}
    assert "same" not in kinds
    assert kinds


def test_people_read_the_same(shown: tuple[Mirror, Path]) -> None:
    mirror, root = shown
    code, _, text = archiver("show", "1", "--in", str(root))
    assert code == 0
    for words in (
        mirror.url,
        "differ by 788 s",
        "uploaded 2023-11-08T18:05:07",
        "crop cw93 cx5 cy8",
        "size 900",
    ):
        assert words in text


@pytest.mark.parametrize("what", ["99", "http://nowhere.example/", "nothing"])
def test_what_is_not_in_the_archive_is_said(shown: tuple[Mirror, Path], what: str) -> None:
    code, _, text = archiver("show", what, "--in", str(shown[1]))
    assert code == 2
    assert what in text


def test_show_needs_an_archive(tmp_path: Path) -> None:
    assert archiver("show", "1", "--in", str(tmp_path))[0] == 5
