"""What the person vouches for: keys, and checkpoints kept elsewhere. Never taken from the archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver import keys
from archiver.errors import ManifestError, UsageError
from archiver.keys import KeyFolder
from archiver.manifest import checkpoint, signednote
from archiver.manifest import manifest as commitment
from archiver.storage import open_plain

_NOTE_BYTES = 1 << 20


@dataclass(frozen=True)
class Vouched:
    """A public key, 32 bytes, and by which name the person knows it.

    `demanded`: the person says that this archive is signed by it.
    """

    public: bytes
    name: str
    demanded: bool = False


@dataclass(frozen=True)
class KeptHead:
    """A tree head that was kept elsewhere. `demanded`: the person says that it is this archive's."""

    where: str
    origin: str
    size: int
    root: bytes
    demanded: bool = True


@dataclass(frozen=True)
class Trust:
    """`roots`: PEM files of timestamp authorities. With one, those that lie in the archive do not count.

    `headers`: files with the header of a Bitcoin block each, 80 bytes or their hexadecimal digits.
    """

    keys: tuple[Vouched, ...] = ()
    kept: tuple[KeptHead, ...] = ()
    roots: tuple[Path, ...] = ()
    headers: tuple[Path, ...] = ()


def gather(
    given: Sequence[str] = (),
    against: Sequence[Path] = (),
    folder: KeyFolder | None = None,
    roots: Sequence[Path] = (),
    headers: Sequence[Path] = (),
) -> Trust:
    """Keys of the person's folder and `given` ones, and heads that are kept in files. Raises UsageError."""
    vouched = [
        Vouched(key.public, key.name, demanded=True) for key in map(keys.verifier_key, dict.fromkeys(given))
    ]
    kept = [kept_head(path) for path in against]
    if folder is not None:
        vouched += [Vouched(public, name) for name, public in folder.own().items()]
        vouched += [Vouched(key.public, key.name) for key in folder.trusted()]
        kept += [KeptHead(str(folder.path), *head, demanded=False) for head in folder.all_signed()]
    known: dict[bytes, Vouched] = {}
    for each in vouched:
        known.setdefault(each.public, each)
    return Trust(tuple(known.values()), tuple(kept), tuple(roots), tuple(headers))


def kept_head(path: Path) -> KeptHead:
    """From a file with a checkpoint, a manifest.json, or an archive's folder. Raises UsageError."""
    file = path / commitment.NAME if path.is_dir() else path
    try:
        with open_plain(file) as opened:
            data = opened.read(commitment.MANIFEST_BYTES + 1)
        if data.startswith(b"{"):
            manifest = commitment.decode(data)
            root = bytes.fromhex(manifest.tree.root.removeprefix("sha256:"))
            return KeptHead(str(path), manifest.origin, manifest.tree.size, root)
        if len(data) > _NOTE_BYTES:
            raise UsageError(f"{file}: too large for a checkpoint")
        note, _ = signednote.split(data.decode())
        return KeptHead(str(path), *checkpoint.parse(note))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from error
    except (ManifestError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file}: {error}", "--against takes a checkpoint, a manifest.json, or an archive's folder."
        ) from error
