"""An archive with all that proves it, an attacker who makes changes fit, and what `verify` says then."""

import gzip
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import archives
import msgspec
from authority import Authority
from evidence_archive import revisit_records

from archiver.archive import Archive, paths
from archiver.checks import Checks
from archiver.digests import digest
from archiver.errors import RecordError
from archiver.index import catalogue
from archiver.index.reader import describe
from archiver.keys import KeyFolder, OwnKey, Signing
from archiver.manifest import beacon, checkpoint, recordlist, signednote, timestamp
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Checkpoint, CommittedList, CommittedWarc, Manifest, Timestamp
from archiver.manifest.signers import SIGNING
from archiver.manifest.tree import Tree
from archiver.model import NOTE_FIELD, Entry, Record
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.verify import Trust, Verification
from archiver.verify.trust import Vouched, gather, kept_head
from archiver.warc.read import Member, parse_member

URL = "https://authority.example/tsr"
NOTE = '{"type":"fetch","url":"http://news.example/","purpose":"page","outcome":"whole","started":"-"}'
GIVEN = ("nothing", "--key", "--roots", "--against", "key folder")  # what `verify` has from outside

Files = list[tuple[str, list[bytes]]]
"""Of each WARC file: its name without folder and suffix, and its members."""

Level = Literal["unsigned", "own key", "stolen key", "fresh stamps", "own stamps"]
LEVELS: dict[Level, str] = {
    "unsigned": "signatures and timestamps that no longer hold are left out",
    "own key": "signed with a key of the attacker's",
    "stolen key": "signed with the stolen key",
    "fresh stamps": "signed with the stolen key, and stamped again by the real authority",
    "own stamps": "signed with the stolen key, and stamped by an authority of the attacker's",
}


@dataclass(frozen=True)
class Said:
    """What one check said: codes of findings; how many records are under no signature, no time from outside.

    Only keys, roots and times count that were there before the attack and that `verify` was given.
    """

    codes: frozenset[str]
    unsigned: int = 0
    untimed: int = 0
    warned: bool = False  # it says that the key folder knows more records


