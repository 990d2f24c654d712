"""What pictures say of themselves is read in every format, compared between two forms, and never trusted."""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import told_pictures as told
from commands import within
from mirrored import mirrored
from PIL import Image, TiffImagePlugin
from told_pictures import EXIF_SAYS, ICC, XMP, XMP_SAYS, chunk, segment

from archiver.digests import digest
from archiver.pictures.decode import sniff
from archiver.pictures.metadata import read_metadata
from archiver.pictures.metadata.ledger import Change, ledger, ledger_words
from archiver.pictures.metadata.tags import MOST_CHARACTERS, MOST_OF_ONE, MOST_TAGS, Tag
from archiver.pictures.metadata.times import claimed_times
from archiver.sandbox import Sandbox

ICC_SAYS = {("ICC", "ProfileDescription", "sRGB built-in"), ("ICC", "ProfileDigest", digest(ICC))}
C2PA = told.credentials()
C2PA_SAYS = {
    ("C2PA", "Present", "yes"),
    ("C2PA", "Size", f"{len(C2PA)} bytes"),
    ("C2PA", "ClaimGenerator", "Paintbox/1.0 c2pa-demo/0.1."),
}
IPTC = told.iptc(
    (1, 90, b"\x1b%G"),
    (2, 0, b"\0\4"),
    (2, 25, "渡轮".encode()),
    (2, 25, b"ferry"),
    (2, 55, b"20231108"),
    (2, 60, b"180500+0800"),
    (2, 120, "“白鹭号”渡轮".encode()),
    (2, 199, b"?"),
)
IPTC_SAYS = {
    ("IPTC", "CodedCharacterSet", "UTF-8"),
    ("IPTC", "ApplicationRecordVersion", "4"),
    ("IPTC", "Keywords", "渡轮"),
    ("IPTC", "Keywords", "ferry"),
    ("IPTC", "DateCreated", "20231108"),
    ("IPTC", "TimeCreated", "180500+0800"),
    ("IPTC", "Caption-Abstract", "“白鹭号”渡轮"),
    ("IPTC", "2:199", "?"),
}


def resources(*found: bytes) -> bytes:
    return segment(0xED, b"Photoshop 3.0\0" + b"".join(found))


def full_jpeg() -> bytes:
    return told.jpeg(
        resources(told.resource(0x0404, IPTC), told.resource(0x040A, b"\1")),
        *told.app11(C2PA, 50),
        exif=told.exif(),
        xmp=XMP,
        icc_profile=ICC,
        comment=b"a comment",
    )


def tiff_file() -> bytes:
    fields = TiffImagePlugin.ImageFileDirectory_v2()
    fields[0x010F] = "Demo"
    for tag, body in ((0x83BB, IPTC), (0x02BC, XMP), (0xCD41, C2PA)):
        fields.tagtype[tag] = 7
        fields[tag] = body
    return told.encoded("TIFF", tiffinfo=fields, icc_profile=ICC)


