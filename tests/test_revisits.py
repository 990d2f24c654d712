"""What comes again is kept as a revisit of a whole response that is there, and only then."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import archives
import msgspec
import pytest
from commands import archiver, query, records
from revisit_site import (
    DATE,
    FIRST,
    LATER,
    Site,
    answers,
    chunked,
    gzipped,
    kinds,
    not_modified,
    page,
    save,
    served,
    sized,
    stored,
    three_runs,
    warcs,
)

from archiver.manifest import manifest as commitment
from archiver.sandbox import Sandbox

PROFILE = "http://netpreserve.org/warc/1.1/revisit/"
Visited = tuple[Site, Path]


def urls(*places: str) -> tuple[str, ...]:
    return tuple(f"http://{place}" for place in places)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Visited:
    """The site, and the archive of three runs over it."""
    site, root = three_runs(), tmp_path_factory.mktemp("revisits") / "archive"
    with served(site) as flags:
        first = save(site, flags, root, *urls(*FIRST))
        second = save(site, flags, root, *urls(*FIRST, *LATER))
        third = save(site, flags, root, *urls(*FIRST, *LATER))
    assert first["fetches"] == {"captured": 12, "partial": 1, "refused": 1}
    assert second["fetches"] == {"captured": 5, "unchanged": 11, "partial": 1, "refused": 1}
    assert third["fetches"] == {"unchanged": 16, "partial": 1, "refused": 1}
    return site, root


@pytest.fixture
def copy(visited: Visited, tmp_path: Path) -> Path:
    return Path(shutil.copytree(visited[1], tmp_path / "archive"))


# --- the same payload -------------------------------------------------------------------------------

SAME = {  # turn and place: where the original came from, and its payload
    (2, "a.example/sized"): ("a.example/sized", page("sized")),
    (2, "b.example/sized"): ("a.example/sized", page("sized")),
    (2, "a.example/chunked"): ("a.example/chunked", page("chunked")),
    (2, "c.example/chunked"): ("a.example/chunked", page("chunked")),
    (2, "a.example/closed"): ("a.example/closed", page("closed")),
    (2, "a.example/coded"): ("a.example/coded", gzipped(page("coded"))),
    (2, "b.example/etag"): ("a.example/etag", page("etag")),
    (3, "a.example/sized"): ("a.example/sized", page("sized")),
    (3, "b.example/sized"): ("a.example/sized", page("sized")),
    (3, "a.example/chunked"): ("a.example/chunked", page("chunked")),
    (3, "a.example/closed"): ("a.example/closed", page("closed")),
}


@pytest.mark.parametrize(("turn", "place"), SAME)
def test_a_payload_that_the_archive_holds_is_a_revisit(visited: Visited, turn: int, place: str) -> None:
    where, payload = SAME[turn, place]
    files = [answers(path) for path in warcs(visited[1])]
    original, block = files[0][where]
    fields, kept = files[turn - 1][place]
    assert (original["WARC-Type"], "WARC-Truncated" in original) == ("response", False)
    assert len(block) > len(payload)
    assert fields["WARC-Type"] == "revisit"
    assert fields["WARC-Profile"] == PROFILE + "identical-payload-digest"
    assert fields["WARC-Refers-To"] == original["WARC-Record-ID"]
    assert fields["WARC-Refers-To-Target-URI"] == original["WARC-Target-URI"] == f"http://{where}"
    assert fields["WARC-Refers-To-Date"] == original["WARC-Date"]
    assert fields["WARC-Truncated"] == "length"  # WARC/1.1 section 6.7.2
    assert fields["Content-Type"] == "application/http; msgtype=response"
    assert not kept or kept.endswith(b"\r\n\r\n")
    assert b"<p>" not in kept
    (row,) = [row for row in records(visited[1]) if row["id"] == fields["WARC-Record-ID"].strip("<>")]
    assert row["payload_digest"] == sha256(payload)


def test_no_revisit_stands_for_a_revisit_or_a_cut_answer(visited: Visited) -> None:
    whole: set[str] = set()
    seen = 0
    for path in warcs(visited[1]):
        for _, fields, _ in stored(path):
            if fields["WARC-Type"] == "revisit":
                assert fields["WARC-Refers-To"] in whole  # and it came before
                seen += 1
            elif fields["WARC-Type"] == "response" and "WARC-Truncated" not in fields:
                whole.add(fields["WARC-Record-ID"])
    assert seen == 28


def test_another_content_coding_is_another_payload(visited: Visited) -> None:
    files = [answers(path) for path in warcs(visited[1])]
    assert files[1]["b.example/coded"][0]["WARC-Type"] == "response"
    assert files[1]["b.example/coded"][1].endswith(page("coded"))
    fields = files[2]["b.example/coded"][0]  # the next time it is one that the archive holds
    assert fields["WARC-Refers-To-Target-URI"] == "http://b.example/coded"


@pytest.mark.parametrize("name", ["cut", "small", "unasked", "moved"])
def test_what_is_cut_small_or_no_200_is_stored_each_time(visited: Visited, name: str) -> None:
    assert kinds(visited[1], f"http://a.example/{name}") == ["response"] * 3


# --- conditional requests ---------------------------------------------------------------------------

ASKED = {  # place: what was sent in the second run, and in the third
    "a.example/etag": [('"it"', None)] * 2,
    "a.example/dated": [(None, DATE)] * 2,  # its 304 had no Last-Modified: that of the response counts
    "a.example/liar": [('"l"', None)] * 2,  # the ETag of a 304 is of no body that the archive holds
    "a.example/changes": [('"1"', None), ('"2"', None)],
    "b.example/moved": [('"b"', None)] * 2,  # where the body came from
    "a.example/moved": [(None, None)] * 2,
    "b.example/etag": [(None, None)] * 2,  # another host's ETag is never used
    "a.example/odd": [(None, None)] * 2,
    "a.example/long": [(None, None)] * 2,
    "a.example/cut": [(None, None)] * 2,
    "a.example/unasked": [(None, None)] * 2,
    "a.example/sized": [(None, None)] * 2,
}


@pytest.mark.parametrize("place", ASKED)
def test_what_is_sent_to_ask_whether_it_changed(visited: Visited, place: str) -> None:
    site, _ = visited
    if place not in LATER:
        assert site.conditions(1, place) == [(None, None)]
    assert [*site.conditions(2, place), *site.conditions(3, place)] == ASKED[place]


@pytest.mark.parametrize(
    ("turn", "place", "original"),
    [
        (2, "a.example/etag", 1),
        (3, "a.example/etag", 1),
        (2, "a.example/dated", 1),
        (3, "a.example/dated", 1),
        (2, "b.example/moved", 1),
        (3, "a.example/changes", 2),
        (2, "a.example/liar", 1),  # it was changed; what counts is what the server said
    ],
)
def test_a_304_is_a_revisit_of_what_was_asked_about(
    visited: Visited, turn: int, place: str, original: int
) -> None:
    files = [answers(path) for path in warcs(visited[1])]
    before, _ = files[original - 1][place]
    fields, _ = files[turn - 1][place]
    assert before["WARC-Type"] == "response"
    assert fields["WARC-Profile"] == PROFILE + "server-not-modified"
    assert fields["WARC-Refers-To"] == before["WARC-Record-ID"]
    assert fields["WARC-Refers-To-Target-URI"] == f"http://{place}"
    assert fields["WARC-Refers-To-Date"] == before["WARC-Date"]
    assert fields["WARC-Payload-Digest"] == before["WARC-Payload-Digest"]
    assert "WARC-Truncated" not in fields  # nothing was left out


def test_a_304_that_nobody_asked_for_is_refused(visited: Visited) -> None:
    told = "SELECT DISTINCT outcome, status, unchanged FROM fetches WHERE url = 'http://a.example/unasked'"
    assert query(visited[1], told) == [("refused", 304, 0)]


def test_every_status_is_in_the_catalogue_as_the_server_sent_it(visited: Visited) -> None:
    told = "SELECT status FROM fetches WHERE url = 'http://a.example/{}' ORDER BY id"
    assert query(visited[1], told.format("etag")) == [(200,), (304,), (304,)]
    assert query(visited[1], told.format("sized")) == [(200,)] * 3


# --- the archive afterwards -------------------------------------------------------------------------


def test_the_archive_verifies_and_a_rebuild_gives_the_same_rows(copy: Path) -> None:
    code, rows, text = archiver("verify", str(copy), "--deep", "--json")
    assert (code, len(rows), rows[-1]["verdict"]) == (0, 1, "ok"), text
    tables = ("records", "fetches", "articles", "pictures", "warcs", "runs")
    before = {table: query(copy, f"SELECT * FROM {table}") for table in tables}  # noqa: S608
    for path in copy.glob("catalogue.*"):
        path.unlink()
    assert archiver("rebuild", str(copy))[0] == 0
    assert {table: query(copy, f"SELECT * FROM {table}") for table in tables} == before  # noqa: S608
    assert all(before.values()) or not before["pictures"]


def test_an_original_that_was_taken_away_is_found_missing(copy: Path, sandbox: Sandbox) -> None:
    before = archives.manifest(copy)
    gone = before.warcs[0]
    for path in (*copy.glob("catalogue.*"), copy / gone.path, copy / gone.list.path):
        path.unlink()
    rest = msgspec.structs.replace(before, warcs=before.warcs[1:])
    archives.write(copy, commitment.NAME, commitment.encode(rest))
    archives.recommit(copy, tree=True)
    everything = archives.check(copy, sandbox, deep=True)
    findings = [each for each in everything if each.code == "revisit-original"]
    assert {each.verdict for each in findings} == {"incomplete"}
    # The key and the beacon of the files after it knew it, too.
    assert {each.code for each in everything} == {"revisit-original", "beacon", "manifest-entry"}
    kept = {fields["WARC-Record-ID"] for path in warcs(copy) for _, fields, _ in stored(path)}
    left = [
        fields["WARC-Record-ID"].strip("<>")
        for path in warcs(copy)
        for _, fields, _ in stored(path)
        if fields["WARC-Type"] == "revisit" and fields["WARC-Refers-To"] not in kept
    ]
    assert sorted(each.id or "" for each in findings) == sorted(left)
    assert len(left) == 26  # all but b.example/coded and a.example/changes of the third run


# --- originals that are damaged or gone -------------------------------------------------------------


def damage(root: Path, *, kind: str) -> None:
    """Flip a bit in the middle of each record of a kind in the first WARC file."""
    path = warcs(root)[0]
    data = bytearray(path.read_bytes())
    for row in records(root):
        if row["type"] == kind:
            data[row["offset"] + row["length"] // 2] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.fixture
def small() -> Iterator[tuple[Site, tuple[str, ...]]]:
    """A site of two pages that never change: one has an ETag."""
    site = Site()

    def steady(_: object) -> list[bytes | float | str]:
        return sized(page("steady"))

    def marked(fields: object) -> list[bytes | float | str]:
        assert isinstance(fields, dict)
        known = fields.get("if-none-match") == '"m"'
        return not_modified('ETag: "m"') if known else sized(page("marked"), 'ETag: "m"')

    site.answers = {"a.example/steady": steady, "a.example/marked": marked}
    with served(site) as flags:
        yield site, flags


BOTH = urls("a.example/steady", "a.example/marked")


def test_against_a_damaged_original_nothing_is_a_revisit(
    small: tuple[Site, tuple[str, ...]], tmp_path: Path
) -> None:
    site, flags = small
    save(site, flags, tmp_path, *BOTH)
    damage(tmp_path, kind="response")
    for _ in range(2):
        save(site, flags, tmp_path, *BOTH)
    assert [site.conditions(turn, "a.example/marked") for turn in (2, 3)] == [[(None, None)], [('"m"', None)]]
    files = [answers(path) for path in warcs(tmp_path)[1:]]
    for name in ("steady", "marked"):
        (again, block), (revisit, _) = (file[f"a.example/{name}"] for file in files)
        assert (again["WARC-Type"], revisit["WARC-Type"]) == ("response", "revisit")
        assert block.endswith(page(name))
        assert revisit["WARC-Refers-To"] == again["WARC-Record-ID"]


def test_damaged_notes_stop_no_run(small: tuple[Site, tuple[str, ...]], tmp_path: Path) -> None:
    site, flags = small
    save(site, flags, tmp_path, *BOTH)
    damage(tmp_path, kind="metadata")
    summary = save(site, flags, tmp_path, *BOTH)
    assert summary["fetches"] == {"unchanged": 2}
    assert query(tmp_path, "SELECT count(*) FROM articles") == [(4,)]  # noted once more


def test_without_its_sealed_file_an_archive_is_not_extended(
    small: tuple[Site, tuple[str, ...]], tmp_path: Path
) -> None:
    site, flags = small
    save(site, flags, tmp_path, *BOTH)
    (path,) = warcs(tmp_path)
    path.unlink()
    code, _, text = archiver("archive", *BOTH, "--into", str(tmp_path), *flags)
    assert code == 4
    assert path.name in text
    assert "archiver verify" in text
    assert not list(tmp_path.glob("warcs/*.warc.gz*"))


# --- the switch -------------------------------------------------------------------------------------


SWITCH = {  # mode: type of the record that came again, end of the profile after an ETag, what is asked
    "all": ("revisit", "server-not-modified", '"m"'),
    "payload": ("revisit", "identical-payload-digest", None),
    "none": ("response", "", None),
}


@pytest.mark.parametrize("mode", SWITCH)
def test_the_switch(small: tuple[Site, tuple[str, ...]], tmp_path: Path, mode: str) -> None:
    (site, flags), (steady, marked, asked) = small, SWITCH[mode]
    for _ in range(2):
        save(site, flags, tmp_path, *BOTH, "--revisits", mode)
    second = answers(warcs(tmp_path)[1])
    assert second["a.example/steady"][0]["WARC-Type"] == steady
    assert second["a.example/marked"][0].get("WARC-Profile", "").removeprefix(PROFILE) == marked
    assert site.conditions(2, "a.example/marked") == [(asked, None)]
    unchanged = "SELECT unchanged FROM fetches WHERE purpose = 'page' ORDER BY id"
    assert query(tmp_path, unchanged) == [(0,), (0,), (1,), (1,)]  # that it is so is noted in any case


def test_small_bodies_by_the_settings(tmp_path: Path) -> None:
    site, body = Site(), page("of some size")
    site.answers = {"a.example/1": lambda _: sized(body), "b.example/1": lambda _: chunked(body[:-9], 50)}
    (tmp_path / "archiver.toml").write_text(f"[revisits]\nbytes = {len(body)}\n")
    with served(site) as flags:
        for _ in range(2):
            save(site, flags, tmp_path, *urls("a.example/1", "b.example/1"))
    second = answers(warcs(tmp_path)[1])
    assert second["a.example/1"][0]["WARC-Type"] == "revisit"
    assert second["b.example/1"][0]["WARC-Type"] == "response"
