"""`archiver export wacz|cdxj|warc`: what goes out is what the archive commits, as the standards say."""

import base64
import hashlib
import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import archives
import evidence_archive as made
import foreign_files
import pytest
from authority import LOOPBACK, Authority
from commands import within
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from archiver.addresses.surt import surt
from archiver.exporting.cdxj import SortedLines, timestamp
from archiver.exporting.wacz import package as wacz_module
from archiver.exporting.wacz.signatures import derived
from archiver.manifest import timestamp as rfc3161
from archiver.prove import verify
from archiver.warc.read import parse_member

ARTICLE = "http://news.example/0/"
PICTURE = "http://news.example/0/渡轮.jpg"
DERIVED = int(
    "dfc84ff1643e61f5983eacd9fb43dd53d6bb395814b0842d113483aa4a0960909349c2339258557fa2ea04621242426d", 16
)  # recomputed by hand with `openssl kdf HKDF`
WESERV = "https://images.weserv.nl/?url=news.example/0/渡轮.jpg"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three articles, a revisit, signatures, timestamps; a key; its first article as WACZ."""
    folder = tmp_path_factory.mktemp("export")
    made.proved(folder)
    assert within("key", "make")[0] in (0, 2)
    done = export("wacz", folder / "archive", folder / "one.wacz", ARTICLE)
    assert done[0] == 0, done
    return folder


def export(form: str, root: Path, into: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    code, rows, text = within("export", form, "--in", str(root), "--into", str(into), "--json", *more)
    return code, rows[-1] if rows else {}, text


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def lines(cdxj: bytes) -> list[tuple[str, str, dict[str, str]]]:
    split = (line.split(" ", 2) for line in cdxj.decode().splitlines())
    return [(key, when, json.loads(said)) for key, when, said in split]


# --- keys of URLs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://www.News.example:80/a/?b=2&a=1#x", "example,news)/a?a=1&b=2"),
        ("https://news.example:8443/A//b/../C/", "example,news:8443)/a/c"),
        ("https://www2.news.example", "example,news)/"),
        (WESERV, "nl,weserv,images)/?url=news.example/0/%e6%b8%a1%e8%bd%ae.jpg"),
        ("https://w.example?w=9&url=ssl%3Ax.example/a%20b", "example,w)/?url=ssl:x.example/a%20b&w=9"),
        ("http://渡轮.example/", "example,xn--45w832e)/"),
        ("http://010.1/%2541", "1,0,0,8)/a"),
        ("http://h:99999/", "http://h:99999/"),
        ("http://h.example/?x=1&PHPSESSID=0123456789abcdef0123456789abcdef", "example,h)/?&x=1"),
        ("urn:archiver:source:sha256:AB", "urn:archiver:source:sha256:ab"),
        ("news.example", "example,news)/"),
        ("", "-"),
    ],
)  # fmt: skip
def test_keys_of_urls(url: str, key: str) -> None:
    assert surt(url) == key


def test_sorted_lines_that_memory_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.exporting.cdxj._HELD", 60)
    with SortedLines() as found:
        for number in range(40):
            found.add(b"%02d of some lines\n" % (number * 7 % 20))
        assert list(found) == [b"%02d of some lines\n" % number for number in range(20)]


def test_timestamps() -> None:
    assert timestamp("2026-11-22T19:05:12.345678Z") == "20261122190512"
    assert timestamp("2026-11") == "20261101000000"


# --- WACZ -----------------------------------------------------------------------------------------


def test_everything_in_a_wacz_is_described(world: Path) -> None:
    files = contents(world / "one.wacz")
    said = json.loads(files["datapackage.json"])
    described = {each["path"]: (each["hash"], each["bytes"]) for each in said["resources"]}
    rest = {name: data for name, data in files.items() if not name.startswith("datapackage")}
    assert described == {
        name: ("sha256:" + hashlib.sha256(data).hexdigest(), len(data)) for name, data in rest.items()
    }
    assert (said["profile"], said["wacz_version"]) == ("data-package", "1.1.1")
    assert set(rest) == {
        "archive/records.warc.gz",
        "archive/views.warc.gz",
        "indexes/index.cdxj",
        "pages/pages.jsonl",
        *("proof/" + name for name in ("bundle.json", "checkpoint.txt", "keys.txt", "roots.pem")),
        *(f"proof/{number}.{ending}" for number in (1, 2) for ending in ("tsr", "txt")),
    }
    with zipfile.ZipFile(world / "one.wacz") as opened:
        deflated = [info.filename for info in opened.infolist() if info.compress_type]
    assert deflated == ["pages/pages.jsonl"]


def test_each_line_of_the_index_leads_to_its_record(world: Path) -> None:
    files = contents(world / "one.wacz")
    found = lines(files["indexes/index.cdxj"])
    assert files["indexes/index.cdxj"].splitlines() == sorted(files["indexes/index.cdxj"].splitlines())
    for key, when, said in found:
        start = int(said["offset"])
        stored = files["archive/" + said["filename"]][start : start + int(said["length"])]
        assert said["recordDigest"] == "sha256:" + hashlib.sha256(stored).hexdigest()
        record = parse_member(stored)
        assert record.get("warc-target-uri") == said["url"]
        assert (key, when) == (surt(said["url"]), timestamp(record.get("warc-date") or ""))
    kinds = {said["url"]: said["mime"] for _, _, said in found if said.get("mime") != "warc/revisit"}
    assert kinds[PICTURE] == "image/jpeg"
    again = [said for _, _, said in found if said.get("mime") == "warc/revisit"]
    assert [said["url"] for said in again] == [PICTURE]
    assert again[0]["digest"] in [said["digest"] for _, _, said in found if said.get("mime") == "image/jpeg"]


def test_a_mirror_document_has_a_page_that_shows_its_pictures(world: Path) -> None:
    files = contents(world / "one.wacz")
    header, *rows = (json.loads(line) for line in files["pages/pages.jsonl"].splitlines())
    assert header["format"] == "json-pages-1.0"
    assert [(row["title"], row["text"]) for row in rows] == [("第0篇", "正文。")]
    indexed = {said["url"]: said for _, _, said in lines(files["indexes/index.cdxj"])}
    there = indexed[rows[0]["url"]]
    start = int(there["offset"])
    view = parse_member(files["archive/views.warc.gz"][start : start + int(there["length"])])
    assert f'<img src="{PICTURE}"'.encode() in view.block
    assert b"no server sent it" in view.block


def test_the_proof_is_an_evidence_bundle(world: Path, tmp_path: Path) -> None:
    """As docs/export.md says to do by hand."""
    files = contents(world / "one.wacz")
    bundle = {name.removeprefix("proof/"): data for name, data in files.items() if name.startswith("proof/")}
    for name in [each for each in bundle if each[0].isdecimal() or each == "roots.pem"]:
        bundle[f"timestamps/{name}"] = bundle.pop(name)
    bundle["capture.warc.gz"] = files["archive/records.warc.gz"]
    bundle["verify.py"], bundle["report.html"] = Path(verify.__file__).read_bytes(), b"\n"
    folder = made.unpacked(made.summed(bundle), tmp_path / "bundle")
    said: list[str] = []
    assert verify.judge(str(folder), [], b"", said.append) == 0, said
    assert "openssl says that it holds" in " ".join(said)
    bundle["capture.warc.gz"] = archives.flip(700)(bundle["capture.warc.gz"])
    folder = made.unpacked(made.summed(bundle), tmp_path / "changed")
    assert verify.judge(str(folder), [], b"", said.append) == 4


def test_a_whole_archive_can_be_taken_out_of_its_wacz(world: Path, tmp_path: Path) -> None:
    assert export("wacz", world / "archive", tmp_path / "all.wacz", "--all")[0] == 0
    files = contents(tmp_path / "all.wacz")
    out = {"manifest.json": files["proof/manifest.json"]}
    for name, data in files.items():
        last = name.rpartition("/")[2]
        if name.endswith(".records.jsonl") or (name.startswith("archive/") and not last.startswith("views")):
            out[f"warcs/{last}"] = data
    root = made.unpacked(out, tmp_path / "out")
    assert within("verify", str(root), "--deep")[0] in (0, 3)  # no catalogue there
    for warc in archives.manifest(world / "archive").warcs:
        assert (root / warc.path).read_bytes() == (world / "archive" / warc.path).read_bytes()


def test_a_large_index_is_in_blocks(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = contents(world / "one.wacz")["indexes/index.cdxj"]
    monkeypatch.setattr(wacz_module, "_LINES", 3)
    monkeypatch.setattr(wacz_module, "_BLOCK", 4)
    assert export("wacz", world / "archive", tmp_path / "one.wacz", ARTICLE)[0] == 0
    files = contents(tmp_path / "one.wacz")
    head, *index = files["indexes/index.idx"].splitlines()
    assert head == b'!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'
    found = b""
    for line in index:
        key, when, said = line.split(b" ", 2)
        where = json.loads(said)
        block = files["indexes/index.cdx.gz"][where["offset"] : where["offset"] + where["length"]]
        assert where["digest"] == "sha256:" + hashlib.sha256(block).hexdigest()
        lines_there = subprocess.run(["gzip", "-dc"], input=block, capture_output=True, check=True).stdout
        assert lines_there.startswith(key + b" " + when + b" {")
        found += lines_there
    ours = [line for line in found.splitlines() if b"view.archiver" not in line]
    assert ours == [line for line in whole.splitlines() if b"view.archiver" not in line]


def test_parts_stand_for_themselves(world: Path, tmp_path: Path) -> None:
    code, summary, text = export("wacz", world / "archive", tmp_path / "a.wacz", "--all", "--size", "6kB")
    assert code == 0, text
    names = [Path(each).name for each in summary["files"]]
    assert names == [f"a-{number:03}.wacz" for number in range(1, len(names) + 1)]
    assert len(names) >= 3
    urls = []
    for name in names:
        files = contents(tmp_path / name)
        assert "proof/bundle.json" in files
        found = lines(files["indexes/index.cdxj"])
        urls += [said["url"] for _, _, said in found]
        digests = {said["digest"] for _, _, said in found if said.get("mime") != "warc/revisit"}
        assert {said["digest"] for _, _, said in found if said.get("mime") == "warc/revisit"} <= digests
    assert "proof/manifest.json" in contents(tmp_path / names[0])
    assert {f"http://news.example/{number}/coded" for number in range(3)} <= set(urls)


def test_imported_records_go_out_as_they_are_and_proved(tmp_path: Path) -> None:
    """A plain WARC file, one of gzip members, and one record there that has no id."""
    parts = [foreign_files.record(b"software: x", 9, WARC_Type="warcinfo", WARC_Target_URI="")]
    parts += [*foreign_files.records(3), foreign_files.record(number=7, WARC_Record_ID="")]
    (tmp_path / "plain.warc").write_bytes(b"".join(parts))
    other = foreign_files.record(number=8, WARC_Target_URI="<http://news.example/8>")
    (tmp_path / "packed.warc.gz").write_bytes(foreign_files.members([other, b"rubbish"]))
    root = tmp_path / "archive"
    assert within("import", *(str(path) for path in tmp_path.glob("*.warc*")), "--into", str(root))[0] in (
        0,
        3,
    )
    for name, wanted in (("all", ("--all",)), ("some", ("http://news.example/2", "http://news.example/7")),
                         ("parts", ("--all", "--size", "2kB"))):  # fmt: skip
        code, summary, text = export("wacz", root, tmp_path / f"{name}.wacz", *wanted)
        assert code == 0, text
        assert summary["unsealed"] == summary["too_large"] == 0
    files = contents(tmp_path / "all.wacz")
    assert files["archive/plain.warc"] == b"".join(parts)
    found = {said["url"]: said for _, _, said in lines(files["indexes/index.cdxj"])}
    assert set(found) == {f"http://news.example/{number}" for number in (0, 1, 2, 7, 8)}
    assert files["archive/" + found["http://news.example/8"]["filename"]] == foreign_files.gz(other)
    files = contents(tmp_path / "some.wacz")
    assert files["archive/plain.warc"] == parts[0] + parts[3] + parts[4]
    bundle = {name: files[f"proof/{name}"] for name in ("checkpoint.txt", "keys.txt")}
    bundle |= {"bundle.json": files["proof/plain.json"], "capture.warc.gz": files["archive/plain.warc"]}
    bundle |= {"verify.py": Path(verify.__file__).read_bytes(), "report.html": b"\n"}
    said: list[str] = []
    folder = made.unpacked(made.summed(bundle), tmp_path / "bundle")
    assert verify.judge(str(folder), [], b"", said.append) == 0, said
    urls = [said["url"] for path in tmp_path.glob("parts-*.wacz")
            for _, _, said in lines(contents(path)["indexes/index.cdxj"])]  # fmt: skip
    assert set(urls) >= set(found)
    code, summary, _ = export("warc", root, tmp_path / "all.warc.gz", "--all")
    listed = b"".join(path.read_bytes() for path in root.glob("*/*.records.jsonl"))
    assert (code, summary["records"]) == (0, listed.count(b"\n") - listed.count(b'"type":"gap"'))
    assert export("cdxj", root, tmp_path / "all.cdxj", "--all")[1]["lines"] == 5


# --- signatures -----------------------------------------------------------------------------------


def test_the_anonymous_signature_holds(world: Path) -> None:
    """By WACZ Signing and Verification 0.1.0: P-384, SHA-256, raw r and s, over the digest's text."""
    files = contents(world / "one.wacz")
    said = json.loads(files["datapackage-digest.json"])
    signed = said["signedData"]
    assert said["hash"] == signed["hash"] == "sha256:" + hashlib.sha256(files["datapackage.json"]).hexdigest()
    assert signed["created"] == json.loads(files["datapackage.json"])["created"]
    public = serialization.load_der_public_key(base64.b64decode(signed["publicKey"]))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    raw = base64.b64decode(signed["signature"])
    pair = (int.from_bytes(raw[:48]), int.from_bytes(raw[48:]))
    assert len(raw) == 96
    public.verify(encode_dss_signature(*pair), signed["hash"].encode(), ec.ECDSA(hashes.SHA256()))


