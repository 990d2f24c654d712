"""Files swapped, renamed, missing, added, or no files at all; the manifest; edits that fit together."""

import gzip
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import archives
import pytest
from archives import (
    CHUNKED,
    HTML,
    PICTURE,
    SOURCE,
    STAND_INS,
    at,
    change,
    check,
    command,
    flip,
    members,
    repacked,
    rows,
)
from click.testing import CliRunner

from archiver.cli import main
from archiver.digests import digest
from archiver.sandbox import Sandbox

# --- files ---------------------------------------------------------------------------------------


def test_untouched(root: Path, sandbox: Sandbox) -> None:
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o755 if path.is_dir() else 0o640)
    assert check(root, sandbox) == []
    assert check(root, sandbox, deep=True) == []
    assert command(root)[0] == 0
    assert command(root, "--deep")[0] == 0


def exchange(root: Path, one: str, other: str) -> None:
    data = (root / one).read_bytes()
    archives.write(root, one, (root / other).read_bytes())
    archives.write(root, other, data)


def test_warcs_swapped(root: Path, sandbox: Sandbox) -> None:
    pair = [archives.warc(root, 0), archives.warc(root, 2)]
    exchange(root, *pair)
    assert {(each.code, each.file) for each in check(root, sandbox)} == {
        ("swapped-file", name) for name in pair
    }
    assert command(root)[0] == 4


def test_lists_swapped(root: Path, sandbox: Sandbox) -> None:
    pair = [archives.listed(root, 0), archives.listed(root, 2)]
    exchange(root, *pair)
    assert {(each.code, each.file) for each in check(root, sandbox)} == {
        ("swapped-file", name) for name in pair
    }


def test_warcs_and_lists_swapped(root: Path, sandbox: Sandbox) -> None:
    files = [name(root, number) for number in (0, 2) for name in (archives.warc, archives.listed)]
    exchange(root, files[0], files[2])
    exchange(root, files[1], files[3])
    found = {(each.code, each.file) for each in check(root, sandbox)}
    assert found == {("swapped-file", name) for name in files} | {("tree-unknown", "manifest.json")}


def test_renamed(root: Path, sandbox: Sandbox) -> None:
    name = archives.warc(root)
    (root / name).rename(root / "warcs/other.warc.gz")
    assert {(each.code, each.file) for each in check(root, sandbox)} == {
        ("missing-file", name),
        ("unlisted-file", "warcs/other.warc.gz"),
    }


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("stand_in", STAND_INS)
@pytest.mark.parametrize("which", ["warc", "list", "manifest"])
def test_something_else_in_a_files_place(
    which: str, stand_in: str, deep: bool, root: Path, sandbox: Sandbox
) -> None:
    name = {"warc": archives.warc(root), "list": archives.listed(root), "manifest": "manifest.json"}[which]
    make, code = STAND_INS[stand_in]
    moved = root / "elsewhere" if stand_in != "link" else (root / name).with_name("elsewhere")
    (root / name).rename(moved)
    make(root / name)
    found = [each for each in check(root, sandbox, deep=deep) if each.verdict in ("failed", "incomplete")]
    assert [(each.code, each.file) for each in found if each.code != "unlisted-file"] == [(code, name)]
    assert command(root)[0] == 4


def test_the_folder_of_all_files_is_gone(root: Path, sandbox: Sandbox) -> None:
    (root / "warcs").rename(root / "gone")
    findings = check(root, sandbox, deep=True)
    assert {each.code for each in findings if each.verdict != "unverifiable"} == {"missing-file"}
    assert command(root)[0] == 4


@pytest.mark.parametrize(
    "name",
    [
        b"evil.warc.gz",
        b"evil.exe",
        b"a\nb",
        b"\xff\xfe.warc.gz",
        b"\x1b[31m.records.jsonl",
        b"x" * 250,
        b"..warc.gz",
        b"a b.warc.gz.open",
    ],
    ids=repr,
)
def test_added_file(name: bytes, root: Path, sandbox: Sandbox) -> None:
    (root / "warcs" / os.fsdecode(name)).write_bytes(b"x")
    (found,) = check(root, sandbox)
    assert found.code == "unlisted-file"
    found.file.encode()
    code, printed = command(root)
    assert (code, printed[0]["code"]) == (4, "unlisted-file")
    assert CliRunner().invoke(main, ["verify", str(root)]).exit_code == 4


