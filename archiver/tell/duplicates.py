"""Clusters of pictures, links and matches → rows of JSON and people's lines."""

from typing import Any

from archiver.console import Output
from archiver.index.pairs import pair_of_row, pair_words
from archiver.tell.words import many, one_line, size

Row = dict[str, Any]


def cluster(out: Output, row: Row) -> None:
    """Pictures that are one photograph."""
    out.row(row)
    lines = [f"{many(len(row['members']), 'picture')} of one photograph, the best first"]
    for number, each in enumerate(row["members"]):
        pair = each["to_best"]
        best = "the best" if number == 0 else "the same by way of another of them"
        said = _words(pair, "this one", "the best", each["payload_digest"]) if pair else best
        lines += _member(each, said)
    _print(out, lines)


def link(out: Output, row: Row) -> None:
    """Two pictures that are kept apart."""
    out.row(row)
    said = _words(row["comparison"], "the first", "the second") if row["comparison"] else "not compared"
    marked = "; marked by a person as not the same" if row["not_same"] else ""
    lines = [f"two pictures that are kept apart: {said}{marked}"]
    lines += [f"    {row['comparison']['reason']}"] if row["comparison"] else []
    for name in ("first", "second"):
        lines += _member(row[name], name)
    _print(out, lines)


def match(out: Output, row: Row) -> None:
    """A picture of the archive that a file from outside shows."""
    out.row(row)
    _print(out, _member(row, _words(row["comparison"], "the archive's", "the file")))


def _words(row: Row, one: str, other: str, digest: str = "") -> str:
    """`one` is what the picture with that digest is called, or the first when none is given."""
    names = (one, other) if digest in ("", row["first"]) else (other, one)
    return pair_words(pair_of_row(row), *names)


def _member(row: Row, said: str) -> list[str]:
    what = f"{row['format']} {row['width']}x{row['height']}, {size(row['bytes'])}"
    whose = "" if row["origin"] else ", by an image proxy"
    lines = [f"    {what}{whose}: {said}", f"        {row['payload_digest']}"]
    return lines + [f"        {url}" for url in row["urls"]]


def _print(out: Output, lines: list[str]) -> None:
    out.text("\n".join(map(one_line, lines)))


def ending(out: Output, counts: dict[str, int], *, from_outside: bool) -> None:
    """How much was found; matches count where a file from outside was asked about."""
    found = [many(counts["clusters"], "cluster"), many(counts["links"], "link")]
    if from_outside:
        found.append(many(counts["matches"], "picture") + " like the one from outside")
    out.say(f"{', '.join(found)}.")
