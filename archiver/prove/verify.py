#!/usr/bin/env python3
"""Check an evidence bundle, or a whole archive, of the archiver: Python 3.9 or newer and nothing else.

    python3 -I verify.py                  the bundle in whose folder this file lies
    python3 -I verify.py FILE.zip         a bundle as it was handed over
    python3 -I verify.py FOLDER           an unpacked bundle, or an archive's folder
      --key VKEY     a signer's key that you have from the signer, as in keys.txt; may be repeated
      --roots FILE   certificates of time authorities that you trust (PEM), instead of the bundle's

It asks no network and writes nothing but temporary files for openssl. It ends with 0 when all holds, with
4 when something does not, with 2 for wrong usage and for what is neither a bundle nor an archive. What it
checks is specified in the archiver's docs/evidence.md and docs/manifest.md. Who does not trust the giver of
a bundle takes this file from the archiver itself, and passes the bundle to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zlib
from datetime import datetime, timedelta, timezone
from re import Match, Pattern
from typing import Any, Callable

SAYS = Callable[[str], Any]
MOST, RECORD, LINE = 1 << 30, 1 << 30, 1 << 20  # bytes: of a bundle, of a record, of a line or head
FIXED = {"SHA256SUMS", "bundle.json", "capture.warc.gz", "checkpoint.txt"}
FIXED |= {"keys.txt", "report.html", "verify.py"}
NAME = re.compile(r"timestamps/(roots\.pem|[1-9][0-9]{0,2}\.(tsr|ots|txt))")
ORIGIN = re.compile(r"archiver/[0-9a-f]{32}")
KEY = re.compile(r"([^+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{4,200}={0,2})")
SIGNATURE = re.compile("\u2014 ([^+ ]{1,200}) ([A-Za-z0-9+/]{8,10000}={0,2})")
UNFIT = re.compile("[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{1,9})?Z", re.ASCII)
STRANGER = re.compile(rb"Verify error:(self.signed certificate|unable to (get|verify))")  # not of these roots
IMPORT = r"imports/[A-Za-z0-9][A-Za-z0-9._-]{0,119}(?<!\.open)(?<!\.records\.jsonl)"
WARC = re.compile(rf"(warcs/[A-Za-z0-9][A-Za-z0-9_-]{{0,99}})\.warc\.gz|{IMPORT}")
ENTRY = {"offset", "length", "digest", "type", "id", "date", "uri", "refers_to", "status", "mime"}
ENTRY |= {"payload_digest", "payload_bytes", "truncated", "picture", "unreadable"}


class Wrong(Exception):
    """What does not hold, in words."""


class Usage(Exception):
    """Neither a bundle nor an archive."""


def check(holds: Any, words: str) -> None:
    if not holds:
        raise Wrong(words)


def matched(pattern: Pattern[str], text: str, words: str) -> Match[str]:
    found = pattern.fullmatch(text)
    if not found:
        raise Wrong(f"{words}: {text[:200]!a}")
    return found


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


# --- files and JSON -----------------------------------------------------------------------------------


def folder_files(folder: str) -> dict[str, bytes]:
    """The files of an unpacked bundle. No link is followed, and nothing else may lie there."""
    files: dict[str, bytes] = {}
    for top, folders, names in os.walk(folder):
        for name in names + folders:
            path = os.path.join(top, name)
            place, found = os.path.relpath(path, folder), os.lstat(path)
            if place != "timestamps" or not stat.S_ISDIR(found.st_mode):
                known = stat.S_ISREG(found.st_mode) and (place in FIXED or NAME.fullmatch(place))
                check(known, f"{place}: is no file of a bundle")
                check(found.st_size + sum(map(len, files.values())) <= MOST, "the bundle is too large")
                with open(path, "rb") as file:
                    files[place] = file.read(MOST)
    return files


def zip_files(data: bytes) -> dict[str, bytes]:
    """The files of a bundle's ZIP, which must be, to the byte, the one that holds these files."""
    files, at = {}, 0
    while data[at : at + 4] == b"PK\3\4" and at + 30 <= len(data):
        size, length = struct.unpack("<18xI4xH2x", data[at : at + 30])
        at += 30 + length + size
        name = data[at - size - length : at - size].decode("ascii", "replace")
        check(name in FIXED or NAME.fullmatch(name), f"{name!a} in the ZIP: is no file of a bundle")
        files[name] = data[at - size : at]
    check(zipped(files) == data, "the ZIP: a byte of it, or a file's CRC-32, is not as it must be")
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    """The one ZIP of these files: stored, sorted by name, one fixed time, nothing optional."""
    body, directory = bytearray(), b""
    for name in sorted(files):
        content = files[name]
        facts = (20, 0, 0, 0, 0x21, zlib.crc32(content), len(content), len(content), len(name), 0)
        head, at = struct.pack("<5H3I2H", *facts), len(body)
        body += b"PK\3\4" + head + name.encode() + content
        directory += (
            b"PK\1\2\x14\3" + head + struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, at) + name.encode()
        )
    end = struct.pack("<6H2IH", 0x4B50, 0x0605, 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body) + directory + end


