"""`archiver lint` of WACZ files: for each rule a file that breaks it alone, signatures, and hostile ZIPs."""

import base64
import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign_files import wacz as zipped
from lint_files import packed, response, sha256
from lint_wacz_files import (
    INDEX,
    PAGES,
    WARC,
    anonymous,
    chunked,
    contents,
    described,
    digest_file,
    line,
)

from archiver.errors import RecordError
from archiver.lint import RULES, Finding, Linting
from archiver.lint.wacz.judge import wacz_state

Files = dict[str, bytes]
PACKAGE, DIGEST = "datapackage.json", "datapackage-digest.json"
OF_DOMAINS = {"signature-expired", "signature-window", "signature-domain", "signature-chain"}
OF_DOMAINS |= {"signature-time", "signature-unrooted", "proof-bad"}  # test_lint_signed.py


def judged(folder: Path, data: bytes, name: str = "a.wacz") -> set[str]:
    path = folder / name
    path.write_bytes(data)
    return {each.code for each in Linting([str(path)]).findings() if isinstance(each, Finding)}


def with_(change: Callable[[Files], Any], **package: Any) -> bytes:
    files = contents()
    change(files)
    return zipped(described(files, lambda described: described.update(package)))


def resource(**changes: Any) -> bytes:
    """The first resource of datapackage.json has other values."""

    def change(package: dict[str, Any]) -> None:
        package["resources"][0] |= changes

    return zipped(described(contents(), change))


def after(change: Callable[[Files], Any]) -> bytes:
    """Files changed when they are described."""
    files = described(contents())
    change(files)
    return zipped(files)


def signed(**changes: Any) -> bytes:
    files = described(contents())
    files[DIGEST] = digest_file(files[PACKAGE], anonymous(files[PACKAGE], **changes))
    return zipped(files)


def index(**changes: Any) -> bytes:
    files = contents()
    offset = json.loads(files[INDEX].partition(b"{")[1] + files[INDEX].partition(b"{")[2])["offset"]
    return with_(lambda each: each.update({INDEX: line(offset, files[WARC][offset:], **changes)}))


