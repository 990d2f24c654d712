"""`archiver lint`: for each rule a file that breaks it alone, and a clean one of every type of record."""

import base64
import gzip
import hashlib
import os
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import archiver, within
from foreign_files import wacz as zipped
from hypothesis import given, settings
from hypothesis.strategies import DataObject, data, integers, sampled_from
from lint_files import (
    CHUNKED,
    HTTP,
    NAME,
    clean,
    continuation,
    conversion,
    first_segment,
    metadata,
    number,
    packed,
    record,
    request,
    resource,
    response,
    revisit,
    sha256,
    warcinfo,
)
from lint_wacz_files import contents, described
from wide import WIDE

from archiver.lint import RULES, Finding, Linting, Tally, ranges, references, run
from archiver.lint.digests import read_digest
from archiver.lint.forks import Forks, Lost
from archiver.lint.rules import section

ARC_RECORD = b"http://news.example/ 192.0.2.1 20261123120000 text/plain 5\nhello\n"


def arc(*records: bytes) -> bytes:
    block = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    line = b"filedesc://a.arc 0.0.0.0 20261123120000 text/plain %d\n" % len(block)
    return line + block + b"\n" + b"".join(records)


def found(path: Path, **options: bool) -> tuple[list[Finding], Tally, int]:
    linting = Linting([str(path)], **options)
    linting.start()
    rows = list(linting.findings())
    return [row for row in rows if isinstance(row, Finding)], linting.tallies[0], linting.exit_code


def codes(folder: Path, data: bytes, name: str) -> list[str]:
    path = folder / name
    path.write_bytes(data)
    return [each.code for each in found(path)[0]]


def with_(*records: bytes) -> bytes:
    """After a warcinfo record, each in a member of its own."""
    return packed(warcinfo(), *records)


def raw(old: bytes, new: bytes) -> bytes:
    """A response whose header has other bytes."""
    made = response()
    assert old in made
    return with_(made.replace(old, new, 1))


