"""A WACZ that nothing is wrong with, made of parts that a test can change before it is put together."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lint_files import CHUNKED, URI, packed, response, sha256, warcinfo

CREATED = "2026-11-23T12:30:00Z"
WARC, INDEX, PAGES = "archive/data.warc.gz", "indexes/index.cdxj", "pages/pages.jsonl"
Change = Callable[[dict[str, Any]], Any]


def line(offset: int, stored: bytes, **changes: Any) -> bytes:
    entry = {
        "url": URI,
        "digest": sha256(b"hello"),
        "mime": "text/plain",
        "filename": "data.warc.gz",
        "offset": offset,
        "length": len(stored),
        "status": "200",
        "recordDigest": sha256(stored),
    } | changes
    said = {name: value for name, value in entry.items() if value is not None}
    return b"example,news)/ 20261123120000 " + json.dumps(said).encode() + b"\n"


def contents() -> dict[str, bytes]:
    """The files of a WACZ, without those that describe it."""
    first, second = packed(warcinfo({"WARC-Filename": "data.warc.gz"})), packed(response())
    header = {"format": "json-pages-1.0", "id": "pages"}
    page = {"url": URI, "ts": "2026-11-23T12:00:00Z"}
    return {
        WARC: first + second,
        INDEX: line(len(first), second),
        PAGES: json.dumps(header).encode() + b"\n" + json.dumps(page).encode() + b"\n",
    }


def chunked() -> dict[str, bytes]:
    """The same with a response whose payload digest the index has computed, for the record has none."""
    first = packed(warcinfo({"WARC-Filename": "data.warc.gz"}))
    second = packed(response({"WARC-Payload-Digest": None}, CHUNKED))
    sha1 = base64.b32encode(hashlib.sha1(b"hello").digest()).decode()
    return contents() | {WARC: first + second, INDEX: line(len(first), second, digest=sha1)}


def described(files: dict[str, bytes], change: Change = lambda _: None) -> dict[str, bytes]:
    """With datapackage.json and its digest."""
    package: dict[str, Any] = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "created": CREATED,
        "resources": [
            {"name": path.rpartition("/")[2], "path": path, "hash": sha256(data), "bytes": len(data)}
            for path, data in files.items()
        ],
    }
    change(package)
    data = json.dumps(package).encode()
    return files | {"datapackage.json": data, "datapackage-digest.json": digest_file(data)}


def digest_file(package: bytes, signed: Any = None, **changes: Any) -> bytes:
    said = {"path": "datapackage.json", "hash": sha256(package)} | changes
    return json.dumps(said | ({"signedData": signed} if signed else {})).encode()


def anonymous(package: bytes, **changes: Any) -> dict[str, Any]:
    """signedData as ArchiveWeb.page makes it: r and s of 48 bytes each."""
    key = ec.generate_private_key(ec.SECP384R1())
    r, s = utils.decode_dss_signature(key.sign(sha256(package).encode(), ec.ECDSA(SHA256())))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "hash": sha256(package),
        "created": CREATED,
        "software": "test",
        "signature": base64.b64encode(r.to_bytes(48) + s.to_bytes(48)).decode(),
        "publicKey": base64.b64encode(public).decode(),
    } | changes