def named(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def twice() -> bytes:
    out = io.BytesIO(zipped(described(contents())))
    with zipfile.ZipFile(out, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr(PAGES, b"")
    return out.getvalue()


def lone() -> Files:
    files = contents()
    files["indexes/index.cdx.gz"] = gzip.compress(files.pop(INDEX), mtime=0)
    return files


def blocks(**changes: Any) -> bytes:
    """A compressed index with the index of its blocks."""
    files = lone()
    block = files["indexes/index.cdx.gz"]
    entry = {"offset": 0, "length": len(block), "digest": sha256(block), "filename": "index.cdx.gz"} | changes
    files["indexes/index.idx"] = b"!meta 0 {}\nexample,news)/ " + json.dumps(entry).encode() + b"\n"
    return zipped(described(files))


BROKEN: dict[str, Callable[[], bytes]] = {
    "zip-damaged": lambda: zipped(described(contents()))[:-30],
    "zip-name": twice,
    "zip-compressed": lambda: zipped(described(lone()), ("indexes/index.cdx.gz",)),
    "zip-deflated": lambda: zipped(described(contents()), (WARC,)),
    "zip-bomb": lambda: zipped(described(contents() | {"zeros": bytes(30 << 20)}), ("zeros",)),
    "wacz-no-warc": lambda: with_(lambda files: (files.pop(WARC), files.update({INDEX: b""}))),
    "wacz-foreign-file": lambda: with_(lambda files: files.update({"pages/notes.txt": b""})),
    "package-missing": lambda: after(lambda files: files.pop(PACKAGE)),
    "package-form": lambda: with_(lambda _: None, profile="wacz"),
    "package-version": lambda: with_(lambda _: None, wacz_version="9.0"),
    "package-unlisted": lambda: after(lambda files: files.update({"more": b""})),
    "package-absent": lambda: after(lambda files: files.pop(PAGES)),
    "package-twice": lambda: with_(lambda files: files.update({"more/pages.jsonl": b""})),
    "package-hash": lambda: resource(hash=sha256(b"")),
    "package-bytes": lambda: resource(bytes=1),
    "package-name": lambda: resource(name="Data.WARC"),
    "package-date": lambda: with_(lambda _: None, created="yesterday"),
    "digest-missing": lambda: after(lambda files: files.pop(DIGEST)),
    "digest-file": lambda: after(lambda files: files.update({DIGEST: b"[]"})),
    "digest-hash": lambda: after(lambda files: files.update({DIGEST: digest_file(b"")})),
    "signature-form": lambda: signed(more="properties"),
    "signature-hash": lambda: signed(hash=sha256(b"")),
    "signature-created": lambda: signed(created="2026-11-23T12:31:00Z"),
    "signature-bad": lambda: signed(signature=base64.b64encode(bytes(95) + b"\1").decode()),
    "pages-missing": lambda: with_(lambda files: files.pop(PAGES)),
    "pages-form": lambda: with_(lambda files: files.update({PAGES: files[PAGES] + b'{"url": "x"}\n'})),
    "pages-not-indexed": lambda: with_(
        lambda files: files.update({PAGES: files[PAGES].replace(b"T12:00", b"T13:00")})
    ),
    "index-missing": lambda: with_(lambda files: files.pop(INDEX)),
    "index-line": lambda: index(mime=None),
    "index-order": lambda: with_(lambda files: files.update({INDEX: files[INDEX] + b"a" + files[INDEX]})),
    "index-record": lambda: index(length=7),
    "index-digest": lambda: index(recordDigest=sha256(b"")),
    "index-lost": lambda: with_(lambda files: files.update({WARC: files[WARC] + packed(response(which=9))})),
    "index-lone": lambda: zipped(described(lone())),
}
ALSO = {
    "package-absent": {"pages-missing"},
    "wacz-no-warc": {"pages-not-indexed"},
    "zip-bomb": {"package-hash"},
    "zip-compressed": {"index-lone"},
    "zip-deflated": {"zip-compressed"},
    "signature-hash": {"signature-bad"},
}


@pytest.mark.parametrize("code", BROKEN)
def test_each_rule_of_wacz_is_broken_alone(tmp_path: Path, code: str) -> None:
    assert judged(tmp_path, BROKEN[code]()) - ALSO.get(code, set()) == {code}


def test_every_rule_of_wacz_has_its_file() -> None:
    texts = ("WACZ", "wacz", "CDXJ", "docs")
    here = {code for code, rule in RULES.items() if rule.section.startswith(texts)}
    assert here == {*BROKEN, "zip-suffix"} | OF_DOMAINS


@pytest.mark.parametrize("files", [contents, chunked], ids=["plain", "chunked"])
def test_a_clean_wacz_raises_nothing(tmp_path: Path, files: Callable[[], Files]) -> None:
    assert judged(tmp_path, zipped(described(files()), (PAGES,))) == set()
    assert judged(tmp_path, signed()) == set()
    assert judged(tmp_path, blocks()) == set()
    assert judged(tmp_path, signed(), "a.zip") == {"zip-suffix"}


def test_blocks_of_a_compressed_index_are_held_against_their_index(tmp_path: Path) -> None:
    assert judged(tmp_path, blocks(digest=sha256(b""))) == {"index-digest"}
    assert judged(tmp_path, blocks(offset=1 << 40)) == {"index-record"}
    assert judged(tmp_path, blocks(length="none")) == {"index-line"}


def test_an_index_may_write_digests_and_numbers_in_other_ways(tmp_path: Path) -> None:
    assert judged(tmp_path, index(digest=sha256(b"hello").removeprefix("sha256:"), status=200)) == set()
    assert judged(tmp_path, index(digest=sha256(b"else"))) == {"index-digest"}


def test_wacz_state_says_whether_hashes_and_signature_hold(tmp_path: Path) -> None:
    def state(data: bytes) -> tuple[bool, str, bool]:
        found = wacz_state(io.BytesIO(data))
        return found.hashes, found.signature.kind, found.signature.holds

    assert state(signed()) == (True, "anonymous", True)
    assert state(BROKEN["signature-bad"]()) == (True, "anonymous", False)
    assert state(BROKEN["package-hash"]()) == (False, "none", False)
    assert state(zipped(described(contents()))) == (True, "none", False)
    with pytest.raises(RecordError):
        wacz_state(io.BytesIO(b"no ZIP"))


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b", "C:\\x", "a\\b"])
def test_names_that_lead_out_are_said(tmp_path: Path, name: str) -> None:
    data = zipped(described(contents()) | {name: b""})
    assert judged(tmp_path, data) == {"zip-name"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wacz"]


def test_a_directory_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(described(contents())))
    struct.pack_into("<L", data, len(data) - 10, 1 << 30)
    assert judged(tmp_path, bytes(data)) == {"zip-damaged"}


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"1e999999", b""])
@pytest.mark.parametrize("where", [PACKAGE, DIGEST, INDEX, PAGES])
def test_json_of_others_ends_in_findings(tmp_path: Path, where: str, deep: bytes) -> None:
    assert judged(tmp_path, zipped(described(contents()) | {where: deep}))