PICTURES_THAT_SAY = {
    "jpeg": (
        full_jpeg,
        EXIF_SAYS
        | XMP_SAYS
        | ICC_SAYS
        | C2PA_SAYS
        | IPTC_SAYS
        | {("JPEG", "Comment", "a comment"), ("Photoshop", "CopyrightFlag", "1")},
    ),
    "png": (
        lambda: told.png(
            chunk(b"eXIf", told.exif().tobytes()[6:]),
            chunk(b"iCCP", b"name\0\0" + zlib.compress(ICC)),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
            chunk(b"iTXt", b"Title\0\1\0zh\0\0" + zlib.compress("渡轮".encode())),
            chunk(b"tEXt", b"Author\0Jos\xe9"),
            chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"packed")),
            chunk(b"tIME", struct.pack(">HBBBBB", 2023, 11, 8, 18, 5, 0)),
            chunk(b"caBX", C2PA),
        ),
        EXIF_SAYS
        | XMP_SAYS
        | ICC_SAYS
        | C2PA_SAYS
        | {
            ("PNG", "Title", "渡轮"),
            ("PNG", "Author", "José"),
            ("PNG", "Comment", "packed"),
            ("PNG", "ModifyDate", "2023-11-08T18:05:00Z"),
        },
    ),
    "png with raw profiles": (
        lambda: told.png(
            chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw(told.exif().tobytes()))),
            chunk(b"tEXt", b"Raw profile type iptc\0" + raw(told.resource(0x0404, IPTC))),
        ),
        EXIF_SAYS | IPTC_SAYS,
    ),
    "webp": (lambda: told.webp((b"C2PA", C2PA)), EXIF_SAYS | XMP_SAYS | ICC_SAYS | C2PA_SAYS),
    "avif": (
        lambda: told.avif(told.box(b"uuid", told.C2PA_UUID + bytes(4) + b"manifest\0" + bytes(8) + C2PA)),
        EXIF_SAYS | XMP_SAYS | ICC_SAYS | C2PA_SAYS,
    ),
    "gif": (
        lambda: told.gif(
            b"!\xfe\x05words\0",
            told.gif_xmp(XMP),
            told.gif_application(b"ICCRGBG1012", ICC),
            told.gif_application(b"C2PA_GIF\1\0\0", C2PA),
        ),
        XMP_SAYS | ICC_SAYS | C2PA_SAYS | {("GIF", "Comment", "words")},
    ),
    "tiff": (tiff_file, XMP_SAYS | ICC_SAYS | C2PA_SAYS | IPTC_SAYS | {("Exif", "Make", "Demo")}),
}


def raw(data: bytes) -> bytes:
    return b"\nname\n%8d\n" % len(data) + data.hex("\n", 36).encode() + b"\n"


def said(data: bytes) -> list[Tag]:
    return msgspec.convert(read_metadata(data), list[Tag])


def triples(data: bytes) -> set[tuple[str, str, str]]:
    return {(tag.group, tag.name, tag.value) for tag in said(data)}


@pytest.mark.parametrize("name", PICTURES_THAT_SAY)
def test_every_format_is_read(name: str) -> None:
    make, expected = PICTURES_THAT_SAY[name]
    found = triples(make())
    assert expected <= found
    assert not [each for each in found if each[1] == "Problem"]


def test_a_big_endian_camera_and_a_thumbnail() -> None:
    small = b"MM\0*" + struct.pack(">IHHHII", 8, 1, 0x010F, 2, 3, 0x4D450000)
    with_thumbnail = small + struct.pack(">IHHHIII", 26, 1, 0x0202, 4, 1, 4321, 0)
    found = triples(told.jpeg(segment(0xE1, b"Exif\0\0" + with_thumbnail)))
    assert found == {("Exif", "Make", "ME"), ("Exif", "Thumbnail", "4321 bytes")}


def test_an_extended_packet_counts_where_the_main_one_names_it() -> None:
    guid, other = b"A" * 32, b"B" * 32
    note = f'<rdf:Description xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="{guid.decode()}"/>'
    main = XMP.replace(b"</rdf:RDF>", note.encode() + b"</rdf:RDF>")
    extended = XMP.replace(b"Lin Hai", b"A third")
    parts = [(guid, 100, extended[100:]), (guid, 0, extended[:100]), (other, 0, XMP.replace(b"Lin", b"No"))]
    segments = [
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + name + struct.pack(">II", 999, at) + part)
        for name, at, part in parts
    ]
    found = triples(told.jpeg(*segments, xmp=main))
    creators = {value for _, name, value in found if name == "creator"}
    assert creators == {"Lin Hai", "陈一舟", "A third"}
    assert not [each for each in found if "xmpNote" in each[0] or each[1] == "Problem"]