MD5 = base64.b64encode(hashlib.md5(HTTP).digest()).decode()
BROKEN: dict[str, bytes] = {
    "not-recognised": b"The monkeys are a coming!\r\n",
    "empty": b"",
    "damaged": with_(response()) + b"garbage that is no record",
    "gzip-damaged": with_(response())[:-40],
    "mixed": with_(response()) + resource(),
    "version-unknown": raw(b"WARC/1.1", b"WARC/1.9"),
    "line-ending": raw(b"WARC-IP-Address: 192.0.2.1\r\n", b"WARC-IP-Address: 192.0.2.1\n"),
    "header-line": raw(b"WARC-IP-Address: 192.0.2.1\r\n", b"WARC-IP-Address: 192.0.2.1\r\nno name\r\n"),
    "header-encoding": with_(response({"X-Note": "caf\udce9"})),
    "header-control": with_(response({"X-Note": "a\x07b"})),
    "record-end": with_(response(end=b"\r\n")),
    "length-mismatch": with_(response({"Content-Length": "9999", "WARC-Block-Digest": None})),
    "field-repeated": with_(response({"WARC-Date#2": "2026-11-23T12:00:00Z"})),
    "id-missing": with_(response({"WARC-Record-ID": None})),
    "id-form": with_(response({"WARC-Record-ID": "urn:uuid:1"})),
    "id-taken": with_(response(), resource({"WARC-Record-ID": number(2)})),
    "length-missing": with_(record("resource", 4, b"", {"Content-Length": None})),
    "length-form": with_(record("resource", 4, b"", {"Content-Length": "none"})),
    "date-missing": with_(response({"WARC-Date": None})),
    "date-form": with_(response({"WARC-Date": "2026-13-01T00:00:00Z"})),
    "date-of-event": with_(response(), request({"WARC-Date": "2026-11-23T12:00:01Z"})),
    "type-missing": with_(resource({"WARC-Type": None})),
    "type-form": with_(resource({"WARC-Type": "two words"})),
    "media-type-form": with_(resource({"Content-Type": "text"})),
    "msgtype": with_(response({"Content-Type": "application/http; msgtype=request"})),
    "concurrent-form": with_(response({"WARC-Concurrent-To": "nothing", "WARC-Record-ID": number(2)})),
    "concurrent-forbidden": with_(response(), conversion({"WARC-Concurrent-To": number(2)})),
    "block-digest-form": with_(response({"WARC-Block-Digest": "sha256:00"})),
    "block-digest": with_(response({"WARC-Block-Digest": sha256(b"")})),
    "payload-digest-form": with_(response({"WARC-Payload-Digest": "sha1"})),
    "payload-digest": with_(response({"WARC-Payload-Digest": sha256(b"else")})),
    "payload-forbidden": with_(response(), metadata({"WARC-Payload-Digest": sha256(b"via: x\r\n")})),
    "ip-form": with_(response({"WARC-IP-Address": "192.0.2.256"})),
    "ip-forbidden": with_(response(), conversion({"WARC-IP-Address": "192.0.2.1"})),
    "refers-form": with_(revisit({"WARC-Refers-To": "urn:x:y z"})),
    "refers-forbidden": with_(response(), resource({"WARC-Refers-To": number(2)})),
    "refers-uri-form": with_(response(), revisit({"WARC-Refers-To-Target-URI": "news"})),
    "refers-uri-forbidden": with_(resource({"WARC-Refers-To-Target-URI": "http://news.example/"})),
    "refers-date-form": with_(response(), revisit({"WARC-Refers-To-Date": "yesterday"})),
    "refers-date-forbidden": with_(resource({"WARC-Refers-To-Date": "2026-11-23T12:00:00Z"})),
    "uri-missing": with_(resource({"WARC-Target-URI": None})),
    "uri-form": with_(resource({"WARC-Target-URI": "http://news.example/a b"})),
    "uri-forbidden": packed(warcinfo({"WARC-Target-URI": "http://news.example/"})),
    "truncated-form": with_(resource({"WARC-Truncated": "too long"})),
    "warcinfo-id-form": with_(resource({"WARC-Warcinfo-ID": "1"})),
    "warcinfo-id-forbidden": packed(warcinfo({"WARC-Warcinfo-ID": number(1)})),
    "filename-forbidden": with_(resource({"WARC-Filename": NAME})),
    "filename-form": packed(warcinfo({"WARC-Filename": ""})),
    "profile-missing": with_(response(), revisit({"WARC-Profile": None})),
    "profile-form": with_(response(), revisit({"WARC-Profile": "hello kitty"})),
    "identified-form": with_(resource({"WARC-Identified-Payload-Type": "picture"})),
    "identified-forbidden": packed(warcinfo({"WARC-Identified-Payload-Type": "text/plain"})),
    "segment-missing": with_(first_segment(), continuation({"WARC-Segment-Number": None})),
    "segment-form": with_(first_segment({"WARC-Segment-Number": "one"})),
    "segment-number": with_(first_segment({"WARC-Segment-Number": "2"})),
    "origin-missing": with_(first_segment(), continuation({"WARC-Segment-Origin-ID": None})),
    "origin-form": with_(first_segment(), continuation({"WARC-Segment-Origin-ID": "8"})),
    "origin-forbidden": with_(response(), first_segment({"WARC-Segment-Origin-ID": number(2)})),
    "total-form": with_(first_segment(), continuation({"WARC-Segment-Total-Length": "ten"})),
    "total-forbidden": with_(first_segment({"WARC-Segment-Total-Length": "5"})),
    "resource-dns": with_(resource({"WARC-Target-URI": "dns:news.example"})),
    "revisit-digest": with_(response(), revisit({"WARC-Payload-Digest": None})),
    "revisit-truncated": with_(response(), revisit({"WARC-Truncated": None})),
    "segment-uri": with_(first_segment(), continuation({"WARC-Target-URI": "http://news.example/2"})),
    "segment-total": with_(first_segment(), continuation({"WARC-Segment-Total-Length": "11"})),
    "version-draft": with_(response(version="0.17")),
    "version-case": raw(b"WARC/1.1", b"warc/1.1"),
    "folded": raw(b"WARC-IP-Address: 192", b"WARC-IP-Address:\r\n 192"),
    "between-records": with_(b"\r\n" + response()),
    "record-repeated": with_(response(), response()),
    "date-case": with_(response({"WARC-Date": "2026-11-23t12:00:00z"})),
    "type-unknown": with_(resource({"WARC-Type": "screenshot"})),
    "warcinfo-first": packed(response()),
    "media-type-missing": with_(resource({"Content-Type": None})),
    "concurrent-uri": with_(response(), metadata({"WARC-Target-URI": "http://news.example/2"})),
    "digest-algorithm": with_(response({"WARC-Block-Digest": "blake3:00"})),
    "digest-encoding": with_(response({"WARC-Block-Digest": f"md5:{MD5}"})),
    "payload-reading": with_(
        response({"WARC-Payload-Digest": sha256(CHUNKED.partition(b"\r\n\r\n")[2])}, CHUNKED)
    ),
    "ip-not-canonical": with_(response({"WARC-IP-Address": "2001:DB8:0:0::1"})),
    "reference-missing": with_(conversion()),
    "reference-type": with_(response(), resource({"WARC-Warcinfo-ID": number(2)})),
    "uri-brackets": with_(resource({"WARC-Target-URI": "<http://news.example/>"})),
    "truncated-unknown": with_(resource({"WARC-Truncated": "boredom"})),
    "filename-other": packed(warcinfo({"WARC-Filename": "other.warc.gz"})),
    "profile-unknown": with_(response(), revisit({"WARC-Profile": "http://news.example/profile"})),
    "profile-undefined": with_(resource({"WARC-Profile": "http://news.example/profile"})),
    "warcinfo-type": packed(warcinfo({"Content-Type": "text/plain"})),
    "fields-block": with_(response(), metadata({}, b"no list\r\n")),
    "http-type": with_(response({"Content-Type": "text/plain", "WARC-Payload-Digest": None})),
    "http-message": with_(response({"WARC-Payload-Digest": None}, b"hello")),
    "http-cut": with_(response({"WARC-Payload-Digest": sha256(b"hell")}, HTTP[:-1])),
    "ip-missing": with_(response({"WARC-IP-Address": None})),
    "resource-http": with_(resource({"Content-Type": "application/http"})),
    "revisit-refers": with_(response(), revisit({"WARC-Refers-To-Date": None})),
    "conversion-refers": with_(response(), conversion({"WARC-Refers-To": None})),
    "segment-gap": with_(first_segment(), continuation({"WARC-Segment-Number": "3"})),
    "segment-discouraged": with_(response(), request({"WARC-Segment-Number": "1"})),
    "compression": gzip.compress(warcinfo() + response(), mtime=0),
    "suffix": warcinfo() + response(),
}
ARCS: dict[str, bytes] = {
    "arc-version": arc(ARC_RECORD).replace(b"1 0 test\n", b"x x test\n"),
    "arc-header": arc(ARC_RECORD.replace(b"text/plain 5", b"text/plain more words 5")),
    "arc-date": arc(ARC_RECORD.replace(b"20261123120000", b"20261399120000")),
    "arc-ip": arc(ARC_RECORD.replace(b"192.0.2.1", b"999.0.2.1")),
    "arc-damaged": arc(ARC_RECORD) + b"garbage" * 3,
    "arc-length": arc(ARC_RECORD.replace(b"plain 5", b"plain 500")),
    "arc-newline": arc(ARC_RECORD[:-1], ARC_RECORD),
}
SOUND = [packed(*clean()), b"".join(clean()), arc(ARC_RECORD, ARC_RECORD), zipped(described(contents()))]
ELSEWHERE = {"header-cut", "too-large", "references-unjudged"} | {
    code for code, rule in RULES.items() if rule.section.startswith(("WACZ", "wacz", "CDXJ", "docs"))
}
ALSO = {  # what cannot be broken without breaking another
    "version-unknown": {"damaged"},
    "empty": set(),
    "length-missing": set(),
    "warcinfo-first": set(),
}


