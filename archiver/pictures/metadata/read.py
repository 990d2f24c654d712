"""Bytes of a picture → its metadata."""

from collections.abc import Callable
from typing import Any

import msgspec

from archiver.pictures.decode import sniff
from archiver.pictures.metadata import bmff, containers
from archiver.pictures.metadata.blocks import read_c2pa, read_icc, read_iptc, read_photoshop
from archiver.pictures.metadata.exif import read_exif
from archiver.pictures.metadata.tags import Blocks, Tags
from archiver.pictures.metadata.xmp import read_xmp

_READERS: dict[str, Callable[[bytes, Blocks], None]] = {
    "JPEG": containers.read_jpeg,
    "PNG": containers.read_png,
    "GIF": containers.read_gif,
    "WEBP": containers.read_webp,
    "AVIF": bmff.read_avif,
}
_REPEATED = 2  # blocks of one kind that are read: a file needs no more than one


def read_tags(data: bytes) -> list[dict[str, Any]]:
    """Tags of a picture as JSON values, in the order EXIF, IPTC, ICC, C2PA, comments, XMP.

    Formats: JPEG, PNG, GIF, WebP, AVIF, TIFF; of any other bytes nothing is read. Never raises for what
    the bytes are: what cannot be read is told by a tag `File:Problem`, and the rest is read.
    """
    tags, blocks, kind = Tags(), Blocks(), sniff(data)
    if kind in _READERS:
        _READERS[kind](data, blocks)
    for block in blocks.of("exif")[:_REPEATED]:
        read_exif(block, tags, blocks)
    if kind == "TIFF":
        read_exif(data, tags, blocks, whole=True)
    for block in blocks.of("photoshop")[:_REPEATED]:
        read_photoshop(block, tags, blocks)
    for block in blocks.of("iptc")[:_REPEATED]:
        read_iptc(block, tags)
    for block in blocks.of("icc")[:1]:
        read_icc(block, tags)
    read_c2pa(b"".join(blocks.of("c2pa")), tags)
    for group, name, value in blocks.comments:
        tags.add(group, name, value)
    read_xmp(blocks.of("xmp")[: 2 * _REPEATED], tags)  # with their extensions
    for words in blocks.problems:
        tags.problem(words)
    built: list[dict[str, Any]] = msgspec.to_builtins(tags.all())
    return built