@dataclass
class Target:
    """An archive of three files, signed and stamped, and what its owner keeps elsewhere."""

    root: Path
    keys: KeyFolder
    authority: Authority
    fake: Authority  # the attacker's
    thief: OwnKey  # the attacker's
    sandbox: Sandbox
    until: datetime  # no honest timestamp is later
    trusts: dict[str, Trust] = field(default_factory=dict)
    before: dict[str, Said] = field(default_factory=dict)
    _known: dict[bytes, Entry] = field(default_factory=dict)  # what members say, for speed

    def ask(self, root: Path, given: str, *, deep: bool = False) -> Said:
        trust = self.trusts[given]
        check = Verification(root, sandbox=self.sandbox, trust=trust, thorough=deep)
        codes = frozenset(each.code for each in check.findings())
        if not (check.manifest and check.signatures and check.times and check.history):
            return Said(codes)
        signed = {each.at for each in check.signatures.signed if each.vouched}
        points = check.manifest.checkpoints
        covered = max((checkpoint.parse(points[at].note)[1] for at in signed), default=0)
        timed = [each.records for each in check.times.proved.values() if each.time <= self.until]
        size = check.manifest.tree.size
        return Said(
            codes,
            size - covered if trust.keys else 0,
            size - max(timed, default=0) if trust.roots else 0,
            bool(check.history.newer),
        )

    def row(self, root: Path) -> tuple[str, ...]:
        """A cell for each of GIVEN: codes of findings, `said` where the last lines prove less than before.

        After the first, a cell names only codes that the first has not.
        """
        alone = self.ask(root, GIVEN[0])
        rest = [self._cell(self.ask(root, given), self.before[given], alone.codes) for given in GIVEN[1:]]
        return (self._cell(alone, self.before[GIVEN[0]], frozenset()), *rest)

    @staticmethod
    def _cell(found: Said, before: Said, known: frozenset[str]) -> str:
        if found.codes:
            return ", ".join(f"`{code}`" for code in sorted(found.codes - known)) or "found"
        less = found.unsigned > before.unsigned or found.untimed > before.untimed or found.warned
        return "said" if less else "–"

    # --- what the attacker does ---

    def copy(self, root: Path) -> Path:
        """An archive to attack, in place of what may lie there."""
        if root.exists():
            shutil.rmtree(root)
        return Path(shutil.copytree(self.root, root))

    def files(self) -> Files:
        """The WARC files of the untouched archive."""
        found = []
        for number, warc in enumerate(archives.manifest(self.root).warcs):
            name = warc.path.removeprefix("warcs/").removesuffix(".warc.gz")
            found.append((name, archives.members(self.root, number)))
        return found

    def fit(
        self,
        root: Path,
        files: Files,
        level: Level,
        *,
        origin: str = "",
        leave: frozenset[str] = frozenset(),
        beacons: bool = True,
    ) -> None:
        """Put these WARC files into the archive in `root`, and make everything else fit.

        What still holds is kept: signatures and timestamps before the first change. `leave` are fields of
        warcinfo in the first changed file that are not made to fit, since they are what was changed. Without
        `beacons` the attacker forgets those of the files after it.
        """
        old, before, tree = archives.manifest(self.root), self.files(), Tree()
        made = msgspec.structs.replace(commitment.empty(), origin=origin or old.origin)
        whole = not origin
        shutil.rmtree(root / "warcs")
        (root / "warcs").mkdir()
        for name in (catalogue.NAME, catalogue.DIGEST_NAME):  # it is derived: 'archiver rebuild' makes it
            (root / name).unlink()
        for number, (name, members) in enumerate(files):
            left = leave if whole else frozenset()
            whole = whole and files[number] == dict(enumerate(before)).get(number)
            if not whole:
                fields = {
                    "isPartOf": made.origin,
                    beacon.FIELD: None,
                    SIGNING: self._signing(made.origin, level),
                }
                fields |= beacon.field(made, None)
                left |= set() if beacons else {beacon.FIELD}
                kept = {key: value for key, value in fields.items() if key not in left}
                members = [said(members[0], kept), *members[1:]] if members else []  # noqa: PLW2901
            made = self._sealed(root, made, tree, name, members)
            if whole:
                points = (*made.checkpoints[:-1], old.checkpoints[number])
                made = msgspec.structs.replace(made, keys=old.keys, checkpoints=points)
            else:
                made = self._vouched(made, level)
        if level == "own stamps":
            shutil.copy(self.fake.roots, root / "trust" / "more.pem")
        commitment.save(root, made)

    def _signing(self, origin: str, level: Level) -> str | None:
        if level == "unsigned":
            return None
        return str((self.thief if level == "own key" else self.keys.open("default")).verifier(origin))

    def _vouched(self, made: Manifest, level: Level) -> Manifest:
        """With what the attacker can give for the newest checkpoint."""
        if level == "unsigned":
            return made
        key = self.thief if level == "own key" else self.keys.open("default")
        line = signednote.sign(key.private, made.origin, made.checkpoints[-1].note)
        made = commitment.signed(made, -1, [(line, key.verifier(made.origin))])
        if level in ("fresh stamps", "own stamps"):
            authority = self.authority if level == "fresh stamps" else self.fake
            points = (*made.checkpoints[:-1], stamped(authority, made.checkpoints[-1]))
            made = msgspec.structs.replace(made, checkpoints=points)
        return made

    def _sealed(self, root: Path, made: Manifest, tree: Tree, name: str, members: list[bytes]) -> Manifest:
        offset, entries = 0, []
        for member in members:
            entries.append(msgspec.structs.replace(self._entry(member), offset=offset))
            offset += len(member)
        warc, listed = paths(name)
        data, lines = b"".join(members), b"".join(map(recordlist.encode, entries))
        (root / warc).write_bytes(data)
        (root / listed).write_bytes(lines)
        committed = CommittedWarc(
            path=warc,
            bytes=len(data),
            digest=digest(data),
            records=len(entries),
            list=CommittedList(path=listed, bytes=len(lines), digest=digest(lines)),
        )
        return commitment.extend(made, tree, committed, entries)

    def _entry(self, member: bytes) -> Entry:
        """The line of a member; of one that is no record, a line that is well-formed."""
        if member not in self._known:
            try:
                self._known[member] = describe(Member(0, member), self.sandbox)
            except RecordError:
                self._known[member] = Entry(
                    offset=0, length=len(member), digest=digest(member), type="resource", id="", date=""
                )
        return self._known[member]


def heads(root: Path) -> list[tuple[str, int, bytes]]:
    """Origin, size and root of each checkpoint."""
    return [checkpoint.parse(each.note) for each in archives.manifest(root).checkpoints]


def parts(member: bytes) -> tuple[list[bytes], bytes]:
    """The lines of a record's head, and its block."""
    head, _, rest = gzip.decompress(member).partition(b"\r\n\r\n")
    return head.split(b"\r\n"), rest[:-4]


