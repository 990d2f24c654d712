"""Pictures that say much of themselves, written by other means than what reads them: Pillow, and bytes."""

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="a maker"><rdf:RDF xmlns:rdf="{RDF}">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:own="http://news.example/ns/own/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:core="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 photoshop:Credit="News &amp; Pictures" photoshop:DateCreated="2023-11-08T18:05:00+08:00" own:desk="7">
<dc:creator><rdf:Seq><rdf:li>Lin Hai</rdf:li><rdf:li>陈一舟</rdf:li></rdf:Seq></dc:creator>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Ferry</rdf:li>
<rdf:li xml:lang="zh">渡轮</rdf:li></rdf:Alt></dc:title>
<core:CreatorContactInfo rdf:parseType="Resource">
<core:CiAdrCity>Bay</core:CiAdrCity></core:CreatorContactInfo>
<photoshop:Source/></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()
XMP_SAYS = {
    ("XMP-photoshop", "Credit", "News & Pictures"),
    ("XMP-photoshop", "DateCreated", "2023-11-08T18:05:00+08:00"),
    ("XMP-own", "desk", "7"),
    ("XMP-dc", "creator", "Lin Hai"),
    ("XMP-dc", "creator", "陈一舟"),
    ("XMP-dc", "title", "Ferry"),
    ("XMP-dc", "title-zh", "渡轮"),
    ("XMP-Iptc4xmpCore", "CreatorContactInfo/CiAdrCity", "Bay"),
}
_C2PA_TYPE = bytes.fromhex("63327061001100108000 00aa00389b71")
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def exif() -> Image.Exif:
    made = Image.Exif()
    made[ExifTags.Base.Make], made[ExifTags.Base.Model] = "Demo", "Paintbox 1"
    made[ExifTags.Base.Copyright] = "© News".encode()
    inner = made.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2023:11:08 18:05:00"
    inner[ExifTags.Base.SubsecTimeOriginal] = "25"
    inner[ExifTags.Base.OffsetTimeOriginal] = "+08:00"
    inner[ExifTags.Base.FNumber], inner[ExifTags.Base.ExposureTime] = 2.8, IFDRational(4, 1000)
    inner[ExifTags.Base.MakerNote] = bytes(999)
    inner[ExifTags.Base.UserComment] = b"UNICODE\0" + "渡轮".encode("utf-16-be")
    place = made.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitude] = (24.0, 30.0, 15.5)
    place[ExifTags.GPS.GPSDateStamp], place[ExifTags.GPS.GPSTimeStamp] = "2023:11:08", (10.0, 5.0, 1.0)
    return made


EXIF_SAYS = {
    ("Exif", "Make", "Demo"),
    ("Exif", "Model", "Paintbox 1"),
    ("Exif", "Copyright", "© News"),
    ("Exif", "DateTimeOriginal", "2023:11:08 18:05:00"),
    ("Exif", "SubSecTimeOriginal", "25"),
    ("Exif", "OffsetTimeOriginal", "+08:00"),
    ("Exif", "FNumber", "2.8"),
    ("Exif", "ExposureTime", "1/250"),
    ("Exif", "MakerNote", "999 bytes"),
    ("Exif", "UserComment", "渡轮"),
    ("Exif", "GPSLatitude", "24 30 15.5"),
    ("Exif", "GPSDateStamp", "2023:11:08"),
    ("Exif", "GPSTimeStamp", "10 5 1"),
}


def encoded(kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((48, 32)).save(target, kind, **options)
    return target.getvalue()


def jpeg(*segments: bytes, **options: Any) -> bytes:
    """A JPEG with segments of our own behind its first marker."""
    return b"\xff\xd8" + b"".join(segments) + encoded("JPEG", **options)[2:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png(*chunks: bytes) -> bytes:
    """A PNG with chunks of our own behind its pixels."""
    whole = encoded("PNG")
    return whole[:-12] + b"".join(chunks) + whole[-12:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """An extended WebP with further chunks at its end."""
    whole = encoded("WEBP", exif=exif(), xmp=XMP, icc_profile=ICC)
    for kind, body in chunks:
        whole += kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def gif(*extensions: bytes) -> bytes:
    """A GIF with extensions before its trailer."""
    return encoded("GIF")[:-1] + b"".join(extensions) + b";"


def gif_application(name: bytes, body: bytes) -> bytes:
    parts = [body[at : at + 255] for at in range(0, len(body), 255)]
    return b"!\xff\x0b" + name + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def gif_xmp(body: bytes) -> bytes:
    """With the trailer that lets those who do not know XMP find the end."""
    return b"!\xff\x0bXMP DataXMP" + body + b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def avif(*boxes: bytes) -> bytes:
    return encoded("AVIF", exif=exif(), xmp=XMP, icc_profile=ICC) + b"".join(boxes)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def iptc(*data_sets: tuple[int, int, bytes]) -> bytes:
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, number, len(value)) + value for record, number, value in data_sets
    )


def resource(kind: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", kind, 0, len(body)) + body + bytes(len(body) % 2)


def credentials(claim: bytes = b"\xa1\x6fclaim_generator\x78\x1bPaintbox/1.0 c2pa-demo/0.1.") -> bytes:
    """JUMBF as C2PA has it: a description box and a claim in CBOR, without a signature."""
    described = box(b"jumd", _C2PA_TYPE + b"\x03c2pa\0")
    return box(b"jumb", described + box(b"cbor", claim))


def app11(jumbf: bytes, size: int) -> list[bytes]:
    """Segments of at most `size` bytes of it each, as ISO/IEC 18477-3 cuts a box."""
    body = jumbf[8:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        segment(0xEB, b"JP" + struct.pack(">HI", 1, number + 1) + jumbf[:8] + part)
        for number, part in enumerate(parts)
    ]


def tiff(*fields: tuple[int, int, int, int], rest: bytes = b"") -> bytes:
    """A little-endian TIFF structure of one directory: tag, type, count, value or offset."""
    entries = b"".join(struct.pack("<HHII", *field) for field in fields)
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4) + rest
