"""What an attacker with the disk can do to an archive, as data."""

import gzip
import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import archives
from attacker import Files, Target, packed, parts, put, said, token, with_block

from archiver.digests import digest
from archiver.index import catalogue
from archiver.manifest import manifest as commitment
from archiver.manifest import signednote
from archiver.warc.read import parse_member

NUMBER = 1  # the WARC file that most attacks change: there is one before it and one after it


@dataclass(frozen=True)
class OnRecords:
    """A change of WARC files. `leave`: what of warcinfo is not made to fit, since it is what was changed."""

    area: str
    name: str
    change: Callable[[Files], Files]
    leave: frozenset[str] = frozenset()

    def alone(self, root: Path, target: Target) -> None:
        """Change the WARC files and nothing else."""
        files = target.files()
        for name, _ in files:
            (root / f"warcs/{name}.warc.gz").unlink()
        for name, members in self.change(files):
            (root / f"warcs/{name}.warc.gz").write_bytes(b"".join(members))


@dataclass(frozen=True)
class OnDisk:
    """A change of any other file."""

    area: str
    name: str
    do: Callable[[Path], object]

    def alone(self, root: Path, _: Target) -> None:
        self.do(root)


# --- WARC files ----------------------------------------------------------------------------------


def other(value: str) -> str:
    """The value with its last digit or lower-case letter replaced."""
    place = max(value.rfind(each) for each in "0123456789abcdefghijklmnopqrstuvwxyz")
    new = {"0": "1", "a": "b"}.get(value[place], chr(ord(value[place]) - 1))
    return value[:place] + new + value[place + 1 :]


def member(place: int, alter: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    """Alter one record of the WARC file."""

    def change(files: Files) -> Files:
        name, members = files[NUMBER]
        after = alter(members[place])
        if after == members[place]:
            raise ValueError("nothing was changed")
        return [*files[:NUMBER], (name, archives.at(place, lambda _: after)(members)), *files[NUMBER + 1 :]]

    return change


def in_file(alter: Callable[[list[bytes]], list[bytes]]) -> Callable[[Files], Files]:
    """Alter the sequence of records of the WARC file."""

    def change(files: Files) -> Files:
        name, members = files[NUMBER]
        return [*files[:NUMBER], (name, alter(list(members))), *files[NUMBER + 1 :]]

    return change


def header(name: str, stored: bytes) -> bytes:
    head, block = parts(stored)
    value = parse_member(stored).get(name) or ""
    return packed(put(head, name, other(value)), block)


def block(stored: bytes) -> bytes:
    """A letter or byte of the block changed, and the record's own digests made to fit."""
    before = parts(stored)[1]
    third = len(before) * 2 // 3
    letter = re.search(rb"[a-z]", before[third:])
    name = before.find(b"000.txt")  # in a note, where other places may be those of random digits
    place = name if name >= 0 else third + letter.start() if letter else third
    return with_block(stored, before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])


def record_attacks(target: Target) -> Iterator[OnRecords]:
    """Every header field of every type of record, and the block."""
    seen: set[tuple[str, str]] = set()
    for place, stored in enumerate(target.files()[NUMBER][1]):
        kind = parse_member(stored).type
        for line in parts(stored)[0][1:]:
            name = line.decode().partition(":")[0]
            if (kind, name) not in seen:
                seen.add((kind, name))
                yield OnRecords(f"`{kind}`", f"`{name}`", member(place, partial(header, name)))
        if (kind, "") not in seen and kind != "warcinfo":
            seen.add((kind, ""))
            yield OnRecords(f"`{kind}`", "its block", member(place, block))
    yield OnRecords(
        "`warcinfo`", "its block: `software`", member(0, lambda m: said(m, {"software": "other"}))
    )
    yield OnRecords("`warcinfo`", "its block: `isPartOf`", member(0, _part_of), frozenset({"isPartOf"}))
    for name in ("beacon", "signing-key"):
        leave = frozenset({name})
        gone = partial(said, fields={name: None})
        yield OnRecords("`warcinfo`", f"its block: no `{name}`", member(0, gone), leave)
    for name in ("note", "signatures", "timestamps"):
        alter = partial(_beacon, name)
        yield OnRecords("`warcinfo`", f"its block: `beacon.{name}`", member(0, alter), frozenset({"beacon"}))
    thief = str(target.thief.verifier(archives.manifest(target.root).origin))
    named = partial(said, fields={"signing-key": thief})
    yield OnRecords("`warcinfo`", "its block: `signing-key`", member(0, named), frozenset({"signing-key"}))