def packed(head: list[bytes], block: bytes) -> bytes:
    return gzip.compress(b"\r\n".join([*head, b"", block, b"", b""]), mtime=0)


def put(head: list[bytes], name: str, value: str) -> list[bytes]:
    """A field of the head with another value."""
    start = f"{name}: ".encode()
    return [start + value.encode() if line.startswith(start) else line for line in head]


def with_block(member: bytes, block: bytes) -> bytes:
    """The record with another block; its length fits, and so do digests that fitted before."""
    before, (head, _) = parse_member(member), parts(member)
    head = put(head, "Content-Length", str(len(block)))
    if before.get("WARC-Block-Digest") == digest(before.block):
        head = put(head, "WARC-Block-Digest", digest(block))
    after = packed(head, block)
    if before.type != "revisit" and before.get("WARC-Payload-Digest") == digest(before.payload):
        after = packed(put(head, "WARC-Payload-Digest", digest(parse_member(after).payload)), block)
    return after


def said(member: bytes, fields: dict[str, str | None]) -> bytes:
    """A warcinfo record that says something else: a field with another value, or without it.

    A record of another type, or one that cannot be read any more, stays as it is.
    """
    try:
        record = parse_member(member)
    except RecordError:
        return member
    block = record.block
    if record.type != "warcinfo":
        return member
    lines = [line for line in block.decode().split("\r\n") if line]
    for name, value in fields.items():
        places = [n for n, line in enumerate(lines) if line.startswith(f"{name}: ")]
        new = [] if value is None else [f"{name}: {value}"]
        at = places[0] if places else len(lines)
        lines[at : at + len(places)] = new
    after = "".join(f"{line}\r\n" for line in lines).encode()
    return member if after == block else with_block(member, after)


def token(authority: Authority, text: bytes) -> str:
    return timestamp.encode(authority.reply(timestamp.request(text)[0]))


def stamped(authority: Authority, point: Checkpoint) -> Checkpoint:
    over = len(point.signatures)
    made = Timestamp(kind="rfc3161", authority=URL, over=over, token=token(authority, point.stamped(over)))
    return msgspec.structs.replace(point, timestamps=(*point.timestamps, made))


def make(folder: Path, sandbox: Sandbox) -> Target:
    root, keys, authority = folder / "archive", KeyFolder(folder / "keys"), Authority(folder / "authority")
    _archive(root, keys, authority)
    thief = KeyFolder(folder / "thief").make("thief")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    target = Target(root, keys, authority, Authority(folder / "fake"), thief, sandbox, until)
    with Checks(root) as checks:
        list(Verification(root, sandbox=sandbox, checks=checks).findings())
    saved, newest = folder / "kept.txt", commitment.load(root).checkpoints[-1]
    saved.write_text(signednote.join(newest.note, newest.signatures))
    target.trusts = {
        "nothing": Trust(),
        "--key": Trust(keys=(Vouched(keys.open("default").public, "owner", demanded=True),)),
        "--roots": Trust(roots=(authority.roots,)),
        "--against": Trust(kept=(kept_head(saved),)),
        "key folder": gather(folder=keys),
    }
    target.before = {given: target.ask(root, given) for given in GIVEN}
    time.sleep(2.1)  # what is stamped from now on has a later time
    return target


def _archive(root: Path, keys: KeyFolder, authority: Authority) -> None:
    root.mkdir()
    archive = Archive(root)
    archive.signer = Signing.begin(keys, None, lambda _: None)
    with archive.lock("archive"), Sandbox() as sandbox:
        archive.create()
        with catalogue.writing(root) as db:
            for number in range(3):
                session = Session(archive, sandbox, db, {"software": "somebody"})
                session.append(_records(number))
                if number:
                    session.append(revisit_records(root))
                session.seal()
                before = commitment.load(root)
                points = (*before.checkpoints[:-1], stamped(authority, before.checkpoints[-1]))
                commitment.save(root, msgspec.structs.replace(before, checkpoints=points))
    (root / "trust").mkdir()
    shutil.copy(authority.roots, root / "trust" / "roots.pem")
    (root / "archiver.toml").write_text(f'[[proof.authorities]]\nurl = "{URL}"\nroots = "trust/roots.pem"\n')


def _records(number: int) -> list[Record]:
    """A capture with one record of each kind that the archiver writes, or two."""
    made = archives.records(number)
    left = {archives.CHUNKED - 1, archives.CODED - 1, archives.EMPTY - 1}
    for each in made:
        if each.type == "request":
            each.headers += ((NOTE_FIELD, NOTE),)
    return [record for place, record in enumerate(made) if place not in left]