@pytest.mark.parametrize("code", BROKEN)
def test_each_rule_is_broken_alone(tmp_path: Path, code: str) -> None:
    assert set(codes(tmp_path, BROKEN[code], NAME)) - ALSO.get(code, set()) == {code}


@pytest.mark.parametrize("code", ARCS)
def test_each_rule_of_arc_is_broken_alone(tmp_path: Path, code: str) -> None:
    assert set(codes(tmp_path, ARCS[code], "a.arc")) == {code}


def test_every_rule_has_its_file() -> None:
    assert set(RULES) == {*BROKEN, *ARCS, *ELSEWHERE}


@pytest.mark.parametrize("name", [NAME, "clean.warc"])
def test_a_clean_file_raises_nothing(tmp_path: Path, name: str) -> None:
    records = clean(name)
    path = tmp_path / name
    path.write_bytes(packed(*records) if name == NAME else b"".join(records))
    findings, tally, code = found(path, strict=True)
    assert (findings, code) == ([], 0)
    assert (tally.records, tally.block_digests, tally.payload_digests) == (9, 9, 2)


def test_warc_1_0_is_judged_by_its_own_rules(tmp_path: Path) -> None:
    """Dates have seconds, URIs may be in brackets, and a revisit needs fewer fields."""
    first = warcinfo(version="1.0")
    old = response({"WARC-Target-URI": "<http://news.example/>"}, version="1.0")
    assert codes(tmp_path, packed(first, old), NAME) == []
    exact = response({"WARC-Date": "2026-11-23T12:00:00.123456Z"}, version="1.0")
    assert codes(tmp_path, packed(first, exact), NAME) == ["date-form"]
    assert codes(tmp_path, with_(response({"WARC-Date": "2026-11"})), NAME) == []
    assert section("uri-form", "WARC/1.0") == "WARC/1.0 5.12"
    assert section("uri-form", "WARC/1.1") == "WARC/1.1 5.14"
    assert section("suffix", "WARC/1.0") == "WARC/1.0 Annex A.3"


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_digests_are_read_in_every_encoding(algorithm: str) -> None:
    value = hashlib.new(algorithm, b"hello").digest()
    base32 = base64.b32encode(value).decode()
    for written, odd in {
        value.hex(): False,
        value.hex().upper(): False,
        base32: "=" in base32,
        base32.rstrip("="): "=" in base32,
        base32.lower(): True,
        base64.b64encode(value).decode(): True,
        base64.urlsafe_b64encode(value).decode().rstrip("="): True,
    }.items():
        read = read_digest(f"{algorithm}:{written}".encode())
        assert read is not None
        assert (read.of(b"hello"), read.of(b"hellp"), read.odd) == (True, False, odd), written
    assert read_digest(f"{algorithm}:{value.hex()[2:]}".encode()) is None


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n\n", b"WARC/1.1\r\n", b"\0" * 99, b"\x1f\x8b\x08junk"])
def test_what_follows_is_said_and_what_is_before_is_read(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(packed(*clean()) + end)
    findings, tally, _ = found(path)
    assert tally.records == 9
    assert bool(findings) == bool(end)


def test_a_header_that_has_no_end_is_explained(tmp_path: Path) -> None:
    assert codes(tmp_path, warcinfo() + b"WARC/1.1\r\nWARC-Type: resource\r\n", "clean.warc") == [
        "filename-other",
        "damaged",
        "header-cut",
    ]


def test_more_records_than_can_be_held_against_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "MOST_RECORDS", 3)
    assert codes(tmp_path, packed(*clean()), NAME) == ["references-unjudged"]


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(packed(*clean()))
    (tmp_path / "notes.txt").write_text("not of the kind")
    assert within("lint", str(tmp_path), "--strict")[0] == 0
    bad = tmp_path / "bad.warc.gz"
    bad.write_bytes(with_(*(response({"WARC-IP-Address": "x"}) for _ in range(5))))
    code, rows, _ = within("lint", str(tmp_path), "--json")
    assert code == 4
    assert [row["type"] for row in rows].count("file") == 2
    finding = next(row for row in rows if row["type"] == "finding" and row["code"] == "ip-form")
    assert finding == {
        "type": "finding",
        "file": str(bad),
        "offset": finding["offset"],
        "record": number(2).strip("<>"),
        "code": "ip-form",
        "section": "WARC/1.1 5.10",
        "severity": "error",
        "message": "WARC-IP-Address 'x'",
    }
    assert rows[-1] == {
        "type": "summary",
        "files": 2,
        "records": 15,
        "bytes": rows[-1]["bytes"],
        "errors": 5,
        "warnings": 5,
        "block_digests": 15,
        "payload_digests": 7,
        "unjudged": 0,
        "exit_code": 4,
    }
    text = within("lint", str(bad))[2]
    assert "error ip-form, 5 times (WARC/1.1 5.10): " in text
    assert "… and 2 more; --json has all" in text