def refused(number: str) -> int:
    raise Wrong(f"a number that is no integer below 2^53: {number[:40]}")


def parsed(data: bytes, where: str, indent: int | None = None) -> Any:
    """JSON in its one form: two spaces of indent, or keys sorted and on one line. No numbers but integers."""

    def number(digits: str) -> int:
        return int(digits) if len(digits) <= 16 else refused(digits)

    value = json.loads(data.decode("utf-8"), parse_int=number, parse_float=refused, parse_constant=refused)
    check(dumped(value, indent) == data, f"{where}: not in its canonical form")
    return value


def dumped(value: Any, indent: int | None) -> bytes:
    tight = None if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=tight, sort_keys=not indent)
    return text.encode("utf-8") + b"\n"


# --- the tree: RFC 9162, sections 2.1.1 and 2.1.3.2 ---------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf(digest: str) -> bytes:
    return hashlib.sha256(b"\0" + bytes.fromhex(digest[7:])).digest()


def led_to(value: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root to which an inclusion proof leads from a leaf; None when it has not the right length."""
    last = size - 1
    for other in path:
        if last <= 0:
            return None
        if index & 1 or index == last:
            value = node(other, value)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            value = node(value, other)
        index, last = index >> 1, last >> 1
    return value if last == 0 else None


class Tree:
    """A growing tree, as the roots of its full subtrees, largest first."""

    def __init__(self) -> None:
        self.size, self.stack = 0, []  # type: int, list[tuple[int, bytes]]

    def add(self, value: bytes) -> None:
        weight, self.size = 1, self.size + 1
        while self.stack and self.stack[-1][0] == weight:
            weight, value = 2 * weight, node(self.stack.pop()[1], value)
        self.stack.append((weight, value))

    def root(self) -> bytes:
        value = self.stack[-1][1] if self.stack else hashlib.sha256(b"").digest()
        for _, left in self.stack[-2::-1]:
            value = node(left, value)
        return value


# --- Ed25519: RFC 8032, section 5.1, strict -----------------------------------------------------------

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z


def added(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while scalar:
        found = added(found, point) if scalar & 1 else found
        point, scalar = added(point, point), scalar >> 1
    return found


def decoded(data: bytes) -> Point | None:
    """A point; None for bytes that are not the one encoding of one."""
    y, odd = int.from_bytes(data, "little") & ((1 << 255) - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and odd):
        return None
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def holds(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of the message is by this key: canonical point, S below L, no cofactor."""
    point, s = decoded(key), int.from_bytes(signature[32:], "little")
    if point is None or len(signature) != 64 or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    x, y, z, _ = added(times(s, BASE), times(k, (P - point[0], point[1], 1, P - point[3])))
    x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# --- keys and signatures: C2SP signed-note, tlog-checkpoint, tlog-cosignature -------------------------


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    check(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data


def key_of(text: str) -> tuple[str, bytes, int, bytes]:
    """A verifier key → name, hash, type (1: of notes, 4: of cosignatures, both Ed25519), public key."""
    found = matched(KEY, text, "not a verifier key")
    name, short, data = found[1], bytes.fromhex(found[2]), unbase64(found[3])
    right = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    check(short == right and not UNFIT.search(name), f"a key's hash or name is wrong: {name!a}")
    check(data[0] not in (1, 4) or len(data) == 33, f"a key is too short or too long: {name!a}")
    return name, short, data[0], data[1:]


SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: so begins an Ed25519 key in DER


def check_signed(note: str, lines: list[str], keys: list[str], trusted: list[str], say: SAYS) -> None:
    """All signatures by known keys hold; when the person named keys, there is one by one of these."""
    check(len(lines) <= 100 and len(keys) <= 100, "too many keys or signatures")
    own, signers = {key_of(key)[3] for key in trusted}, set()
    for line in lines:
        found = matched(SIGNATURE, line, "not a signature line")
        check(not UNFIT.search(found[1]), f"not a signer's name: {found[1]!a}")
        data, meant = unbase64(found[2]), []
        for name, short, kind, public in map(key_of, keys + trusted):
            if (name, short) == (found[1], data[:4]) and kind in (1, 4):
                text, signature, seen = note.encode(), data[4:], ""
                if kind == 4:
                    seen = f", seen at {clock(int.from_bytes(data[4:12], 'big'))}"
                    text = b"cosignature/v1\ntime %d\n" % int.from_bytes(data[4:12], "big") + text
                    signature = data[12:]
                meant.append((holds(public, text, signature), public, seen))
        good = [each for each in meant if each[0]]
        check(good or not meant, f"the signature of {found[1]} is wrong")
        if not good:
            say(f"Signature: of {found[1]}, whose key is not here: NOT checked.")
        for _, public, seen in good[:1]:
            signers.add(public)
            vouched = "the key that you named" if public in own else "a key that NOBODY here vouches for"
            say(f"Signature: of {found[1]}{seen}, by {vouched}: {sha256(SPKI + public)}")
    check(not own or own & signers, "there is no signature by a key that you named")
    if not lines:
        say("Signature: none.")


def clock(seconds: int) -> str:
    start = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return f"{start + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}" if seconds < 1 << 37 else "no real time"


# --- time: RFC 3161 tokens, read by a small walk through their DER ------------------------------------

Element = tuple[int, int, int]  # tag, where its content starts, where it ends


def elements(data: bytes, start: int, end: int) -> list[Element]:
    found: list[Element] = []
    while start < end:
        tag, length, start = data[start], data[start + 1], start + 2
        if length > 127:
            count = length - 128
            length, start = int.from_bytes(data[start : start + count], "big"), start + count
            check(0 < count <= 4 and length > 127 and length >> (8 * count - 8), "a token: not DER")
        check(start + length <= end, "a token: not DER")
        found.append((tag, start, start + length))
        start += length
    return found


def inside(data: bytes, element: Element, *path: int) -> Element:
    """The element at the end of a path of places and tags: the child 0, of tag 0x30, and so on."""
    for place, tag in zip(path[::2], path[1::2]):
        found = elements(data, element[1], element[2])
        check(place < len(found) and found[place][0] == tag, "a token: not an RFC 3161 answer")
        element = found[place]
    return element


def token(data: bytes) -> tuple[bytes, datetime, str]:
    """A TimeStampResp (RFC 3161, section 2.4.2) → SHA-256 that it covers, time, name of the authority."""

    def content(element: Element, *path: int) -> bytes:
        _, start, end = inside(data, element, *path)
        return data[start:end]

    check(len(data) <= LINE and len(elements(data, 0, len(data))) == 1, "a token: too long, or more than one")
    whole = inside(data, (0, 0, len(data)), 0, 0x30)
    check(content(whole, 0, 0x30, 0, 2) in (b"\0", b"\1"), "a token: the authority refused")
    wrapped = inside(data, whole, 1, 0x30, 1, 0xA0, 0, 0x30, 2, 0x30)  # SignedData.encapContentInfo
    check(content(wrapped, 0, 6).hex() == "2a864886f70d0109100104", "a token: not a TSTInfo")
    info = inside(data, wrapped, 1, 0xA0, 0, 4, 0, 0x30)
    check(content(info, 2, 0x30, 0, 0x30, 0, 6).hex() == "608648016503040201", "a token: not over a SHA-256")
    when = matched(TIME, content(info, 4, 0x18).decode("ascii", "replace"), "a token: its time")
    names: list[str] = []
    left = [each for each in elements(data, info[1], info[2])[5:] if each[0] == 0xA0]  # tsa
    while left:
        tag, start, end = left.pop()
        if tag & 0x20:
            left += reversed(elements(data, start, end))
        elif tag in (0x0C, 0x13, 0x16):
            names.append(data[start:end].decode("utf-8", "replace"))
    moment = datetime(*(int(part) for part in when.groups()), tzinfo=timezone.utc)  # type: ignore[arg-type, misc]
    return content(info, 2, 0x30, 1, 4), moment, ", ".join(names) or "an authority that does not name itself"


def check_token(name: str, data: bytes, covered: bytes, roots: bytes, say: SAYS) -> bool:
    """A token covers this text, and openssl, where it is, does not disagree; whether it agrees."""
    if name.endswith(".ots"):
        say(f"Time: {name} is an OpenTimestamps proof, which is NOT checked here.")
        return False
    imprint, moment, authority = token(data)
    check(imprint == hashlib.sha256(covered).digest(), f"{name}: covers something else")
    program, at, agrees = shutil.which("openssl"), int(moment.timestamp()), False
    answer = "NOT checked: openssl is not here" if roots else "NOT checked: no certificates (--roots FILE)"
    if program and roots:
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, each) for each in ("token.tsr", "covered.txt", "roots.pem")]
            for path, content in zip(paths, (data, covered, roots)):
                with open(path, "wb") as file:
                    file.write(content)
            command = [program, "ts", "-verify", "-in", paths[0], "-data", paths[1], "-CAfile", paths[2]]
            now, then = (
                subprocess.run(command + more, capture_output=True, timeout=60, check=False)
                for more in ([], ["-attime", str(at)])
            )
        agrees = now.returncode == 0 or then.returncode == 0
        strange = STRANGER.search(then.stderr)
        check(agrees or strange, f"{name}: openssl says {then.stderr[-200:]!a}")
        answer = "openssl says that it holds"
        if now.returncode:
            answer = "openssl says that it held then; a certificate has run out since: see later tokens"
        if not agrees:
            answer = "NOT checked: it leads to none of the certificates that are here"
    say(f"Time: before {moment:%Y-%m-%dT%H:%M:%SZ}, says {authority}. Its signature in {name}: {answer}.")
    return agrees