@pytest.mark.parametrize(
    ("claim", "generator"),
    [
        (b"\xa1\x74claim_generator_info\xa1\x64name\x63Cam", "Cam"),
        (b"\xa1\x74claim_generator_info\x81\xa2\x67version\x611\x64name\x79\x00\x03Cam", "Cam"),
        (b"\xa1\x6fclaim_generator\x1b", None),
        (b"\xa0", None),
    ],
)
def test_who_claims_content_credentials(claim: bytes, generator: str | None) -> None:
    found = {tag.name: tag.value for tag in said(told.png(chunk(b"caBX", told.credentials(claim))))}
    assert found["Present"] == "yes"
    assert found.get("ClaimGenerator") == generator


def test_other_boxes_in_a_jpeg_are_no_content_credentials() -> None:
    other = told.box(b"jumb", told.box(b"jumd", bytes(16) + b"\3other\0"))
    assert not triples(told.jpeg(*told.app11(other, 1000)))


def test_text_of_no_stated_encoding() -> None:
    data_sets = told.iptc((2, 80, b"Jos\xe9 \x96"), (2, 116, "© 新闻".encode()))
    found = triples(told.jpeg(resources(told.resource(0x0404, data_sets))))
    assert found == {("IPTC", "By-line", "José –"), ("IPTC", "CopyrightNotice", "© 新闻")}


# --- times --------------------------------------------------------------------------------------


def tags(**values: str) -> list[Tag]:
    return [
        Tag(group=group.replace("_", "-"), name=name, value=value)
        for key, value in values.items()
        for group, name in [key.split("__")]
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (tags(Exif__DateTimeOriginal="2023:11:08 18:05:00"), [("exif", "2023:11:08 18:05:00", None)]),
        (
            tags(
                Exif__DateTimeOriginal="2023:11:08 18:05:00",
                Exif__SubSecTimeOriginal="250",
                Exif__OffsetTimeOriginal="+08:00",
                Exif__DateTimeDigitized="2023:11:08 10:05:00.25",
                Exif__OffsetTimeDigitized="Z",
            ),
            [("exif", "2023:11:08 18:05:00.250+08:00", "2023-11-08T10:05:00.25Z")],
        ),
        (
            tags(Exif__GPSDateStamp="2023:11:08", Exif__GPSTimeStamp="8 5 1.5"),
            [("exif", "2023:11:08 08:05:01.5Z", "2023-11-08T08:05:01.5Z")],
        ),
        (
            tags(IPTC__DateCreated="20231108", IPTC__TimeCreated="180500+0800"),
            [("iptc", "20231108 180500+0800", "2023-11-08T10:05:00Z")],
        ),
        (tags(IPTC__DateCreated="20231108"), [("iptc", "20231108", None)]),
        (
            tags(XMP_photoshop__DateCreated="2023-11-08", XMP_xmp__CreateDate="2023-11-08T18:05+08:00"),
            [("xmp", "2023-11-08", None), ("xmp", "2023-11-08T18:05+08:00", "2023-11-08T10:05:00Z")],
        ),
        (tags(Exif__DateTimeOriginal="0000:00:00 00:00:00"), []),
        (tags(Exif__DateTimeOriginal="    :  :     :  :  ", XMP_xmp__CreateDate="2023-11"), []),
        (tags(Exif__SubSecTimeOriginal="25", Exif__GPSTimeStamp="8 5 1"), []),
    ],
)
def test_times_are_joined_and_never_given_a_zone(given: list[Tag], expected: list[tuple[Any, ...]]) -> None:
    assert [(each.clock, each.written, each.value) for each in claimed_times(given)] == expected


# --- the ledger ---------------------------------------------------------------------------------


