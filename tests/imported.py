"""Files of others in an archive, taken in without a command, and ways to damage them."""

import gzip
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import archives
from foreign_files import header

from archiver import upkeep
from archiver.archive import Archive
from archiver.index.reader import describe_stretch
from archiver.keys import KeyFolder
from archiver.manifest.manifest import CommittedWarc
from archiver.sandbox import Sandbox
from archiver.storage import LISTED
from archiver.warc.foreign import stretches

URL = "http://old.example/"
THIEF = "archiver/" + "0" * 32
COPIED, LINKED, OTHER = "imports/old.warc.gz", "imports/linked.warc", "imports/other.warc"


def record(kind: str, uri: str, block: bytes, *more: tuple[str, str], version: str = "1.0") -> bytes:
    """A plain record as another program writes it."""
    fields = [
        ("WARC-Type", kind),
        ("WARC-Date", "2012-05-06T07:08:09Z"),
        ("Content-Length", str(len(block))),
        *([("WARC-Target-URI", uri)] if uri else []),
        *more,
    ]
    return header(fields, version) + block + b"\r\n\r\n"


def answer(number: int) -> bytes:
    """A plain response record; all of them have the same id."""
    body = f"<title>{number}</title><p>{number * 'old news '}".encode()
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    kind = ("Content-Type", "application/http; msgtype=response")
    return record("response", f"{URL}{number}", block, kind, ("WARC-Record-ID", "<urn:uuid:same>"))


def plain(count: int = 6) -> bytes:
    return b"".join(map(answer, range(count)))


def hostile() -> bytes:
    """The warcinfo record of somebody who would speak for this archive, and a wrong digest."""
    key = f"{THIEF}+00000000+AQ=="
    lines = [
        f"isPartOf: {THIEF}",
        f"signing-key: {key}",
        f"next-signing-key: {key}",
        'beacon: {"note":"x"}',
        "",
    ]
    info = record("warcinfo", "", "\r\n".join(lines).encode(), ("Content-Type", "application/warc-fields"))
    wrong = ("WARC-Block-Digest", f"sha256:{64 * '0'}")
    return info + record("resource", f"{URL}wrong", b"damaged before it came", wrong)


def take(
    archive: Archive, source: Path | bytes, name: str, sandbox: Sandbox, *, link: bool = False
) -> CommittedWarc:
    """Take a file in as `import` does; only under the lock."""
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as walked:
        entries = (describe_stretch(each, sandbox) for each in stretches(walked))
        given = BytesIO(source) if isinstance(source, bytes) else source
        return archive.take(given, name, entries, link=link)


def make(folder: Path, sandbox: Sandbox, keys: KeyFolder | None = None) -> Path:
    """An archive of one file of ours and three of others, one of them linked to beside the archive."""
    folder.mkdir(exist_ok=True)
    root = archives.make(folder / "archive", 1)
    outside = folder / "outside.warc"
    outside.write_bytes(plain())
    archive = Archive(root)
    with archive.lock("import"):
        if keys:
            archive.signer = upkeep.signer(archive, lambda _: None, keys)
            upkeep.seal_empty(archive, sandbox)
        packed = b"".join(gzip.compress(answer(number), mtime=0) for number in range(5))
        torn = packed + packed[:20] + b"no record at all"
        for name, source in ((COPIED, torn), (OTHER, hostile() + plain(3)), (LINKED, outside)):
            take(archive, source, Path(name).name, sandbox, link=name == LINKED)
        with upkeep.catalogue_of(archive, sandbox):
            pass
    return root


def copied(root: Path, into: Path) -> Path:
    """A copy with its own file outside, to which its link leads."""
    into.mkdir()
    again = Path(shutil.copytree(root, into / "archive", symlinks=True))
    (again / LINKED).unlink()
    shutil.copy(root.parent / "outside.warc", into / "outside.warc")
    (again / LINKED).symlink_to(into / "outside.warc")
    return again


def _swap(root: Path) -> None:
    one, other = (root / name for name in (COPIED, OTHER))
    first, second = one.read_bytes(), other.read_bytes()
    archives.write(root, COPIED, second)
    archives.write(root, OTHER, first)


def _relink(target: Callable[[Path], Path | str]) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        (root / LINKED).unlink()
        (root / LINKED).symlink_to(target(root))

    return do


def _without_line(root: Path) -> None:
    archives.change(root, COPIED + LISTED, lambda data: b"".join(data.splitlines(keepends=True)[1:]))


def _edited_line(root: Path) -> None:
    archives.change(root, OTHER + LISTED, lambda data: data.replace(b"old.example/1", b"new.example/1"))


def _other_place(root: Path) -> Path:
    other = root.parent / "elsewhere.warc"
    other.write_bytes(plain().replace(b"1</title>", b"2</title>"))
    return other


def _outside(alter: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        path = root.parent / "outside.warc"
        path.write_bytes(alter(path.read_bytes()))

    return do


DAMAGES: dict[str, tuple[Callable[[Path], object], frozenset[str]]] = {
    "a bit flipped in a record": (
        lambda root: archives.change(root, COPIED, archives.flip(300)),
        frozenset({"changed-record"}),
    ),
    "a bit flipped in bytes that are no record": (
        lambda root: archives.change(root, COPIED, archives.flip(-3)),
        frozenset({"changed-record"}),
    ),
    "cut in its last record": (
        lambda root: archives.change(root, OTHER, lambda data: data[:-30]),
        frozenset({"cut-record"}),
    ),
    "a record removed": (
        lambda root: archives.change(root, OTHER, lambda data: data.replace(answer(1), b"")),
        frozenset({"missing-record"}),
    ),
    "a record added": (
        lambda root: archives.change(
            root, OTHER, lambda data: data.replace(answer(1), answer(1) + answer(7))
        ),
        frozenset({"added-bytes"}),
    ),
    "exchanged with another imported file": (_swap, frozenset({"swapped-file"})),
    "deleted": (lambda root: (root / COPIED).unlink(), frozenset({"missing-file"})),
    "a line of its list removed": (_without_line, frozenset({"missing-line"})),
    "a line of its list edited": (_edited_line, frozenset({"changed-line"})),
    "a file added": (
        lambda root: archives.write(root, "imports/new.warc", plain()),
        frozenset({"unlisted-file"}),
    ),
    "linked: a bit flipped where it lies": (_outside(archives.flip(300)), frozenset({"changed-record"})),
    "linked: moved away": (lambda root: (root.parent / "outside.warc").unlink(), frozenset({"missing-file"})),
    "linked: the link turned to another file": (_relink(_other_place), frozenset({"changed-record"})),
    "linked: the link turned to itself": (_relink(lambda root: root / LINKED), frozenset({"not-a-file"})),
    "linked: the link turned to a folder": (_relink(lambda root: root.parent), frozenset({"not-a-file"})),
    "linked: the link turned to an endless device": (
        _relink(lambda _: "/dev/zero"),
        frozenset({"not-a-file"}),
    ),
    "linked: the link turned to a file of the system": (
        _relink(lambda _: "/etc/passwd"),
        frozenset({"warc-digest"}),
    ),
}