def test_capture_that_is_not_sealed_yet_is_no_damage(root: Path) -> None:
    (root / "warcs/20261122T000000Z-0000.warc.gz.open").write_bytes(b"x")
    code, printed = command(root)
    assert (code, printed[0]["code"]) == (3, "unsealed")


def test_crash_between_manifest_and_rename(root: Path) -> None:
    for name in (archives.warc(root), archives.listed(root)):
        (root / name).rename(root / f"{name}.open")
    code, printed = command(root, "--deep")
    assert code == 3
    assert {row.get("code") for row in printed[:-1]} <= {"unsealed", "catalogue-unread"}


def test_open_file_beside_a_sealed_one(root: Path, sandbox: Sandbox) -> None:
    name = archives.warc(root) + ".open"
    (root / name).write_bytes(b"x")
    assert [(each.code, each.file) for each in check(root, sandbox)] == [("unlisted-file", name)]


def test_sparse_zeros_do_not_take_long(root: Path, sandbox: Sandbox) -> None:
    """2 TiB more than was committed: they are not read."""
    with (root / archives.listed(root)).open("r+b") as file:
        file.truncate(1 << 41)
    assert {each.file for each in check(root, sandbox)} == {archives.listed(root)}


@pytest.mark.parametrize("name", ["warc", "list"])
def test_without_a_manifest_each_file_is_judged_by_its_list(name: str, root: Path, sandbox: Sandbox) -> None:
    if name == "warc":
        archives.put_members(root, at(CHUNKED, flip(99))(members(root)))
    else:
        archives.put_lines(root, at(SOURCE, lambda _: b"?\n")(archives.lines(root)))
    path = getattr(archives, "warc" if name == "warc" else "listed")(root)
    (root / "manifest.json").write_bytes(b"{}")
    found = {(each.code, each.file, each.record) for each in check(root, sandbox)}
    expected = ("changed-record", path, CHUNKED) if name == "warc" else ("changed-line", path, SOURCE)
    assert found == {("manifest", "manifest.json", None), expected}


# --- the manifest --------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of a JSON document that is no object or array, with the way to it."""
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(child, (*path, key))
    else:
        yield path, value


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(child, dict | list):
            yield from objects(child, (*path, key))