def test_exit_codes(tmp_path: Path) -> None:
    warned = tmp_path / NAME
    warned.write_bytes(BROKEN["warcinfo-first"])
    assert within("lint", str(warned))[0] == 0
    assert within("lint", str(warned), "--strict")[0] == 4
    assert within("lint", str(tmp_path / "none.warc"))[0] == 2
    (tmp_path / "empty").mkdir()
    assert within("lint", str(tmp_path / "empty"))[0] == 2
    assert archiver("lint", "-", stdin=packed(*clean()))[0] == 0
    assert archiver("lint", "-", stdin=b"")[0] == 4


def test_every_code_is_explained() -> None:
    text = (Path(__file__).parent.parent / "docs/lint.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| (error|warning) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert {row[0]: row[1:] for row in rows} == {
        code: (rule.severity, rule.section, rule.words) for code, rule in RULES.items()
    }


def nested() -> bytes:
    """A file of many members, one of which holds a WARC file as it is, and one that is damaged."""
    inner = packed(*(response(which=which) for which in range(100, 140)))
    held = gzip.compress(resource({}, inner), 0, mtime=0)
    many = [packed(response(which=which)) for which in range(200, 260)]
    torn = packed(response(which=300))[:-30]
    return packed(*clean()) + b"".join(many[:30]) + held + torn + b"".join(many[30:])