def _part_of(stored: bytes) -> bytes:
    return said(stored, {"isPartOf": "archiver/" + "0" * 32})


def _beacon(name: str, stored: bytes) -> bytes:
    line = next(each for each in parts(stored)[1].decode().split("\r\n") if each.startswith("beacon: "))
    value = json.loads(line.removeprefix("beacon: "))
    value[name] = other(value[name]) if name == "note" else [other(each) for each in value[name]]
    return said(stored, {"beacon": json.dumps(value, ensure_ascii=True, sort_keys=True)})


def sequence_attacks() -> Iterator[OnRecords]:
    """Records and files deleted, added, swapped, doubled, renamed, cut."""
    records: dict[str, Callable[[list[bytes]], list[bytes]]] = {
        "the first one deleted": lambda m: m[1:],
        "one deleted": lambda m: m[:4] + m[5:],
        "the last one deleted": lambda m: m[:-1],
        "one added": lambda m: [*m[:4], header("WARC-Record-ID", block(m[3])), *m[4:]],
        "one added at the end": lambda m: [*m, header("WARC-Record-ID", block(m[3]))],
        "two swapped": archives.swap(3, 4),
        "one doubled": lambda m: [*m[:4], *m[3:]],
        "one replaced by another": lambda m: [*m[:4], m[3], *m[5:]],
        "one compressed anew": lambda m: [*m[:4], gzip.compress(gzip.decompress(m[4]), 1, mtime=1), *m[5:]],
    }
    for name, alter in records.items():
        yield OnRecords("records", name, in_file(alter))
    made = ("20261124T000000Z-0000", [])
    files: dict[str, Callable[[Files], Files]] = {
        "the oldest deleted": lambda f: f[1:],
        "one deleted": lambda f: [f[0], f[2]],
        "the newest deleted": lambda f: f[:-1],
        "one added": lambda f: [f[0], (made[0], list(map(block, f[1][1][3:5]))), *f[1:]],
        "one added at the end": lambda f: [*f, (made[0], [f[2][1][0], *map(block, f[1][1][3:5])])],
        "one renamed": lambda f: [f[0], (made[0], f[1][1]), f[2]],
        "one cut after a record": lambda f: [f[0], (f[1][0], f[1][1][:5]), f[2]],
        "one emptied": lambda f: [f[0], (f[1][0], []), f[2]],
        "two exchanged": lambda f: [f[0], (f[1][0], f[2][1]), (f[2][0], f[1][1])],
    }
    for name, change in files.items():
        yield OnRecords("WARC files", name, change)


# --- record lists --------------------------------------------------------------------------------

LINE = 4  # of a picture, which has nearly every key


def _edited(value: Any) -> Any:
    if isinstance(value, dict):
        return {**value, "width": value["width"] + 1} if "width" in value else value
    return value + 1 if isinstance(value, int) else other(value)