def test_the_key_is_the_same_every_time() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert derived(key).private_numbers().private_value == DERIVED


def test_without_a_key_it_is_not_signed(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVER_KEYS", str(tmp_path / "none"))
    code, summary, text = export("wacz", world / "archive", tmp_path / "x.wacz", ARTICLE)
    assert (code, summary["signed_by"]) == (0, None)
    assert "not signed" in text
    assert "signedData" not in json.loads(contents(tmp_path / "x.wacz")["datapackage-digest.json"])


def certificate(folder: Path, domain: str) -> tuple[Path, Path]:
    """PEM files of a domain's chain and key."""
    folder.mkdir()
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (domain, "Root")]
    now, pem = datetime.now(UTC), b""
    for at, name in enumerate(names):
        pem += (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[1])
            .public_key(keys[at].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=5))
            .add_extension(x509.BasicConstraints(ca=at == 1, path_length=None), critical=True)
            .sign(keys[1], hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "chain.pem").write_bytes(pem)
    (folder / "root.pem").write_bytes(pem[pem.index(b"-----BEGIN", 1) :])
    (folder / "key.pem").write_bytes(keys[0].private_bytes(serialization.Encoding.PEM, *form))
    return folder / "chain.pem", folder / "key.pem"


def domain_signed(world: Path, folder: Path, into: Path, subject: str = ARTICLE) -> Authority:
    """Export an article, signed for news.example with the time of an authority on loopback."""
    chain, key = certificate(folder / "domain", "news.example")
    with Authority(folder / "authority").serving() as authority:
        flags = ("--cert", str(chain), "--cert-key", str(key), "--authority", authority.url)
        flags = (*flags, "--roots", str(authority.roots), *LOOPBACK)
        code, _, text = export("wacz", world / "archive", into, subject, *flags)
    assert code == 0, text
    return authority