@pytest.mark.parametrize(
    "last", [b"", packed(response(which=400) + response(which=401))], ids=["", "several"]
)
def test_ranges_tell_the_same_as_one_walk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    path = tmp_path / NAME
    path.write_bytes(nested() + last + packed(*(response(which=which) for which in range(500, 520))))
    one = found(path)
    shared(monkeypatch)
    assert found(path) == one
    assert one[1].records == 9 + 60 + 1 + 20 + (2 if last else 0)


def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on small files are shared among two forks, too."""
    monkeypatch.setattr(run, "LEAST_BYTES", 1000)
    monkeypatch.setattr(ranges, "RANGE_BYTES", 4096)
    monkeypatch.setattr(run, "processes", lambda: 2)


def rows(linting: Linting) -> list[Finding | Tally]:
    return list(linting.findings())


def test_forks_tell_the_same_of_many_files_also_when_they_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, broken in sorted(BROKEN.items())[:20]:
        (tmp_path / f"{key}.warc").write_bytes(broken)
    (tmp_path / NAME).write_bytes(nested())
    (tmp_path / "empty.warc.gz").touch()
    names = [str(tmp_path), str(tmp_path / "missing")]
    one = rows(Linting(names))
    shared(monkeypatch)
    for killed in (0, 1, 2):
        linting = Linting(names)
        linting.start()
        assert linting._forks is not None
        for child in linting._forks._children[:killed]:
            os.kill(child, signal.SIGKILL)
        assert rows(linting) == one
        assert linting.tallies == [row for row in one if isinstance(row, Tally)]
        assert linting._forks._children == []


def test_a_fork_that_ends_is_told_and_the_others_go_on() -> None:
    def work(task: int) -> Iterator[int]:
        yield from range(1000)
        if task == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    forks = Forks(range(6), work, 2)
    try:
        assert [list(forks.of(0)), list(forks.of(1))] == [[*range(1000)]] * 2
        with pytest.raises(Lost):
            list(forks.of(2))
        assert next(forks.of(3)) == 0
        assert list(forks.of(5)) == [*range(1000)]
    finally:
        forks.close()


@settings(deadline=None, max_examples=60 if not WIDE else 3000)
@given(data())
def test_any_change_ends_in_findings(drawn: DataObject) -> None:
    """Bytes overwritten, cut out or doubled: no traceback, and all of the file is accounted for."""
    whole = drawn.draw(sampled_from(SOUND))
    at = drawn.draw(integers(0, len(whole)))
    size = drawn.draw(integers(0, 40))
    put = drawn.draw(sampled_from([b"", b"\0", b"\xff" * 9, b"\r\n\r\n", b"Content-Length: 999999999\r\n"]))
    changed = whole[:at] + put + whole[at + size :]
    with tempfile.NamedTemporaryFile(suffix=".warc") as file:
        file.write(changed)
        file.flush()
        findings, tally, _ = found(Path(file.name))
    assert all(each.code in RULES for each in findings)
    assert tally.unjudged or tally.kind in ("unknown", "") or tally.bytes in (len(changed), 0)