def check_times(tokens: list[tuple[str, bytes, bytes]], given: bytes, kept: bytes, say: SAYS) -> None:
    """Name, bytes and text of each token; when the person gave certificates, one holds by these."""
    agreed = [check_token(*each, given or kept, say) for each in tokens]
    asked = given and shutil.which("openssl") and any(name.endswith(".tsr") for name, _, _ in tokens)
    check(not asked or any(agreed), "no token leads to the certificates that you named")


# --- what a stored record says ------------------------------------------------------------------------


def record(stored: bytes, budget: int) -> tuple[dict[str, str], bytes, int]:
    """One gzip member with one WARC record → header fields, block, bytes inflated (at most `budget`)."""
    inflate, most = zlib.decompressobj(31), min(RECORD, budget)
    data = inflate.decompress(stored, most + 1)
    check(inflate.eof and not inflate.unused_data and len(data) <= most, "not one gzip member, or too large")
    end = data.find(b"\r\n\r\n", 0, LINE)
    check(end > 0 and data[:10] in (b"WARC/1.1\r\n", b"WARC/1.0\r\n"), "not a WARC record")
    fields: dict[str, str] = {}
    for line in data[10:end].decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        check(colon and name.lower() not in fields, "a WARC header line without a name, or there twice")
        fields[name.lower()] = value.strip(" \t")
    length = fields.get("content-length", "")
    check(re.fullmatch("[0-9]{1,15}", length), "a WARC record without its length")
    check(data[end + 4 + int(length) :] == b"\r\n\r\n", "a WARC record of another length")
    return fields, data[end + 4 : -4], len(data)