def test_the_domain_signature_holds(world: Path, tmp_path: Path) -> None:
    authority = domain_signed(world, tmp_path, tmp_path / "signed.wacz")
    signed = json.loads(contents(tmp_path / "signed.wacz")["datapackage-digest.json"])["signedData"]
    chain = x509.load_pem_x509_certificates(signed["domainCert"].encode())
    public = chain[0].public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(base64.b64decode(signed["signature"]), signed["hash"].encode(), ec.ECDSA(hashes.SHA256()))
    roots = rfc3161.load_roots(authority.roots)
    stamp = rfc3161.judge(base64.b64decode(signed["timeSignature"]), signed["signature"].encode(), roots)
    assert stamp.rooted
    assert (signed["domain"], signed["version"]) == ("news.example", "0.1.0")
    assert x509.load_pem_x509_certificates(signed["timestampCert"].encode())[-1] == roots[0]
    assert "publicKey" not in signed


def test_signing_that_fails_leaves_nothing(world: Path, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path / "domain", "news.example")
    _, other = certificate(tmp_path / "other", "news.example")
    flags = ("--authority", "http://127.0.0.1:9/", "--roots", str(chain), *LOOPBACK)
    into = tmp_path / "x.wacz"
    root = world / "archive"
    assert export("wacz", root, into, ARTICLE, "--cert", str(chain), "--cert-key", str(key), *flags)[0] == 3
    assert export("wacz", root, into, ARTICLE, "--cert", str(chain), "--cert-key", str(other), *flags)[0] == 2
    assert export("wacz", root, into, ARTICLE, "--cert", str(chain))[0] == 2
    assert not list(tmp_path.glob("*.wacz"))
    assert not list(tmp_path.glob(".*"))


