"""What each type of record is to have and to hold (WARC/1.1 section 6)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from archiver.lint.digests import PAYLOAD, Block, is_http, judge_digests
from archiver.lint.fields import IDENTICAL, NAMES, judge_fields
from archiver.lint.head import Head, Said, shown

_REQUEST = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} \S{1,65536} http/\d")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r?\n")
_FIELDS_BYTES = 1 << 20  # of an application/warc-fields block, looked at
_WEB = (b"http:", b"https:")


@dataclass(slots=True)
class Judged:
    """A record after its own rules: what others of the file are held against."""

    head: Head
    kind: bytes
    length: int
    said: Said
    block_holds: bool = False  # WARC-Block-Digest
    payload_holds: bool = False

    def get(self, name: bytes) -> bytes:
        return self.head.fields.get(name, b"")

    @property
    def id(self) -> str:
        return self.get(b"warc-record-id").strip(b"<>")[:300].decode("utf-8", "backslashreplace")


def judge_record(head: Head, data: memoryview | None, length: int) -> Judged:
    """`data`: the block of `length` bytes, None where it is too large to be held."""
    said, kind = head.said, head.kind
    judge_fields(head)
    judged = Judged(head, kind, length, said)
    if data is None:
        said.append(("too-large", f"a block of {length} bytes"))
        return judged
    block = Block(data)
    judged.block_holds, judged.payload_holds = judge_digests(head, block, kind, said)
    _media(judged, data)
    if kind in _BY_TYPE:
        _BY_TYPE[kind](judged, block)
    return judged


def _media(judged: Judged, data: memoryview) -> None:
    """Content-Type, and blocks that it says are lists of fields."""
    media = judged.get(b"content-type")
    if not media and judged.length and judged.kind != b"continuation":
        judged.said.append(("media-type-missing", "a block and no Content-Type"))
    if media[:23].lower() == b"application/warc-fields":
        _fields_block(judged, data)


def _fields_block(judged: Judged, data: memoryview) -> None:
    for line in bytes(data[:_FIELDS_BYTES]).split(b"\n"):
        name, colon, _ = line.partition(b":")
        if line.strip() and not line.startswith((b" ", b"\t")) and (not colon or not name):
            judged.said.append(("fields-block", f"{shown(line)} is no `name: value`"))
            return


def _http(judged: Judged, block: Block) -> None:
    """A response or request (sections 6.3.2, 6.5.2)."""
    web = judged.get(b"warc-target-uri")[:6].lower().startswith(_WEB)
    media = _squeezed(judged.get(b"content-type"))
    said = judged.said
    if web and b"warc-ip-address" not in judged.head.fields:
        said.append(("ip-missing", "no WARC-IP-Address"))
    if not is_http(judged.head, judged.kind):
        if web and media:
            said.append(("http-type", f"Content-Type {shown(media)} on a {judged.kind.decode()} record"))
        return
    if b"msgtype=" in media and b"msgtype=" + judged.kind not in media:
        said.append(("msgtype", f"Content-Type {shown(media)} on a {judged.kind.decode()} record"))
    _message(judged, block)


@lru_cache(256)
def _squeezed(media: bytes) -> bytes:
    return media.lower().replace(b" ", b"").replace(b'"', b"")


def _message(judged: Judged, block: Block) -> None:
    if not judged.length or b"warc-segment-number" in judged.head.fields:
        return
    head, body = block.message
    begins = _REQUEST.match(head) if judged.kind == b"request" else head.startswith(b"http/")
    if not begins:
        judged.said.append(("http-message", f"the block begins with {shown(bytes(block.data[:60]))}"))
        return
    found = _LENGTH.search(head)
    if (
        found
        and len(body) != int(found[1])
        and b"\ntransfer-encoding:" not in head
        and b"warc-truncated" not in judged.head.fields
    ):
        promised = int(found[1])
        if 0 < len(body) < promised:
            judged.said.append(
                ("http-cut", f"{len(body)} of the {promised} bytes that Content-Length promises")
            )


def _resource(judged: Judged, _: Block) -> None:
    target, media = judged.get(b"warc-target-uri")[:6].lower(), judged.get(b"content-type").lower()
    if target.startswith(_WEB) and media.startswith(b"application/http"):
        judged.said.append(("resource-http", f"Content-Type {shown(media)} on a resource of http"))
    if target.startswith(b"dns:") and not media.startswith(b"text/dns"):
        judged.said.append(("resource-dns", f"Content-Type {shown(media)} on a resource of dns"))


def _warcinfo(judged: Judged, _: Block) -> None:
    media = judged.get(b"content-type").lower()
    if media and not media.startswith(b"application/warc-fields"):
        judged.said.append(("warcinfo-type", f"Content-Type {shown(media)}"))


def _revisit(judged: Judged, block: Block) -> None:
    """Section 6.7."""
    fields, said = judged.head.fields, judged.said
    if judged.get(b"warc-profile").endswith(IDENTICAL):
        if PAYLOAD not in fields:
            said.append(("revisit-digest", "no WARC-Payload-Digest"))
        truncated = judged.get(b"warc-truncated").lower() == b"length"
        if judged.length and not truncated and not len(block.message[1]):
            said.append(("revisit-truncated", "the body is left out, and there is no WARC-Truncated: length"))
    wanted = [b"warc-refers-to"]
    if not judged.head.first:
        wanted += [b"warc-refers-to-target-uri", b"warc-refers-to-date"]
    lacks = [NAMES[each] for each in wanted if each not in fields]
    if lacks:
        said.append(("revisit-refers", "no " + ", ".join(lacks)))


def _conversion(judged: Judged, _: Block) -> None:
    if b"warc-refers-to" not in judged.head.fields:
        judged.said.append(("conversion-refers", "no WARC-Refers-To"))


_BY_TYPE = {
    b"warcinfo": _warcinfo,
    b"response": _http,
    b"request": _http,
    b"resource": _resource,
    b"revisit": _revisit,
    b"conversion": _conversion,
}