def test_what_a_proxy_kept_lost_changed_and_added() -> None:
    before = tags(Exif__Make="Demo", Exif__DateTimeOriginal="now", IPTC__City="Bay", ICC__ProfileDigest="1")
    before += tags(XMP_dc__creator="Lin") + tags(XMP_dc__creator="Hai") + tags(File__Problem="x")
    after = tags(ICC__ProfileDigest="2", IPTC__City="Bay", JPEG__Comment="by a proxy")
    found = ledger(before, after)
    assert found.kept == 1
    assert [f"{tag.group}:{tag.name}={tag.value}" for tag in found.removed] == [
        "Exif:Make=Demo",
        "Exif:DateTimeOriginal=now",
        "XMP-dc:creator=Lin\nHai",
    ]
    assert found.changed == (Change(group="ICC", name="ProfileDigest", before="1", after="2"),)
    assert [tag.name for tag in found.added] == ["Comment"]
    assert ledger_words(found) == (
        "The proxy's copy has lost: camera, time taken, creator (3 entries); it has 1 entry changed; it has"
        " 1 entry that the publisher's copy has not."
    )


def test_a_proxy_that_keeps_all_and_a_picture_that_says_nothing() -> None:
    one = tags(Exif__Make="Demo")
    assert ledger_words(ledger(one, one)) == "The proxy's copy has kept all metadata (1 entry)."
    assert ledger_words(ledger([], [])) == ""


# --- hostile bytes ------------------------------------------------------------------------------

RDF_START = f"<r xmlns:rdf='{told.RDF}'><rdf:Description>".encode()


def packet(body: bytes) -> bytes:
    return told.png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + body))


LAUGHS = (
    b"<!DOCTYPE r [<!ENTITY a 'ha'>" + b"".join(b"<!ENTITY a%d '&a;&a;&a;'>" % n for n in range(20)) + b"]>"
)
HOSTILE = {
    "directories in a circle": lambda: told.jpeg(
        segment(0xE1, b"Exif\0\0" + told.tiff(*((tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005))))
    ),
    "a thousand fields of the same bytes": lambda: told.tiff(
        *((0x9999 + n, 7, 8 << 20, 8) for n in range(999)), rest=bytes(9 << 20)
    ),
    "a thousand blocks of the same bytes": lambda: told.tiff(
        *((0x83BB, 7, 8 << 20, 8) for n in range(999)), rest=bytes(9 << 20)
    ),
    "fields outside the file": lambda: told.tiff((0x010F, 2, 1 << 31, 1 << 31), (0x0110, 99, 9, 9)),
    "text that inflates": lambda: told.png(
        *[chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(8 << 20), 1))] * 20
    ),
    "a profile that inflates": lambda: told.png(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(32 << 20), 1))),
    "entities within entities": lambda: packet(LAUGHS + RDF_START + b"<t>&a19;</t></rdf:Description></r>"),
    "elements within elements": lambda: packet(b"<x>" * 100_000),
    "many elements": lambda: packet(RDF_START + b"<a>1</a>" * 100_000),
    "XMP of many megabytes": lambda: packet(RDF_START + b" " * (5 << 20)),
    "many ampersands": lambda: packet(RDF_START + b"&a" * 100_000),
    "a raw profile of spaces": lambda: told.png(
        chunk(b"tEXt", b"Raw profile type exif\0" + b" " * (1 << 20))
    ),
    "chunks of nothing": lambda: told.png(*[chunk(b"abcd", b"")] * 500_000),
    "segments of nothing": lambda: told.jpeg(segment(0xE1, b"") * 500_000),
    "padding without end": lambda: b"\xff\xd8" + b"\xff" * (10 << 20),
    "many packets": lambda: told.jpeg(
        *[segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + RDF_START + b"<a/>" * 16_000)] * 9
    ),
    "blocks of one byte": lambda: told.gif(b"!\xfe" + b"\1a" * (1 << 19) + b"\0"),
    "places without end": lambda: (
        b"\0\0\0\x0cftypavif"
        + told.box(
            b"meta",
            bytes(4) + told.box(b"iinf", bytes(6)) + told.box(b"iloc", b"\2\0\0\0\0\0" + b"\xff" * (4 << 20)),
        )
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata_ends_in_a_bounded_result(name: str) -> None:
    data = HOSTILE[name]()
    assert sniff(data) is not None
    found = said(data)
    assert len(found) <= MOST_TAGS + 11
    assert all(len(tag.value) <= MOST_CHARACTERS for tag in found)


def test_one_name_does_not_crowd_out_the_others() -> None:
    items = b"".join(b"<rdf:li>%d</rdf:li>" % number for number in range(900))
    body = b"<t><rdf:Bag>" + items + b"</rdf:Bag></t><last>here</last></rdf:Description></r>"
    found = said(packet(RDF_START + body))
    assert sum(tag.name == "t" for tag in found) == MOST_OF_ONE
    assert ("last", "here") in [(tag.name, tag.value) for tag in found]
    assert found[-1] == Tag(group="File", name="Problem", value="850 more entries were left out")


def test_mutated_pictures_end_in_a_result() -> None:
    chance = random.Random(6)
    made = [make() for make, _ in PICTURES_THAT_SAY.values()]
    for _ in range(700):
        data = bytearray(chance.choice(made))
        for _ in range(chance.choice((1, 3, 20))):
            at = chance.randrange(len(data))
            if chance.random() < 0.7:
                data[at] = chance.choice((0, 1, 127, 128, 255))
            else:
                del data[at : at + chance.randrange(9)]
        found = said(bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))
        claimed_times(found)
        assert all(tag.value.encode() for tag in found)