# --- WARC, CDXJ -----------------------------------------------------------------------------------


def test_a_warc_says_whence_it_comes_and_holds_the_members(world: Path, tmp_path: Path) -> None:
    code, summary, text = export("warc", world / "archive", tmp_path / "x.warc.gz", ARTICLE, "2")
    assert code == 0, text
    data = (tmp_path / "x.warc.gz").read_bytes()
    manifest = archives.manifest(world / "archive")
    kept = contents(world / "one.wacz")["archive/records.warc.gz"]
    first = parse_member(data[: data.index(b"\x1f\x8b\x08", 10)])
    assert first.type == "warcinfo"
    assert f"source-archive: {manifest.origin}\r\n".encode() in first.block
    assert f"source-tree: {manifest.tree.size} {manifest.tree.root}\r\n".encode() in first.block
    assert summary["records"] == 18
    assert archives.members(world / "archive", 0)[archives.PICTURE] in data
    assert archives.members(world / "archive", 1)[archives.PICTURE] in data
    assert kept[:200] in data
    code, summary, _ = export("warc", world / "archive", tmp_path / "y.warc.gz", "--all", "--size", "6kB")
    assert code == 0
    assert len(summary["files"]) == len(list(tmp_path.glob("y-*.warc.gz"))) >= 3


