"""Blocks of metadata that are small formats of their own: IPTC, Photoshop's resources, ICC, C2PA."""

from collections.abc import Iterator

from archiver.digests import digest
from archiver.pictures.metadata.tags import Blocks, Tags, names, text_of_bytes

_DATA_SETS = 2_000
_RESOURCES = 1_000
_UTF_8 = b"\x1b%G"  # ISO 2022: how 1:90 says that the texts are UTF-8
_DESCRIPTION = b"jumd\x63\x32\x70\x61\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_GENERATOR = b"claim_generator"
_MENTIONS = 20  # of that name


def read_iptc(data: bytes, tags: Tags) -> None:
    """IPTC-NAA Information Interchange Model 4.2, section 1.6: data sets one after the other."""
    utf_8 = False
    for record, number, value in _data_sets(data, tags):
        if (record, number) == (1, 90):
            utf_8 = value == _UTF_8
            tags.add("IPTC", "CodedCharacterSet", "UTF-8" if utf_8 else value.hex())
            continue
        known = f"{record}:{number}"
        if number == 0 and len(value) == 2:
            text = str(int.from_bytes(value))
        elif record > 2 and len(value) > 32:
            text = f"{len(value)} bytes"
        else:
            text = value.decode("utf-8", "replace") if utf_8 else text_of_bytes(value)
        tags.add("IPTC", names("iptc").get(known, known), text)


def _data_sets(data: bytes, tags: Tags) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    for _ in range(_DATA_SETS):
        if data[at : at + 1] != b"\x1c" or at + 5 > len(data):
            break
        size = int.from_bytes(data[at + 3 : at + 5])
        begin = at + 5
        if size & 0x8000:  # an extended data set: that many bytes hold the length
            begin += size & 0x7FFF
            size = int.from_bytes(data[at + 5 : min(begin, at + 9)])
        if begin + size > len(data):
            tags.problem("IPTC: a data set that is not whole")
            break
        yield data[at + 1], data[at + 2], data[begin : begin + size]
        at = begin + size


def read_photoshop(data: bytes, tags: Tags, blocks: Blocks) -> None:
    """Adobe Photoshop File Formats Specification, Image Resource Blocks: IPTC, the copyright flag and URL."""
    at = 0
    for _ in range(_RESOURCES):
        if data[at : at + 4] not in (b"8BIM", b"PHUT", b"DCSR", b"AgHg") or at + 12 > len(data):
            return
        kind = int.from_bytes(data[at + 4 : at + 6])
        begin = at + 6 + (data[at + 6] + 2 & ~1)  # a Pascal string, padded
        size = int.from_bytes(data[begin : begin + 4])
        value = data[begin + 4 : begin + 4 + size]
        if len(value) < size:
            tags.problem("Photoshop: a resource that is not whole")
            return
        if kind == 0x0404:
            blocks.keep("iptc", value)
        elif kind == 0x040A:
            tags.add("Photoshop", "CopyrightFlag", str(int(any(value))))
        elif kind == 0x040B:
            tags.add("Photoshop", "URL", text_of_bytes(value))
        at = begin + 4 + (size + 1 & ~1)


def read_icc(data: bytes, tags: Tags) -> None:
    """ICC.1:2022 section 7: the profile's name and digest."""
    if data[36:40] != b"acsp":
        tags.problem("ICC: no profile")
        return
    for at in range(132, min(132 + 12 * min(int.from_bytes(data[128:132]), 100), len(data) - 11), 12):
        if data[at : at + 4] == b"desc":
            begin, size = int.from_bytes(data[at + 4 : at + 8]), int.from_bytes(data[at + 8 : at + 12])
            tags.add("ICC", "ProfileDescription", _profile_name(data[begin : begin + min(size, 8_000)]))
            break
    tags.add("ICC", "ColorSpace", text_of_bytes(data[16:20]))
    tags.add("ICC", "ProfileSize", f"{len(data)} bytes")
    tags.add("ICC", "ProfileDigest", digest(data))


def _profile_name(field: bytes) -> str:
    """Section 10.15, or section 6.5.17 of ICC.1:2001."""
    if field[:4] == b"mluc":
        size, begin = int.from_bytes(field[20:24]), int.from_bytes(field[24:28])
        return field[begin : begin + size].decode("utf-16-be", "replace")
    return text_of_bytes(field[12 : 12 + int.from_bytes(field[8:12])])


def read_c2pa(data: bytes, tags: Tags) -> None:
    """C2PA Technical Specification 2.2: that there are Content Credentials and by whom; not if they hold."""
    if _DESCRIPTION not in data[:64]:
        return
    tags.add("C2PA", "Present", "yes")
    tags.add("C2PA", "Size", f"{len(data)} bytes")
    tags.add("C2PA", "Digest", digest(data))
    at = data.find(_GENERATOR)
    for _ in range(_MENTIONS):
        if at < 1:
            return
        if name := _generator(data, at):
            tags.add("C2PA", "ClaimGenerator", name)
            return
        at = data.find(_GENERATOR, at + 1)


def _generator(data: bytes, at: int) -> str:
    """Section 10: the claim's `claim_generator`, or the first `name` in its `claim_generator_info`."""
    if data[at - 1] == 0x6F:
        return _cbor_text(data, at + len(_GENERATOR))
    name = data.find(b"\x64name", at, at + 220) if data[at - 1] == 0x74 else -1
    return _cbor_text(data, name + 5) if name >= 0 else ""


def _cbor_text(data: bytes, at: int) -> str:
    """RFC 8949 section 3, major type 3 of a length below 65,536."""
    head = data[at] if at < len(data) else 0
    if 0x60 <= head <= 0x77:
        begin, size = at + 1, head - 0x60
    elif head in (0x78, 0x79):
        begin = at + (2 if head == 0x78 else 3)
        size = int.from_bytes(data[at + 1 : begin])
    else:
        return ""
    return data[begin : begin + size].decode("utf-8", "replace")
