"""The main job through the command line: a mirrored article archived, verified, listed in the catalogue."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import archiver, query, records, started
from mirrored import DOCUMENT, INNER, LEAD, NEWS, PICTURES, PROXY, SAMPLE, Mirror, gzip_members, mirrored
from rows import dump

from archiver.demo import encoding, scenes
from archiver.demo.site import HotLinks

DOCUMENTS = {"own": DOCUMENT} | ({"sample": SAMPLE.read_bytes()} if SAMPLE.exists() else {})


@pytest.fixture(scope="module", params=DOCUMENTS)
def mirror(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirrored(tmp_path_factory.mktemp("mirror"), DOCUMENTS[request.param]) as mirror:
        yield mirror


@pytest.fixture(scope="module")
def archive(mirror: Mirror, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archive") / "mine"
    code, rows, text = started("archive", str(mirror.document), "--into", str(root), "--json", *mirror.flags)
    assert code == 0, text
    assert rows[-1]["type"] == "summary"
    assert rows[-1]["fetches"] == {"captured": 5}
    return root


def test_document_page_and_every_form_of_both_pictures_are_kept(mirror: Mirror, archive: Path) -> None:
    responses = {row["uri"] for row in records(archive) if row["type"] == "response"}
    robots = {f"https://{NEWS}/robots.txt", f"https://{PROXY}/robots.txt", f"http://{PICTURES}/robots.txt"}
    assert responses - robots == {
        mirror.url,
        f"https://{PROXY}/?url={PICTURES}/{LEAD}",
        f"http://{PICTURES}/{LEAD}",
        f"https://{PROXY}/?url={PICTURES}/{INNER}",
        f"http://{PICTURES}/{INNER}",
    }
    assert robots <= responses
    (warc,) = archive.glob("warcs/*.warc.gz")
    resource = next(record for record in gzip_members(warc) if b"WARC-Type: resource" in record)
    assert mirror.document.read_bytes() in resource
    assert encoding.jpeg(scenes.podium()) in next(
        record for record in gzip_members(warc) if f"Target-URI: http://{PICTURES}/{LEAD}".encode() in record
    )


def test_each_pair_is_related_in_the_catalogue(archive: Path) -> None:
    pairs = query(
        archive,
        "SELECT p.number, f.form, f.proxy, f.url, x.outcome, i.format, h.value FROM forms f"
        " JOIN article_pictures p ON p.id = f.article_picture_id JOIN fetches x ON x.id = f.fetch_id"
        " JOIN pictures i ON i.payload_digest = x.payload_digest"
        " JOIN picture_hashes h ON h.payload_digest = x.payload_digest AND h.label LIKE 'phash64/%'"
        " ORDER BY f.id",
    )
    assert [(number, form, proxy, outcome) for number, form, proxy, _, outcome, _, _ in pairs] == [
        (0, "proxied", "weserv", "whole"),
        (0, "origin", None, "whole"),
        (1, "proxied", "weserv", "whole"),
        (1, "origin", None, "whole"),
    ]
    hashes = [int(row[-1], 16) for row in pairs]
    assert (hashes[0] ^ hashes[1]).bit_count() <= 4  # one photograph, re-encoded by the proxy
    assert (hashes[0] ^ hashes[3]).bit_count() > 12  # two photographs


def test_three_clocks_are_kept_apart(archive: Path) -> None:
    clocks = query(
        archive,
        "SELECT clock, value, picture FROM times JOIN articles a ON a.id = article_id"
        " WHERE a.kind = 'document'",
    )
    assert ("comment", "2023-11-08T18:39:04Z", None) in clocks
    assert ("printed", "2023-11-08T18:25:56Z", None) in clocks
    guids = [(value[:20], picture) for clock, value, picture in clocks if clock == "guid"]
    assert guids == [("2023-11-08T18:05:07.", 0), ("2023-11-08T18:05:07.", 1)]


def test_a_response_has_peer_tls_and_certificates_once_per_host(archive: Path) -> None:
    (warc,) = archive.glob("warcs/*.warc.gz")
    found = gzip_members(warc)
    secured = [r for r in found if b"Type: response" in r and f"https://{PROXY}".encode() in r]
    assert len(secured) == 3  # with its robots.txt
    assert all(b"WARC-IP-Address: 127.0.0.1" in r and b"WARC-Protocol: tls/1." in r for r in secured)
    chains = [
        row["uri"] for row in records(archive) if row.get("mime") == "application/pem-certificate-chain"
    ]
    assert set(chains) == {f"urn:archiver:certificates:{host}" for host in (NEWS, PROXY)}
    assert len(chains) == 2
    notes = [r for r in found if b'"type":"fetch"' in r and f'"url":"https://{PROXY}'.encode() in r]
    assert len(notes) == 3
    named = [re.search(rb'"certificates":"(urn:uuid:[^"]+)"', note) for note in notes]
    places = [
        next(n for n, r in enumerate(found) if b"Record-ID: <%s>" % name[1] in r) for name in named if name
    ]
    assert len(places) == 3
    assert all(place < found.index(note) for place, note in zip(places, notes, strict=True))


def test_every_record_is_well_formed(archive: Path) -> None:
    (warc,) = archive.glob("warcs/*.warc.gz")
    for record in gzip_members(warc):
        head = record.partition(b"\r\n\r\n")[0]
        assert head.startswith(b"WARC/1.1\r\n")
        assert b"\r\nWARC-Block-Digest: sha256:" in head
        assert b"WARC-Warcinfo-ID" in head or b"WARC-Type: warcinfo" in head
    assert warc.stat().st_mode & 0o222 == 0
    assert not list(archive.glob("warcs/*.open"))


def test_the_archive_verifies_and_a_rebuild_gives_the_same_rows(archive: Path) -> None:
    for flags in ([], ["--deep"]):
        code, rows, text = archiver("verify", str(archive), "--json", *flags)
        assert (code, len(rows), rows[-1]["verdict"]) == (0, 1, "ok"), text
    before = dump(archive / "catalogue.db")
    for path in archive.glob("catalogue.*"):
        path.unlink()
    assert archiver("rebuild", str(archive))[0] == 0
    assert dump(archive / "catalogue.db") == before


def test_the_archiver_says_who_it_is_and_where_it_comes_from(mirror: Mirror, archive: Path) -> None:
    seen = [request for request in mirror.world.requests if request.host == PICTURES]
    own = [each for each in seen if "newsarchiver/" in (each.user_agent or "") and each.path != "/robots.txt"]
    assert [request.referer for request in own] == [mirror.url, mirror.url]


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_without_any_network_every_failure_is_a_record(tmp_path: Path, document: bytes) -> None:
    path, root = tmp_path / "document.md", tmp_path / "archive"
    path.write_bytes(document)
    dead = [flag for port in (80, 443) for flag in ("--connect-to", f":{port}:127.0.0.1:9")]
    flags = ("--json", "--retries", "1", *dead)
    code, rows, text = archiver("archive", str(path), "--into", str(root), *flags)
    assert code == 3
    assert rows[-1]["fetches"] == {"failed": 5}
    assert "Incomplete" in text
    kept = records(root)
    assert [row["type"] for row in kept] == ["warcinfo", "resource", *["metadata"] * (len(kept) - 2)]
    told = "SELECT outcome, stage, count(*) FROM fetches WHERE purpose <> 'robots' GROUP BY 1, 2"
    assert query(root, told) == [("failed", "connect", 5)]
    tries = query(root, "SELECT url, count(*), count(retry) FROM fetches WHERE purpose = 'robots' GROUP BY 1")
    assert [count for _, *count in tries] == [[2, 1]] * 3  # each host was tried twice, and then left alone
    assert archiver("verify", str(root), "--deep")[0] == 0


def test_a_refused_picture_is_asked_for_again_without_a_referer(tmp_path: Path) -> None:
    with mirrored(tmp_path) as mirror:
        body = encoding.jpeg(scenes.street())
        links = HotLinks(("nobody.example",))  # refuses every page, serves who comes from none
        mirror.world.site.add(PICTURES, f"/{LEAD}", body, "image/jpeg", hot_links=links)
        root = tmp_path / "archive"
        code, rows, _ = archiver(
            "archive", str(mirror.document), "--into", str(root), "--json", *mirror.flags
        )
    note = next(row for row in rows if row.get("url") == f"http://{PICTURES}/{LEAD}")
    assert code == 0
    assert [(hop["status"], hop.get("attempt", "")) for hop in note["hops"]] == [
        (403, ""),
        (200, "without-referer"),
    ]
    kept = [row for row in records(root) if row["type"] == "response" and row["uri"].endswith(LEAD)]
    assert [row["status"] for row in kept if row["uri"].startswith(f"http://{PICTURES}")] == [403, 200]


def test_what_an_image_proxy_says_is_the_reason(tmp_path: Path) -> None:
    with mirrored(tmp_path) as mirror:
        mirror.world.site.add(PICTURES, f"/{LEAD}", b"gone", "text/plain", status=410)
        root = tmp_path / "archive"
        code, rows, _ = archiver(
            "archive", str(mirror.document), "--into", str(root), "--json", *mirror.flags
        )
    proxied = next(row for row in rows if row.get("url") == f"https://{PROXY}/?url={PICTURES}/{LEAD}")
    assert code == 3
    assert (proxied["outcome"], proxied["hops"][-1]["status"]) == ("refused", 404)
    assert "The requested URL returned error: 410" in proxied["reason"]


def test_a_live_page_is_archived_with_its_pictures(tmp_path: Path) -> None:
    from archiver.demo.world import DemoWorld

    with DemoWorld() as world:
        flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
        root = tmp_path / "archive"
        home = "http://www.news.example/a/7400002.html"
        code, rows, text = archiver(
            "archive", home, "--into", str(root), "--json", *flags, "--instance", world.instances[0]
        )
    pages = [row for row in rows if row["type"] == "article"]
    pictures = [row for row in rows if row["type"] == "fetch" and row["purpose"] == "picture"]
    assert [page["kind"] for page in pages] == ["page"]
    assert pictures
    assert code == (0 if all(row["outcome"] == "whole" for row in pictures) else 3), text
    assert query(root, "SELECT count(*) FROM blocks WHERE kind = 'paragraph'")[0][0] >= 3


def test_a_document_on_stdin_and_a_second_run_into_the_same_archive(tmp_path: Path) -> None:
    with mirrored(tmp_path) as mirror:
        root = tmp_path / "archive"
        assert archiver("archive", str(mirror.document), "--into", str(root), *mirror.flags)[0] == 0
        first = {path.name: path.read_bytes() for path in root.glob("warcs/*")}
        assert archiver("archive", "-", "--into", str(root), *mirror.flags, stdin=DOCUMENT)[0] == 0
    assert {path.name: path.read_bytes() for path in root.glob("warcs/*") if path.name in first} == first
    manifest = json.loads((root / "manifest.json").read_text())
    assert len(manifest["warcs"]) == len(manifest["checkpoints"]) == 2
    assert archiver("verify", str(root), "--deep")[0] == 0
    again = "SELECT count(*) FROM fetches WHERE run_id = 2 AND purpose <> 'robots'"
    assert query(root, again) == query(root, f"{again} AND unchanged") == [(5,)]
    assert query(root, "SELECT count(*) FROM records WHERE type = 'revisit'")[0][0] >= 5


def test_a_document_that_cannot_be_read_is_kept_all_the_same(tmp_path: Path) -> None:
    path, root = tmp_path / "deep.md", tmp_path / "archive"
    path.write_bytes(DOCUMENT.replace(b"<p>", b"<div>" * 100_000 + b"<p>"))
    code, rows, text = archiver("archive", str(path), "--into", str(root), "--json")
    assert code == 3
    assert [row["type"] for row in rows] == ["unreadable", "summary"]
    assert "unreadable  deep.md" in text
    assert [row["payload_bytes"] for row in records(root) if row["type"] == "resource"] == [
        path.stat().st_size
    ]
    assert query(root, "SELECT given FROM unreadable_sources") == [("deep.md",)]
    assert archiver("verify", str(root), "--deep")[0] == 0


def test_a_name_that_is_no_utf_8_and_a_reader_that_goes_away(tmp_path: Path) -> None:
    path, root = tmp_path / "document\udcff.md", tmp_path / "archive"
    path.write_bytes(DOCUMENT)
    dead = [flag for port in (80, 443) for flag in ("--connect-to", f":{port}:127.0.0.1:9")]
    command = [sys.executable, "-m", "archiver", "archive", str(path), "--into", str(root), "--json", *dead]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        running.stdout.close()  # nobody listens: the work goes on
        assert running.wait(60) == 3
    assert query(root, "SELECT given FROM articles") == [("document\\xff.md",)]
    assert archiver("verify", str(root), "--deep")[0] == 0


def test_dry_run_prints_and_writes_nothing(tmp_path: Path) -> None:
    path, root = tmp_path / "document.md", tmp_path / "archive"
    path.write_bytes(DOCUMENT)
    code, rows, _ = started("archive", str(path), "--into", str(root), "--dry-run", "--json")
    assert code == 0
    assert len([row for row in rows if row["type"] == "planned"]) == 5
    assert not root.exists()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "a picture (JPEG)"),
        (b"just text\n", "plain text that begins 'just text'"),
        (b"voa\n------\n1-1 [t](/articles/voa/1.md)\n", "plain text"),
        (b"<!DOCTYPE html><html><body><p>text</p></body></html>", "nobody says under which URL"),
    ],
)
def test_what_is_no_source_is_refused_and_nothing_is_made(tmp_path: Path, bad: bytes, why: str) -> None:
    path, root = tmp_path / "thing", tmp_path / "archive"
    path.write_bytes(bad)
    code, _, text = archiver("archive", str(path), "--into", str(root))
    assert code == 3
    assert why in text
    assert not root.exists()


def test_commands_without_an_archive_say_so(tmp_path: Path) -> None:
    for command in ("verify", "rebuild", "browse"):
        code, _, text = started(command, str(tmp_path))
        assert code == 5, text
        assert "no archive here" in text
    assert list(tmp_path.iterdir()) == []


def test_show_address_says_what_urls_mean() -> None:
    urls = [f"https://{PROXY}?url={PICTURES}/a.jpg&w=900", "http://plain.example/a b.jpg", "not a url"]
    code, rows, _ = archiver("show", "--address", "-", "--json", stdin="\n".join(urls).encode())
    assert code == 0
    assert [(row["url"], row["origin"], row["proxy"], row["parameters"]) for row in rows[:-1]] == [
        (urls[0], f"http://{PICTURES}/a.jpg", "weserv", {"w": "900"}),
        (urls[1], "http://plain.example/a%20b.jpg", None, {}),
        (urls[2], None, None, {}),
    ]


def test_every_field_that_commands_print_is_documented(mirror: Mirror, archive: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/formats.md").read_text()
    path, root = tmp_path / "document.md", tmp_path / "archive"
    path.write_bytes(DOCUMENT)
    rows = []
    for command in (
        ("archive", str(mirror.document), "--into", str(root), "--json", *mirror.flags),
        ("archive", str(path), "--into", str(root), "--json", "--dry-run"),
        ("verify", str(archive), "--json"),
        ("rebuild", str(root), "--json"),
        ("show", "--address", "nothing", "--json"),
    ):
        printed = archiver(*command)[1]
        assert printed[-1]["type"] == "summary"
        rows += printed
    assert {row["type"] for row in rows} == {"article", "fetch", "planned", "address", "summary"}
    assert [key for row in rows for key in row if f"`{key}`" not in page] == []


def test_self_hosted_proxies_are_named_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "archiver.toml").write_text('instances = ["img.example.org"]\n')
    url = "https://img.example.org/?url=pictures.example/a.jpg"
    for flags, origin in (([], url), (["--in", str(tmp_path)], "http://pictures.example/a.jpg")):
        assert archiver("show", "--address", url, "--json", *flags)[1][0]["origin"] == origin
    (tmp_path / "archiver.toml").write_text("instances = 7\n")
    code, _, text = archiver("show", "--address", url, "--in", str(tmp_path))
    assert code == 2
    assert "archiver.toml" in text


def test_the_example_archive_of_this_repository_is_intact() -> None:
    root = Path(__file__).parents[1]
    code, rows, text = started("verify", str(root), "--json")
    assert code == 0, text
    assert rows[-1]["records"] > 50


def test_a_password_in_a_url_gets_into_no_record(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    given = ("https://user:s3cret@news.example/a", "http://127.0.0.1:9/b")
    code, rows, _ = archiver("archive", *given, "--into", str(root), "--json")
    assert (code, rows[-1]["refused_sources"]) == (3, [given[0]])
    (warc,) = root.glob("warcs/*.warc.gz")
    written = b"".join(gzip_members(warc)) + b"".join(path.read_bytes() for path in root.glob("*.json"))
    assert b"s3cret" not in written
    assert b"https://news.example/a" in written  # the run's note names what was given all the same