def _line(key: str, line: bytes) -> bytes:
    value = json.loads(line)
    value[key] = _edited(value[key]) if key in value else "x"
    return (json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _list(root: Path, alter: Callable[[list[bytes]], list[bytes]], *, fit: bool) -> None:
    archives.put_lines(root, alter(archives.lines(root, NUMBER)), NUMBER)
    if fit:
        _fit_list(root)


def _fit_list(root: Path) -> None:
    """The manifest gives the list's length, digest and number of lines."""
    after = archives.raw_manifest(root)
    data = (root / archives.listed(root, NUMBER)).read_bytes()
    after["warcs"][NUMBER]["list"] |= {"bytes": len(data), "digest": digest(data)}
    after["warcs"][NUMBER]["records"] = len(data.splitlines())
    archives.put_manifest(root, after)


KEYS = ("offset", "length", "digest", "type", "id", "date", "uri", "refers_to", "status", "mime")
KEYS += ("payload_digest", "payload_bytes", "truncated", "picture", "unreadable")


def list_attacks() -> Iterator[OnDisk]:
    lists: dict[str, Callable[[list[bytes]], list[bytes]]] = {
        f"`{key}`": archives.at(LINE, partial(_line, key)) for key in KEYS
    }
    lists |= {
        "a line deleted": lambda lines: lines[:4] + lines[5:],
        "a line doubled": lambda lines: [*lines[:4], *lines[3:]],
        "two lines swapped": archives.swap(3, 4),
        "emptied": lambda _: [],
    }
    for name, alter in lists.items():
        yield OnDisk("record list", name, partial(_list, alter=alter, fit=False))
        yield OnDisk("record list, which `manifest.json` fits", name, partial(_list, alter=alter, fit=True))
    yield OnDisk("record list", "deleted", lambda root: (root / archives.listed(root, NUMBER)).unlink())


# --- manifest.json -------------------------------------------------------------------------------


def _at(root: Path, *path: Any, to: Callable[[Any], Any] = _edited) -> None:
    """Change what a path through manifest.json leads to."""
    after = inner = archives.raw_manifest(root)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to(inner[path[-1]])
    archives.put_manifest(root, after)


def _gone(_: Any) -> list[Any]:
    return []


def _short(values: list[Any]) -> list[Any]:
    return values[:-1]


def _swapped(values: list[Any]) -> list[Any]:
    return [values[0], values[2], values[1], *values[3:]]


def manifest_attacks(target: Target) -> Iterator[OnDisk]:
    origin = archives.manifest(target.root).origin
    note = archives.manifest(target.root).checkpoints[-1].note
    thief = target.thief
    line = str(signednote.sign(thief.private, "somebody.example", note))
    fields: list[tuple[str, tuple[Any, ...], Callable[[Any], Any]]] = [
        ("`format`", ("format",), lambda _: "archiver-manifest/2"),
        ("`origin`", ("origin",), _edited),
        ("`keys`: one changed", ("keys", 0), lambda _: str(thief.verifier(origin))),
        ("`keys`: one removed", ("keys",), _gone),
        ("`keys`: one added", ("keys",), lambda keys: [*keys, str(thief.verifier(origin))]),
        ("`warcs`: the newest dropped", ("warcs",), _short),
        ("`warcs`: two swapped", ("warcs",), _swapped),
        ("`warcs[].path`", ("warcs", NUMBER, "path"), lambda path: path.replace("-", "_", 1)),
        *((f"`warcs[].{key}`", ("warcs", NUMBER, key), _edited) for key in ("bytes", "digest", "records")),
        ("`warcs[].list.path`", ("warcs", NUMBER, "list", "path"), lambda path: path.replace("-", "_", 1)),
        *((f"`warcs[].list.{key}`", ("warcs", NUMBER, "list", key), _edited) for key in ("bytes", "digest")),
        ("`tree.size`", ("tree", "size"), _edited),
        ("`tree.root`", ("tree", "root"), _edited),
        ("`checkpoints`: the newest dropped", ("checkpoints",), _short),
        ("`checkpoints`: all dropped", ("checkpoints",), _gone),
        ("`checkpoints`: two swapped", ("checkpoints",), _swapped),
        ("`checkpoints[].note`", ("checkpoints", NUMBER, "note"), lambda note: note.replace("\n", "\n1", 1)),
        ("`checkpoints[].signatures`: one changed", ("checkpoints", NUMBER, "signatures", 0), _edited),
        ("`checkpoints[].signatures`: an older one dropped", ("checkpoints", NUMBER, "signatures"), _gone),
        ("`checkpoints[].signatures`: the newest dropped", ("checkpoints", -1, "signatures"), _gone),
        (
            "`checkpoints[].signatures`: a stranger's added",
            ("checkpoints", -1, "signatures"),
            lambda lines: [*lines, line],
        ),
    ]
    for name, path, to in fields:
        yield OnDisk("manifest.json", name, partial(_at_path, path=path, to=to))
    yield OnDisk("manifest.json", "deleted", lambda root: (root / commitment.NAME).unlink())
    yield from stamp_attacks(target)


def _at_path(root: Path, path: tuple[Any, ...], to: Callable[[Any], Any]) -> None:
    _at(root, *path, to=to)


def stamp_attacks(target: Target) -> Iterator[OnDisk]:
    newest, older = ("checkpoints", -1, "timestamps"), ("checkpoints", NUMBER, "timestamps")
    point = archives.manifest(target.root).checkpoints[-1]
    false = token(target.fake, point.stamped(len(point.signatures)))
    fields: list[tuple[str, tuple[Any, ...], Callable[[Any], Any]]] = [
        ("`kind`", (*newest, 0, "kind"), lambda _: "opentimestamps"),
        ("`authority`", (*newest, 0, "authority"), _edited),
        ("`over`: fewer lines", (*newest, 0, "over"), lambda over: over - 1),
        ("`over`: more lines than there are", (*newest, 0, "over"), lambda _: 99),
        ("`token`: a byte changed", (*newest, 0, "token"), lambda text: text[:-40] + "AAAA" + text[-36:]),
        ("`token`: of another authority", (*newest, 0, "token"), lambda _: false),
        ("an older one dropped", older, _gone),
        ("the newest dropped", newest, _gone),
        ("all dropped", ("checkpoints",), lambda all_: [each | {"timestamps": []} for each in all_]),
    ]
    for name, path, to in fields:
        yield OnDisk("timestamps", f"`timestamps[]`: {name}", partial(_at_path, path=path, to=to))

    def falsely(root: Path) -> None:
        _at(root, *newest, 0, "token", to=lambda _: false)
        shutil.copy(target.fake.roots, root / "trust" / "more.pem")

    yield OnDisk("timestamps", "a token and `trust/` of the attacker's own authority", falsely)


# --- what is derived, and the rest of the folder -------------------------------------------------


def _rows(root: Path, sql: str, *, fit: bool) -> None:
    with closing(sqlite3.connect(root / catalogue.NAME)) as db, db:
        db.execute(sql)
    if fit:
        found = hashlib.sha256((root / catalogue.NAME).read_bytes()).hexdigest()
        archives.write(root, catalogue.DIGEST_NAME, f"{found}  {catalogue.NAME}\n".encode())


def other_attacks(target: Target) -> Iterator[OnDisk]:
    statements = {
        "a row changed": "UPDATE records SET uri = 'http://other.example/' WHERE rowid = 1",
        "a row deleted": "DELETE FROM records WHERE rowid = 1",
        "a view added": "CREATE VIEW more AS SELECT 1",
    }
    for name, sql in statements.items():
        yield OnDisk("catalogue.db", name, partial(_rows, sql=sql, fit=False))
        yield OnDisk("catalogue.db", f"{name}, `catalogue.sha256` fits", partial(_rows, sql=sql, fit=True))
    files: list[tuple[str, str, Callable[[Path], object]]] = [
        ("catalogue.db", "a write-ahead log beside it", lambda root: _write(root, "catalogue.db-wal")),
        ("catalogue.db", "deleted", lambda root: (root / catalogue.NAME).unlink()),
        (
            "catalogue.sha256",
            "changed",
            lambda root: archives.change(root, catalogue.DIGEST_NAME, bytes.upper),
        ),
        ("catalogue.sha256", "deleted", lambda root: (root / catalogue.DIGEST_NAME).unlink()),
        ("checks.json", "changed", lambda root: archives.change(root, "checks.json", _unchecked)),
        ("checks.json", "deleted", lambda root: (root / "checks.json").unlink()),
        ("trust/", "another's root in its place", partial(_trust, target.fake.roots)),
        ("trust/", "another's root added", partial(_trust, target.fake.roots, name="more.pem")),
        ("trust/", "no certificate any more", lambda root: _write(root, "trust/roots.pem")),
        ("trust/", "deleted", lambda root: shutil.rmtree(root / "trust")),
        ("archiver.toml", "no authority any more", lambda root: archives.write(root, "archiver.toml", b"")),
        ("folder", "a file in `warcs/`", lambda root: _write(root, "warcs/more.warc.gz")),
        (
            "folder",
            "a file ending in `.open` in `warcs/`",
            lambda root: _write(root, "warcs/more.warc.gz.open"),
        ),
        ("folder", "a file elsewhere", lambda root: _write(root, "more.txt")),
    ]
    for area, name, do in files:
        yield OnDisk(area, name, do)


def _write(root: Path, name: str) -> None:
    (root / name).write_bytes(b"x")


def _trust(roots: Path, root: Path, name: str = "roots.pem") -> None:
    archives.write(root, f"trust/{name}", roots.read_bytes())


def _unchecked(data: bytes) -> bytes:
    return data.replace(b'"ok"', b'"failed"')


def everything(target: Target) -> list[OnRecords | OnDisk]:
    found: list[OnRecords | OnDisk] = [*record_attacks(target), *sequence_attacks()]
    return [*found, *list_attacks(), *manifest_attacks(target), *other_attacks(target)]