def test_the_index_of_all_is_that_of_the_files(world: Path, tmp_path: Path) -> None:
    code, summary, _ = export("cdxj", world / "archive", tmp_path / "all.cdxj", "--all")
    found = lines((tmp_path / "all.cdxj").read_bytes())
    assert (code, summary["lines"]) == (0, len(found))
    assert [key for key, _, _ in found] == sorted(key for key, _, _ in found)
    for _, _, said in found:
        data = (world / "archive/warcs" / said["filename"]).read_bytes()
        start = int(said["offset"])
        record = parse_member(data[start : start + int(said["length"])])
        assert record.get("warc-target-uri") == said["url"]
        assert "recordDigest" not in said
    assert len(found) == 3 * 7 + 1


# --- what is chosen, what is refused --------------------------------------------------------------


def test_a_query_chooses_articles(world: Path, tmp_path: Path) -> None:
    code, summary, _ = export("wacz", world / "archive", tmp_path / "q.wacz", "--query", "第1篇")
    assert (code, summary["pages"]) == (0, 1)
    urls = {said["url"] for _, _, said in lines(contents(tmp_path / "q.wacz")["indexes/index.cdxj"])}
    assert "http://news.example/1/coded" not in urls  # nobody refers to it
    assert "http://news.example/1/渡轮.jpg" in urls
    assert "http://news.example/0/渡轮.jpg" not in urls


def test_a_picture_alone_can_be_opened(world: Path, tmp_path: Path) -> None:
    code, summary, _ = export("wacz", world / "archive", tmp_path / "p.wacz", PICTURE)
    assert (code, summary["pages"]) == (0, 2)  # it came twice


@pytest.mark.parametrize("form", ["wacz", "cdxj", "warc"])
def test_usage(world: Path, tmp_path: Path, form: str) -> None:
    root, into = world / "archive", tmp_path / "x"
    for wrong in ((), ("--all", ARTICLE), ("http://nowhere.example/",), ("--query", "没有这样的词语")):
        assert export(form, root, into, *wrong)[0] == 2
    assert export(form, tmp_path / "none", into, "--all")[0] == 5
    assert export(form, root, tmp_path / "no" / "x", ARTICLE)[0] == 3
    assert list(tmp_path.iterdir()) == []
    into.symlink_to(tmp_path / "elsewhere")
    assert export(form, root, into, ARTICLE)[0] == 2
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("form", ["wacz", "warc"])
@pytest.mark.parametrize("where", ["member", "list"])
def test_damage_is_never_exported(world: Path, tmp_path: Path, form: str, where: str) -> None:
    root = Path(shutil.copytree(world / "archive", tmp_path / "archive"))
    if where == "member":
        place = archives.entries(root, 0)[archives.PICTURE]
        archives.change(root, archives.warc(root, 0), archives.flip(place.offset + 900))
    else:
        archives.put_lines(root, archives.lines(root, 0)[:-1], 0)
    out = tmp_path / "out"
    out.mkdir()
    code, _, text = export(form, root, out / "x", ARTICLE)
    assert code == 4, text
    assert "Nothing was written" in text
    assert list(out.iterdir()) == []