def follow(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def other_values(value: Any) -> list[Any]:
    if isinstance(value, int):
        return [
            value + 1,
            value - 1,
            -value,
            0,
            10**30,
            float(value),
            float("nan"),
            str(value),
            None,
            [value],
        ]
    swapped = [
        value[:n] + ("0" if value[n] != "0" else "1") + value[n + 1 :] for n in (0, len(value) // 2, -2)
    ]
    return [*swapped, value + "\n", value + "\x00", "", value.upper(), "\ud800", 1, None, {}, [value]]


def test_every_value_of_the_manifest(root: Path, sandbox: Sandbox) -> None:
    """Each is changed in every way; what only the manifest says is blamed on it and on nothing else."""
    before, tried = archives.raw_manifest(root), 0
    for path, value in leaves(before):
        for other in other_values(value):
            if json.dumps(other) == json.dumps(value):
                continue
            after = archives.raw_manifest(root)
            follow(after, path[:-1])[path[-1]] = other
            archives.put_manifest(root, after)
            found = check(root, sandbox)
            assert max(each.verdict in ("failed", "incomplete") for each in found), (path, other)
            assert len(found) < 8
            if path[-1] != "path":
                assert {each.file for each in found} == {"manifest.json"}, (path, other)
            archives.put_manifest(root, before)
            tried += 1
    assert tried > 300
    assert check(root, sandbox) == []


def test_every_key_of_the_manifest(root: Path, sandbox: Sandbox) -> None:
    before = archives.raw_manifest(root)
    for path in objects(before):
        for key in [*follow(before, path), "extra"]:
            after = archives.raw_manifest(root)
            (follow(after, path).pop(key, None) is not None) or follow(after, path).update({key: 1})
            archives.put_manifest(root, after)
            assert [(each.code, each.verdict) for each in check(root, sandbox)] == [("manifest", "failed")]
            archives.put_manifest(root, before)


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[: len(data) // 2],
    "line end missing": lambda data: data[:-1],
    "line end twice": lambda data: data + b"\n",
    "a space more": lambda data: data.replace(b": ", b":  ", 1),
    "no spaces": lambda data: json.dumps(json.loads(data)).encode(),
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "keys in another order": lambda data: (
        json.dumps(json.loads(data), sort_keys=True, indent=2).encode() + b"\n"
    ),
    "a key twice": lambda data: data.replace(b'{\n  "format"', b'{\n  "format": "x",\n  "format"', 1),
    "NaN": lambda data: data.replace(b'"size": ', b'"size": NaN', 1),
    "an exponent": lambda data: data.replace(b'"size": 39', b'"size": 39e0'),
    "escaped letters": lambda data: data.replace(b'"warcs/', b'"\\u0077arcs/', 1),
    "not UTF-8": lambda data: data.replace(b"archiver/", b"archiver\xff", 1),
    "another document appended": lambda data: data + data,
    "deep nesting": lambda _: b'{"format":' * 200_000,
    "deep array": lambda _: b"[" * 1_000_000,
    "a long number": lambda data: data.replace(b'"size": 39', b'"size": ' + b"9" * 100_000),
    "no object": lambda _: b"null\n",
    "newer, in this form": lambda data: data.replace(b"archiver-manifest/1", b"archiver-manifest/2"),
}


@pytest.mark.parametrize("name", FORMS)
def test_form_of_the_manifest(name: str, root: Path) -> None:
    change(root, "manifest.json", FORMS[name])
    code, printed = command(root)
    assert code == 4
    assert [(row.get("code"), row.get("file")) for row in printed[:-1]] == [("manifest", "manifest.json")]


def test_newer_layout_is_not_judged(root: Path) -> None:
    archives.put_manifest(root, {"format": "archiver-manifest/2", "something": "else"})
    assert command(root)[0] == 5


def test_no_archive_at_all(tmp_path: Path) -> None:
    assert command(tmp_path)[0] == 5


Alter = Callable[[dict[str, Any]], object]
MANIFEST_CASES: dict[str, tuple[Alter, set[str]]] = {
    "first checkpoint removed": (lambda m: m["checkpoints"].pop(0), {"checkpoints", "checkpoint", "beacon"}),
    "last checkpoint removed": (lambda m: m["checkpoints"].pop(), {"checkpoints"}),
    "checkpoint added": (lambda m: m["checkpoints"].append(m["checkpoints"][-1]), {"checkpoints"}),
    "checkpoints swapped": (lambda m: m["checkpoints"].reverse(), {"checkpoint", "beacon"}),
    "WARC files swapped": (lambda m: m["warcs"].reverse(), {"tree-head", "checkpoint", "beacon"}),
    "WARC file twice": (
        lambda m: m["warcs"].append(m["warcs"][0]),
        {"manifest-entry", "tree-head", "checkpoints"},
    ),
    "last WARC file cut": (lambda m: m["warcs"].pop(), {"unlisted-file", "tree-head", "checkpoints"}),
    "first WARC file cut": (
        lambda m: m["warcs"].pop(0),
        {"unlisted-file", "tree-head", "checkpoints", "checkpoint", "beacon"},
    ),
    "lists of two files swapped": (
        lambda m: (
            m["warcs"][0].update(list=m["warcs"][1]["list"]),
            m["warcs"][1].update(list=m["warcs"][0]["list"]),
        ),
        {"manifest-entry", "unlisted-file", "changed-line", "missing-line", "added-line", "moved-line"},
    ),
    "all cut": (lambda m: m.update(warcs=[], checkpoints=[]), {"unlisted-file", "tree-head"}),
}


@pytest.mark.parametrize("name", MANIFEST_CASES)
def test_manifest(name: str, root: Path, sandbox: Sandbox) -> None:
    alter, expected = MANIFEST_CASES[name]
    after = archives.raw_manifest(root)
    alter(after)
    archives.put_manifest(root, after)
    found = {each.code for each in check(root, sandbox)}
    assert found
    assert found <= expected
    if "lists" not in name:
        assert found == expected
    assert command(root)[0] == 4


# --- edits that fit together ---------------------------------------------------------------------


def edit_record(root: Path) -> None:
    """Another body in a record, its own digests and its line made to fit."""
    record = at(PICTURE, lambda m: repacked(m, lambda r: r.replace(b"\xff\xd9", b"\xff\xd8")))
    archives.put_members(root, record(members(root)))
    archives.relist(root)


def test_record_and_line_edited(root: Path, sandbox: Sandbox) -> None:
    edit_record(root)
    assert rows(check(root, sandbox), root) == {
        ("warc-digest", "warc", None),
        ("record-list-digest", "list", None),
        ("tree-unknown", "manifest.json", None),
    }


def test_record_line_and_manifest_edited(root: Path, sandbox: Sandbox) -> None:
    """Only the tree is left; its checkpoints say up to which file all is as it was."""
    edit_record(root)
    archives.recommit(root, tree=False)
    findings = check(root, sandbox)
    assert {each.code for each in findings} == {"tree-head", "checkpoint"}
    assert archives.warc(root) in next(each.message for each in findings if each.code == "checkpoint")
    assert command(root)[0] == 4


def test_deep_finds_a_block_digest_that_was_wrong_when_sealed(root: Path, sandbox: Sandbox) -> None:
    edit_record(root)
    archives.recommit(root, tree=True)
    found = check(root, sandbox, deep=True)
    assert {("block-digest", "warc", PICTURE), ("payload-digest", "warc", PICTURE)} <= rows(found, root)
    assert command(root, "--deep")[0] == 4


def test_newest_captures_cut_off_give_an_older_tree_head(root: Path, sandbox: Sandbox) -> None:
    """The last file and all that tells of it: an older state, denied by a tree head kept elsewhere alone."""
    last = archives.manifest(root).warcs[-1]
    after = archives.raw_manifest(root)
    after["warcs"].pop()
    after["checkpoints"].pop()
    archives.put_manifest(root, after)
    for name in (last.path, last.list.path, "catalogue.db", "catalogue.sha256"):
        (root / name).unlink()
    archives.recommit(root, tree=True)
    assert check(root, sandbox, deep=True) == []
    assert command(root)[1][-1]["tree_size"] == 2 * archives.RECORDS


def test_deep_finds_a_file_of_another_archive(root: Path, sandbox: Sandbox) -> None:
    """A `warcinfo` that says so, with digests that hold."""
    record = re.sub(rb"isPartOf: archiver/.", b"isPartOf: archiver/z", gzip.decompress(members(root)[0]))
    block = record.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n\r\n")
    record = re.sub(rb"(?<=WARC-Block-Digest: )sha256:\w+", digest(block).encode(), record)
    archives.put_members(root, at(0, lambda _: gzip.compress(record))(members(root)))
    archives.relist(root)
    archives.recommit(root, tree=True)
    (root / "catalogue.db").unlink()
    assert rows(check(root, sandbox, deep=True), root) == {
        ("origin", "warc", 0),
        ("beacon", "manifest.json", None),
    }


def test_a_record_that_stands_twice_in_what_was_sealed(root: Path, sandbox: Sandbox) -> None:
    archives.put_members(root, [*members(root), members(root)[HTML]])
    archives.relist(root)
    archives.recommit(root, tree=True)
    (root / "catalogue.db").unlink()
    assert rows(check(root, sandbox, deep=True), root) == {
        ("record-id", "warc", archives.RECORDS),
        ("beacon", "manifest.json", None),
    }
