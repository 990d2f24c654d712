"""Every change of a record list is found, and its line is named."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import archives
import pytest
from archives import CHAIN, CODED, PICTURE, RECORDS, at, check, command, flip, members, rows, swap

from archiver.sandbox import Sandbox

FIELDS = {
    "offset": lambda v: v + 1,
    "length": lambda v: v - 1,
    "digest": lambda v: v[:-1] + ("0" if v[-1] != "0" else "1"),
    "type": lambda _: "resource",
    "id": lambda v: v[:-1] + "z",
    "date": lambda v: v.replace("2026", "2025"),
    "uri": lambda v: v.replace("news", "fake"),
    "status": lambda v: v + 1,
    "mime": lambda _: "text/plain",
    "payload_digest": lambda v: v[:-1] + ("0" if v[-1] != "0" else "1"),
    "payload_bytes": lambda v: v + 1,
    "picture": lambda v: {**v, "width": 97},
}


def edited(line: bytes, **fields: object) -> bytes:
    row = json.loads(line) | fields
    row = {key: value for key, value in row.items() if value is not None}
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("recommitted", [False, True])
def test_line_edited(field: str, recommitted: bool, root: Path, sandbox: Sandbox) -> None:
    """Each field, then also with the manifest made to fit: then only --deep reads what is in no leaf."""
    lines = archives.lines(root)
    assert edited(lines[PICTURE]) == lines[PICTURE]
    lines[PICTURE] = edited(lines[PICTURE], **{field: FIELDS[field](json.loads(lines[PICTURE])[field])})
    archives.put_lines(root, lines)
    if recommitted:
        archives.recommit(root, tree=False)
    found = rows(check(root, sandbox), root)
    if recommitted and field not in ("offset", "length", "digest"):
        assert found == set()
        assert rows(check(root, sandbox, deep=True), root) == {("line-content", "warc", PICTURE)}
    else:
        assert found == {("changed-line", "list", PICTURE)}


@pytest.mark.parametrize(
    "added", [{"truncated": "length"}, {"unreadable": "x"}, {"refers_to": "urn:uuid:0"}, {"picture": None}]
)
def test_line_with_a_field_more_or_less(added: dict[str, object], root: Path, sandbox: Sandbox) -> None:
    lines = archives.lines(root)
    lines[PICTURE] = edited(lines[PICTURE], **added)
    archives.put_lines(root, lines)
    (found,) = check(root, sandbox)
    assert (found.code, found.file, found.record) == ("changed-line", archives.listed(root), PICTURE)
    assert found.uri == json.loads(lines[PICTURE])["uri"]


LINE_CASES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], set[tuple[str, int]]]] = {
    "deleted": (lambda x: x[:5] + x[6:], {("missing-line", 5)}),
    "first deleted": (lambda x: x[1:], {("missing-line", 0)}),
    "last deleted": (lambda x: x[:-1], {("missing-line", CHAIN)}),
    "doubled": (lambda x: [*x[:5], x[5], *x[5:]], {("added-line", 6)}),
    "doubled far away": (lambda x: [*x, x[2]], {("added-line", RECORDS)}),
    "neighbours swapped": (swap(5, 6), {("moved-line", 5)}),
    "distant ones swapped": (swap(2, 10), {("moved-line", 2), ("moved-line", 10)}),
    "not JSON": (lambda x: [*x[:5], b"{nonsense\n", *x[6:]], {("changed-line", 5)}),
    "NaN": (
        lambda x: [*x[:5], x[5].replace(b'"length":', b'"length":NaN,"length":'), *x[6:]],
        {("changed-line", 5)},
    ),
    "a key twice": (
        lambda x: [*x[:5], x[5].replace(b'{"', b'{"digest":"x","', 1), *x[6:]],
        {("changed-line", 5)},
    ),
    "a space": (lambda x: [*x[:5], x[5].replace(b",", b", ", 1), *x[6:]], {("changed-line", 5)}),
    "CRLF": (lambda x: [*x[:5], x[5].replace(b"\n", b"\r\n"), *x[6:]], {("changed-line", 5)}),
    "a huge number": (lambda x: [*x[:5], edited(x[5], offset=10**30), *x[6:]], {("changed-line", 5)}),
    "a negative number": (lambda x: [*x[:5], edited(x[5], length=-1), *x[6:]], {("changed-line", 5)}),
    "no digest": (lambda x: [*x[:5], edited(x[5], digest="sha256:zz"), *x[6:]], {("changed-line", 5)}),
    "deep nesting": (lambda x: [*x[:5], b'{"picture":' * 90_000 + b"\n", *x[6:]], {("changed-line", 5)}),
    "not UTF-8": (lambda x: [*x[:5], x[5].replace(b"news", b"n\xffws"), *x[6:]], {("changed-line", 5)}),
    "another hash": (
        lambda x: [re.sub(rb'(phash64[^"]*":")..', rb"\g<1>zz", y) for y in x],
        {("changed-line", PICTURE)},
    ),
    "another label": (lambda x: [y.replace(b"phash64", b"phash65") for y in x], {("changed-line", PICTURE)}),
    "an empty line": (lambda x: [*x[:5], b"\n", *x[5:]], {("added-line", 5)}),
    "bytes appended": (lambda x: [*x, b"\0" * 9], {("added-line", RECORDS)}),
    "last line end missing": (lambda x: [*x[:-1], x[-1][:-1]], {("changed-line", CHAIN)}),
    "all in reverse": (lambda x: x[::-1], {("moved-line", n) for n in range(CHAIN)}),
}


@pytest.mark.parametrize("name", LINE_CASES)
def test_lines(name: str, root: Path, sandbox: Sandbox) -> None:
    alter, expected = LINE_CASES[name]
    archives.put_lines(root, alter(archives.lines(root)))
    findings = check(root, sandbox)
    assert rows(findings, root) == {(code, "list", record) for code, record in expected}
    assert len(findings) == len(expected)
    assert {each.verdict for each in findings} <= {"failed", "incomplete"}


def test_command(root: Path) -> None:
    archives.put_lines(root, archives.lines(root)[:-1])
    code, printed = command(root)
    assert (code, printed[0]["code"], printed[0]["record"]) == (4, "missing-line", CHAIN)
    assert printed[0]["uri"] == "urn:archiver:certificates:news.example"


def test_list_and_warc_both_damaged(root: Path, sandbox: Sandbox) -> None:
    """The lines that are left still say which record changed."""
    archives.put_members(root, at(PICTURE, flip(300))(members(root)))
    archives.put_lines(root, at(CODED, lambda _: b"x\n")(archives.lines(root)))
    assert rows(check(root, sandbox), root) == {
        ("changed-record", "warc", PICTURE),
        ("changed-line", "list", CODED),
        ("tree-unknown", "manifest.json", None),
    }
