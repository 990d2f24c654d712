"""`archiver lint`: for each rule a file that breaks it alone, and a clean one of every type of record."""

import base64
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import within
from lint_files import (
    CHUNKED,
    FIELDS,
    HEAD,
    HTTP,
    NAME,
    REQUEST,
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

from archiver.lint import RULES, Finding, Linting, Tally
from archiver.lint.digests import read_digest
from archiver.lint.rules import section

ARC = b"filedesc://a.arc 0.0.0.0 20261123120000 text/plain 75\n1 0 test\nURL IP-address Archive-date Content-type Archive-length\n\n\n\n\n\n\n\n\n\n"
ARC_RECORD = b"http://news.example/ 192.0.2.1 20261123120000 text/plain 5\nhello\n"
FIRST = "application/http; msgtype=response"


def arc(*records: bytes) -> bytes:
    block = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    line = b"filedesc://a.arc 0.0.0.0 20261123120000 text/plain %d\n" % len(block)
    return line + block + b"\n" + b"".join(records)


def found(path: Path, **options: bool) -> tuple[list[Finding], Tally, int]:
    linting = Linting([str(path)], **options)
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


SHA1 = base64.b32encode(hashlib.sha1(HTTP).digest()).decode()
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