# --- from the wire to the page --------------------------------------------------------------------


def test_what_the_proxy_left_is_told_and_made_again_the_same(tmp_path: Path) -> None:
    with mirrored(tmp_path, pictures=(late_jpeg(), told.encoded("JPEG"))) as mirror:
        root = tmp_path / "mine"
        code, _, text = within("archive", str(mirror.document), "--into", str(root), *mirror.flags)
        assert code == 0, text
    code, rows, _ = within("show", mirror.url, "--in", str(root), "--json")
    lead = rows[0]["pictures"][0]
    origin = {(tag["group"], tag["name"], tag["value"]) for tag in lead["forms"][1]["metadata"]}
    assert origin >= EXIF_SAYS | IPTC_SAYS
    assert lead["forms"][0]["metadata"] == []
    assert lead["ledger"]["kept"] == 0
    assert lead["ledger"]["words"].startswith(
        "The proxy's copy has lost: camera, time taken, place, creator, copyright notice"
    )
    times = [(each["clock"], each.get("value")) for each in lead["times"]]
    assert ("exif", "2023-11-08T10:05:00.25Z") in times
    assert ("iptc", "2023-11-08T10:05:00Z") in times
    late = [each for each in rows[0]["contradictions"] if each["kind"] == "order"]
    assert [(each["first"], each["seconds"]) for each in late] == [("xmp", 2 * 3600 + 36)]
    code, _, text = within("verify", "--deep", str(root))  # makes the catalogue again, and compares
    assert code == 0, text
    assert "metadata: The proxy's copy has lost" in within("show", "1", "--in", str(root))[2]


def late_jpeg() -> bytes:
    """It says that it was made after the article was published."""
    late = XMP.replace(b"18:05:00+08:00", b"20:39:40+00:00")
    return told.jpeg(resources(told.resource(0x0404, IPTC)), exif=told.exif(), xmp=late, icc_profile=ICC)


def test_the_child_reads_it_and_pillow_agrees() -> None:
    with Sandbox() as sandbox:
        found = sandbox.read(list[Tag], read_metadata, full_jpeg())
    assert ("Exif", "Make", "Demo") in [(tag.group, tag.name, tag.value) for tag in found]
    with Image.open(io.BytesIO(full_jpeg())) as peer:
        assert peer.getexif()[0x010F] == "Demo"