def imported(stored: bytes, budget: int) -> tuple[dict[str, str], bytes, int]:
    """As `record`, for what others wrote: plain or a gzip member; no fields where it has no head at all."""
    data, most = stored, min(RECORD, budget)
    if stored[:2] == b"\x1f\x8b":
        try:
            data = zlib.decompressobj(31).decompress(stored, most + 1)
        except zlib.error:
            return {}, b"", len(stored)
    check(len(data) <= most, "an imported record that is too large")
    end = re.compile(rb"\r?\n\r?\n").search(data, 0, LINE)
    if not end or data[:5] != b"WARC/":
        return {}, b"", len(data)
    fields: dict[str, str] = {}
    for line in data[: end.start()].decode("utf-8", "replace").split("\n")[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    length = fields.get("content-length", "")
    last = end.end() + int(length) if re.fullmatch("[0-9]{1,15}", length) else len(data)
    return fields, data[end.end() : last], len(data)


def claims(fields: dict[str, str], block: bytes, found: str) -> set[str]:
    """What an imported record speaks of. What it says of itself is not judged: it was so when it came."""
    kind, identity = fields.get("warc-type"), fields.get("warc-record-id", "").strip("<>")
    body = block.partition(b"\r\n\r\n")[2]
    answer = {found, sha256(block), sha256(body)} if kind in ("response", "resource") else set()
    return {identity, fields.get("warc-target-uri", identity)} | answer


def payload(fields: dict[str, str], block: bytes) -> bytes:
    """Of HTTP the entity-body, transfer coding removed and content coding kept; of all else the block."""
    if not fields.get("content-type", "").lower().startswith("application/http"):
        return block
    end = re.search(rb"\r?\n\r?\n", block[:LINE])
    head, body = (block[: end.start()], block[end.end() :]) if end else (block[:LINE], b"")
    lines = re.sub(rb"\r?\n[ \t]+", b" ", head).replace(b"\r\n", b"\n").split(b"\n")[1:]
    named = [line.partition(b":") for line in lines]
    codings = b",".join(value for name, _, value in named if name.strip().lower() == b"transfer-encoding")
    if codings.lower().split(b",")[-1].strip() != b"chunked":
        return body
    pieces: list[bytes] = []
    at = 0
    while True:  # up to what is no chunk: the last one, or where the transfer was cut
        end = re.compile(rb"[ \t\r\v\f]*([0-9A-Fa-f]{1,15})[ \t\r\v\f]*(;[^\n]*)?\n").match(
            body, at, at + 8192
        )
        if not end or not int(end[1], 16):
            return b"".join(pieces)
        at = end.end() + int(end[1], 16)
        pieces.append(body[end.end() : at])
        line = re.compile(rb"\r?\n").match(body, at)
        if not line:
            return b"".join(pieces)
        at = line.end()


def speaks_of(fields: dict[str, str], block: bytes, found: str, origin: str) -> set[str]:
    """Check a record's own digests; return its id, its URL, its payload's digest, an article's URL."""
    kind, identity = fields.get("warc-type"), fields.get("warc-record-id", "").strip("<>")
    answer = kind in ("response", "resource")
    for claim in (fields.get("warc-block-digest", ""), answer and fields.get("warc-payload-digest", "")):
        right = not claim or not claim.startswith("sha256:") or claim in (sha256(block), found)
        check(right, f"{identity}: says that its digest is {claim}")
    part = re.search(rb"(?:^|\n)isPartOf: ([^\r\n]*)", block) if kind == "warcinfo" else None
    check(not part or part[1] == origin.encode(), f"{identity}: is of another archive")
    names = {identity, fields.get("warc-target-uri", identity)} | ({found} if answer else set())
    ours = fields.get("warc-target-uri", "").startswith("urn:archiver:note:")
    text = block.decode("utf-8") if ours else "{}"
    note = json.loads(text, parse_int=str, parse_float=str, parse_constant=refused)
    article = note["article"] if note.get("type") == "article" else {}
    url = note.get("url") if note.get("type") == "fetch" else article.get("url")
    return names | ({url} if type(url) is str else set())


# --- a bundle -----------------------------------------------------------------------------------------


def check_bundle(files: dict[str, bytes], trusted: list[str], roots: bytes, say: SAYS) -> None:
    check(not FIXED - files.keys(), f"files are missing: {', '.join(sorted(FIXED - files.keys()))}")
    sums = {f"{sha256(files[name])[7:]}  {name}\n" for name in files if name != "SHA256SUMS"}
    lines = set(files["SHA256SUMS"].decode("ascii", "replace").splitlines(keepends=True))
    changed = ", ".join(sorted(line[66:].strip() for line in sums ^ lines))
    check(not changed, f"not as SHA256SUMS says: {changed[:500]}")
    check(
        files["SHA256SUMS"] == "".join(sorted(sums, key=lambda line: line[66:])).encode(),
        "SHA256SUMS: its form",
    )
    say(f"Files: all {len(sums)} are as SHA256SUMS says.")

    bundle = parsed(files["bundle.json"], "bundle.json", 2)
    check(ORIGIN.fullmatch(bundle["origin"]) and type(bundle["size"]) is int, "bundle.json: its form")
    note, empty, tail = files["checkpoint.txt"].decode("utf-8").partition("\n\n")
    check(empty, "checkpoint.txt: has no empty line")
    pattern = re.compile(f"{bundle['origin']}\n{bundle['size']:d}\n([A-Za-z0-9+/]{{43}}=)")
    head = matched(pattern, note, "checkpoint.txt: not of the tree that bundle.json names")
    check_members(files["capture.warc.gz"], bundle, unbase64(head[1]), say)

    note, signatures, keys = note + "\n", tail.split("\n"), files["keys.txt"].decode("utf-8").split("\n")
    check(not signatures.pop() and not keys.pop(), "checkpoint.txt or keys.txt is cut")
    check_signed(note, signatures, keys, trusted, say)

    names = sorted(name for name in files if name.endswith((".tsr", ".ots")))
    wanted = {f"timestamps/{number + 1}" for number in range(len(names))}
    check({name[:-4] for name in names} == wanted, "timestamps/: the numbers of the tokens")
    texts = {name[:-4] for name in files if name.startswith("timestamps/") and name.endswith(".txt")}
    check(texts == wanted, "timestamps/: a token or its text is missing")
    stamped, text = [note.encode()], f"{note}\n"
    for line in signatures:
        text += f"{line}\n"
        stamped.append(text.encode())
    tokens = [(name, files[name], files[name[:-4] + ".txt"]) for name in names]
    for name, _, covered in tokens:
        check(covered in stamped, f"{name}: its text is not the checkpoint")
    check_times(tokens, roots, files.get("timestamps/roots.pem", b""), say)
    if not names:
        say("Time: no authority says when. The dates are the archive's own.")


def check_members(capture: bytes, bundle: Any, head: bytes, say: SAYS) -> None:
    """The members tile the WARC file, lie in the tree in this order, and speak of the subject."""
    at, budget, records, names, last = 0, MOST + 100 * len(capture), {}, set(), -1
    rebuilt, said = [], []
    for number, member in enumerate(bundle["members"]):
        where, index = f"record {number} of capture.warc.gz", member["leaf"]
        check(type(index) is int and last < index < bundle["size"], f"{where}: its place in the tree")
        stored, path = capture[at : at + member["length"]], [bytes.fromhex(each) for each in member["proof"]]
        shape = {"role": member["role"] + "", "offset": at, "length": len(stored), "digest": sha256(stored)}
        rebuilt.append({**shape, "leaf": index, "proof": [each.hex() for each in path]})
        check(stored and rebuilt[-1] == member, f"{where}: was changed")
        top = led_to(leaf(sha256(stored)), index, bundle["size"], path)
        check(top == head, f"{where}: is not in the tree")
        ours = not member["role"].startswith("imported")
        fields, block, size = (record if ours else imported)(stored, budget)
        at, budget, last, found = at + len(stored), budget - size, index, sha256(payload(fields, block))
        names |= speaks_of(fields, block, found, bundle["origin"]) if ours else claims(fields, block, found)
        date, kind = (fields[name] if ours else fields.get(name, "") for name in ("warc-date", "warc-type"))
        identity = (fields["warc-record-id"] if ours else fields.get("warc-record-id", "")).strip("<>")
        check(not ours or identity not in records, f"{where}: its id is there twice")
        if ours or identity not in records:
            records[identity] = fields, found, ours
        what = found if kind in ("response", "resource") else ""
        of = fields.get("warc-target-uri", identity)
        said.append(f"  {date} {kind} {of} {what}{'' if ours else ' (imported)'}")
    check(at == len(capture), "capture.warc.gz: has more bytes than its records")
    whole = {"format": "archiver-evidence/1", "subject": bundle["subject"] + "", "origin": bundle["origin"]}
    whole.update(size=bundle["size"], members=rebuilt)
    check(dumped(whole, 2) == dumped(bundle, 2), "bundle.json: its form")
    check(bundle["subject"] in names, f"no record speaks of the subject: {bundle['subject'][:200]}")
    for identity, (fields, _, ours) in records.items():
        if ours and fields["warc-type"] == "revisit":
            claim = fields.get("warc-payload-digest") or fields.get("archiver-payload-digest")
            original = records.get(fields.get("warc-refers-to", "").strip("<>"))
            check(original and original[1] == claim, f"{identity}: its original is not here")
    say(f"Subject: {bundle['subject']}")
    say(f"Archive: {bundle['origin']}, tree of {bundle['size']} records, root {head.hex()}")
    say(f"Records: {len(said)}, each in that tree, byte for byte. For answers, SHA-256 of the payload:")
    for line in said:
        say(line)


# --- an archive ---------------------------------------------------------------------------------------


def plain(folder: str, name: str, linked: bool = False) -> str:
    """The path of a plain file. Of an imported file alone a link is followed."""
    path = os.path.join(folder, name)
    to = (
        f"{name}: its link leads to {os.readlink(path)}, " if linked and os.path.islink(path) else f"{name}: "
    )
    check(os.path.exists(path) if linked else os.path.lexists(path), f"{to}which is not there")
    found = os.stat(path) if linked else os.lstat(path)
    check(stat.S_ISREG(found.st_mode), f"{to}which is not a plain file")
    return path


def check_archive(folder: str, trusted: list[str], roots: bytes, say: SAYS) -> None:
    with open(plain(folder, "manifest.json"), "rb") as file:
        data = file.read(256 << 20)
    manifest, tree, names = parsed(data, "manifest.json", 2), Tree(), set()
    check(ORIGIN.fullmatch(manifest["origin"]), "manifest.json: origin")
    rebuilt: dict[str, Any] = {"format": "archiver-manifest/1", "origin": manifest["origin"]}
    rebuilt.update(keys=manifest["keys"], warcs=[], tree={}, checkpoints=[])
    for warc, made in zip(manifest["warcs"], manifest["checkpoints"]):
        rebuilt["warcs"].append(read_warc(folder, warc["path"], tree))
        check(rebuilt["warcs"][-1] == warc, f"{warc['path']}: it, its list or its row was changed")
        names |= {warc["path"], warc["list"]["path"]}
        note = f"{manifest['origin']}\n{tree.size}\n{base64.b64encode(tree.root()).decode()}\n"
        check(made["note"] == note, f"{warc['path']}: the checkpoint after it is another one")
        rebuilt["checkpoints"].append({key: made[key] for key in ("note", "signatures", "timestamps")})
    rebuilt["tree"] = {"size": tree.size, "root": "sha256:" + tree.root().hex()}
    once = len(names) == 2 * len(rebuilt["warcs"])
    check(once and dumped(rebuilt, 2) == data, "manifest.json: is not that of these files")
    there = [each for each in ("warcs", "imports") if os.path.lexists(os.path.join(folder, each))]
    extra = {f"{each}/{name}" for each in there for name in os.listdir(os.path.join(folder, each))} - names
    unsealed = [name for name in extra if name.endswith(".open")]
    check(len(extra) == len(unsealed), f"not named in manifest.json: {sorted(extra)[:5]}")
    say(f"Archive: {manifest['origin']}, tree of {tree.size} records, root {tree.root().hex()}")
    say(f"Records: all {tree.size}, in {len(names) // 2} files, are those of that tree.")
    if unsealed:
        say(f"Not sealed, and so not judged: {len(unsealed)} files.")
    tokens = []
    for number, made in enumerate(rebuilt["checkpoints"], 1):
        note, lines = made["note"], made["signatures"]
        check_signed(note, lines, manifest["keys"], trusted if number == len(names) // 2 else [], say)
        for stamp in made["timestamps"]:
            over, ending = stamp["over"], {"rfc3161": "tsr", "opentimestamps": "ots"}[stamp["kind"]]
            name, data = f"checkpoint {number}.{ending}", unbase64(stamp["token"])
            check(over in range(len(lines) + 1), f"{name}: covers signature lines that are not there")
            covered = note + "".join(["\n" * bool(over), *(f"{line}\n" for line in lines[:over])])
            tokens.append((name, data, covered.encode()))
    check_times(tokens, roots, b"", say)


def read_warc(folder: str, name: str, tree: Tree) -> dict[str, Any]:
    """What manifest.json must say of a file; its record list's lines must be those of what it holds."""
    found = matched(WARC, name, "manifest.json: not the name of a WARC file or an imported file")
    listed, at, count = (found[1] or name) + ".records.jsonl", 0, 0
    whole, of_list = hashlib.sha256(), hashlib.sha256()
    with open(plain(folder, name, not found[1]), "rb") as warc, open(plain(folder, listed), "rb") as lines:
        for line in iter(lambda: lines.readline(LINE + 1), b""):
            where = f"{listed}, line {count + 1}"
            entry = parsed(line, where)
            check(entry.keys() <= ENTRY and type(entry["length"]) is int, f"{where}: its form")
            check(type(entry["offset"]) is int and entry["offset"] == at, f"{where}: leaves a gap")
            check(0 < entry["length"] < 1 << 53, f"{where}: its length")
            stored, left = hashlib.sha256(), entry["length"]
            while block := warc.read(min(left, LINE)):
                stored.update(block)
                whole.update(block)
                left -= len(block)
            changed = left or "sha256:" + stored.hexdigest() != entry["digest"]
            check(not changed, f"{name}, record {count} at {at}: was changed")
            tree.add(leaf(entry["digest"]))
            of_list.update(line)
            at, count = at + entry["length"], count + 1
        check(not warc.read(1), f"{name}: has bytes that its list does not name")
        listing = {"path": listed, "bytes": lines.tell(), "digest": "sha256:" + of_list.hexdigest()}
    return {
        "path": name,
        "bytes": at,
        "digest": "sha256:" + whole.hexdigest(),
        "records": count,
        "list": listing,
    }


# --- the command --------------------------------------------------------------------------------------

PROVED = """
PROVED: the records are, byte for byte, those that this checkpoint commits, with their addresses, dates and
heads. A signature says whose checkpoint it is, and a time that it existed by then, as far as the lines above
say that they were checked, and that somebody vouches for the key.
NOT PROVED: that what a server sent is true, or was sent to others; that the archive's own clock was right;
whose a key is; that report.html tells everything (it is for people: the records count); that this verify.py
is the archiver's."""


def judge(path: str, trusted: list[str], roots: bytes, say: SAYS) -> int:
    """Exit code for a bundle or an archive. `trusted`: verifier keys; `roots`: PEM; `say` gets the lines."""

    def tell(text: str) -> None:  # text of others, safe for a terminal
        say("".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text))

    try:
        if os.path.isfile(path):
            check(os.path.getsize(path) <= MOST, "the bundle is too large")
            with open(path, "rb") as file:
                data = file.read(MOST)
            if data[:4] != b"PK\3\4":
                raise Usage(f"{path}: is not a ZIP")
            check_bundle(zip_files(data), trusted, roots, tell)
        elif any(os.path.lexists(os.path.join(path, name)) for name in ("SHA256SUMS", "bundle.json")):
            check_bundle(folder_files(path), trusted, roots, tell)
        elif os.path.lexists(os.path.join(path, "manifest.json")):
            check_archive(path, trusted, roots, tell)
        else:
            raise Usage(f"{path}: is neither a bundle nor an archive")
    except Usage as error:
        tell(str(error))
        return 2
    except Exception as error:  # noqa: BLE001 - hostile bytes may break any step: all end in one verdict
        tell(f"DOES NOT HOLD: {error}" if isinstance(error, Wrong) else f"DOES NOT HOLD: {error!r}")
        return 4
    tell(PROVED)
    return 0


def main(arguments: list[str]) -> int:
    paths: list[str] = []
    trusted: list[str] = []
    roots = b""
    words = iter(arguments)
    try:
        for word in words:
            if word == "--key":
                trusted.append(next(words))
                check(key_of(trusted[-1])[2] in (1, 4), "only Ed25519 keys can be checked")
            elif word == "--roots":
                with open(next(words), "rb") as file:
                    roots += file.read(MOST)
            else:
                check(not word.startswith("-") and not paths, f"what is {word}?")
                paths.append(word)
    except (Wrong, OSError, ValueError, StopIteration) as error:
        sys.stderr.write(f"{error or 'a value is missing'}\n{__doc__}")
        return 2
    path = paths[0] if paths else os.path.dirname(os.path.abspath(__file__))
    return judge(
        path, trusted, roots, lambda line: sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
