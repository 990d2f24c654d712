"""Which format the bytes of a picture are in, by the bytes alone: never by a name or a Content-Type."""

import re

_DECODED = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_BMP = re.compile(
    rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL
)  # and the sizes of its heads
# what may stand before the root element of XML: blanks, instructions, comments, a document type
_PROLOG = rb"\s|<\?[^>]*+>|<!--(?:[^-]|-(?!->))*+-->|<!DOCTYPE\s+svg[^>\[]*+(?:\[[^\]]*+\])?\s*+>"
_SVG = rb"(?:\xef\xbb\xbf)?(?:" + _PROLOG + rb")*+<(?:svg:)?svg[\s>/]"
_REFUSED = (
    (rb"\x00\x00\x00\x0cJXL |\xff\x0a", "JPEG XL"),
    (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"II\xbc[\x00\x01]|WMPHOTO", "JPEG XR"),
    (rb"\xff\xd8\xff\xf7|\xff\xd8\xff\xe8...SPIFF", "JPEG-LS"),
    (rb"\x00\x00\x01\x00[\x01-\xff]\x00...[\x00\x01]", "ICO"),
    (rb"\x00\x00\x02\x00[\x01-\xff]\x00...\x00", "CUR"),
    (rb"icns", "ICNS"),
    (rb"8BPS\x00[\x01\x02]", "PSD"),
    (rb"%PDF-", "PDF"),
    (rb"%!PS-Adobe-[^\r\n]{0,40}EPSF|\xc5\xd0\xd3\xc6", "EPS"),
    (rb"DDS \x7c\x00\x00\x00", "DDS"),
    (rb"\xabKTX [12][01]\xbb\r\n\x1a\n", "KTX"),
    (rb"qoif", "QOI"),
    (rb"FLIF[1-o]", "FLIF"),
    (rb"BPG\xfb", "BPG"),
    (rb"P[1-6][ \t\r\n]+(?:#|[0-9])|P7\n|P[Ff]\n", "PNM"),
    (rb"\xd7\xcd\xc6\x9a\x00\x00", "WMF"),
    (rb"\x01\x00\x00\x00.{36} EMF", "EMF"),
    (rb"\x8aMNG\r\n\x1a\n", "MNG"),
    (rb"\x8bJNG\r\n\x1a\n", "JNG"),
    (rb"AT&TFORM....DJV", "DjVu"),
    (rb"gimp xcf ", "XCF"),
    (rb"\x76\x2f\x31\x01", "OpenEXR"),
    (rb"#\?(?:RADIANCE|RGBE)\n", "Radiance HDR"),
    (rb"\x0a[\x00\x02-\x05]\x01[\x01\x02\x04\x08]", "PCX"),
    (rb"II[+]\x00\x08\x00\x00\x00|MM\x00[+]\x00\x08\x00\x00", "BigTIFF"),
    # raw pictures of cameras: Canon, Fujifilm, Olympus, Panasonic, Sigma, Minolta
    (rb"II\*\x00....CR|FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\x00|FOVb|\x00MRM", "camera raw"),
    (_SVG, "SVG"),
)
_SIGNATURES = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _REFUSED)
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"crx ": "camera raw", b"jxl ": "JPEG XL"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"mif2", b"mif3", b"1pic"),
    "HEIF",
)
_HEAD_BYTES = 4096  # what is looked at; an SVG may begin with a licence
_TGA = b"TRUEVISION-XFILE.\x00"


def sniff(data: bytes) -> str | None:
    """The decodable format that the first bytes announce; None for what is no picture to us."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    name = next((name for magic, name in _DECODED if data.startswith(magic)), None)
    if name is None and _BMP.match(data):
        return "BMP"
    if name is None and data[4:8] == b"ftyp" and _branded(data) == "AVIF":
        return "AVIF"
    return None if name in ("JPEG", "TIFF") and _refused(data) else name


def not_decoded(data: bytes) -> str | None:
    """What is said of a picture in a known format that is never decoded; None for all else."""
    name = _branded(data) if data[4:8] == b"ftyp" else _refused(data)
    if name is None and data.endswith(_TGA):
        name = "TGA"
    return f"its format is {name}, which is not decoded" if name not in (None, "AVIF") else None


def _refused(data: bytes) -> str | None:
    head = data[:_HEAD_BYTES]
    return next((name for pattern, name in _SIGNATURES if pattern.match(head)), None)


def _branded(data: bytes) -> str | None:
    """By the brands of a File Type Box (ISO/IEC 14496-12, 4.3): the major one, or else any compatible one.

    `mif1` and `msf1` only say that it is some HEIF (ISO/IEC 23008-12): AVIF, if that is among the others.
    """
    size = min(int.from_bytes(data[:4], "big"), _HEAD_BYTES)
    major, others = data[8:12], {data[at : at + 4] for at in range(16, size - 3, 4)}
    if major in (b"mif1", b"msf1", b"mif2", b"mif3") and others & {b"avif", b"avis"}:
        return "AVIF"
    return _BRANDS.get(major)
