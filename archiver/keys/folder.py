"""The key folder: keys of a person, which sign all their archives and lie outside them (docs/keys.md).

    NAME.key         private, PKCS#8 in PEM, mode 0600, encrypted when there is a passphrase
    NAME.pub         public, SubjectPublicKeyInfo in PEM
    default          the NAME that signs a new archive
    trusted          public keys of others, a verifier key on each line
    signed/ORIGIN    the newest checkpoint of an archive that a key here signed

$ARCHIVER_KEYS, else $XDG_CONFIG_HOME/archiver/keys, else ~/.config/archiver/keys.
"""

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archiver.errors import ManifestError, StorageError, UsageError
from archiver.manifest import checkpoint
from archiver.manifest.signednote import ED25519, VerifierKey
from archiver.manifest.tree import Tree
from archiver.storage import make_folder, replace_file, storage_error, sync_folder

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ORIGIN = re.compile(r"[0-9a-f]{32}")
_FILE_BYTES = 1 << 20
_PEM = "-----BEGIN "

Ask = Callable[[str], str | None]
"""Ask the person for a passphrase; None when there is nobody to ask."""


def _nobody(_: str) -> None:
    return None


@dataclass(frozen=True)
class OwnKey:
    """A key of the person, opened."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def verifier(self, name: str, kind: int = ED25519) -> VerifierKey:
        return VerifierKey(name, kind, self.public)


class KeyFolder:
    """Where a person's keys lie. Making one reads and changes nothing."""

    def __init__(self, path: Path, ask: Ask = _nobody) -> None:
        self.path, self._ask = path, ask
        self._opened: dict[str, OwnKey] = {}

    @classmethod
    def of_person(cls, ask: Ask = _nobody) -> Self:
        """The folder that the environment names."""
        named = os.environ.get("ARCHIVER_KEYS")
        if named:
            return cls(Path(named), ask)
        config = os.environ.get("XDG_CONFIG_HOME", "")
        if not Path(config).is_absolute():  # also says the XDG Base Directory Specification
            config = os.path.expanduser("~/.config")  # noqa: PTH111 - Path.home() raises where nobody is at home
        return cls(Path(config) / "archiver" / "keys", ask)

    # --- own keys ---

    def own(self) -> dict[str, bytes]:
        """Names and public halves of the person's keys, sorted. Raises UsageError."""
        try:
            paths = sorted(self.path.glob("*.pub"))
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror or error}") from error
        return {path.stem: public_of_pem(_read(path), str(path)) for path in paths}

    @property
    def default(self) -> str | None:
        """The name of the key that signs new archives; None when there is none yet."""
        try:
            name = _read(self.path / DEFAULT).strip()
        except FileNotFoundError:
            return DEFAULT if (self.path / f"{DEFAULT}.key").exists() else None
        return _fit(name)

    def make(self, name: str, passphrase: str | None = None) -> OwnKey:
        """Make a key; the first one becomes the default. UsageError when the name is taken, StorageError."""
        path = self.path / f"{_fit(name)}.key"
        private = Ed25519PrivateKey.generate()
        secured = (
            serialization.BestAvailableEncryption(passphrase.encode())
            if passphrase
            else serialization.NoEncryption()
        )
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secured)
        self._make_folder()
        try:
            _create(path, pem, 0o600)
        except FileExistsError as error:
            raise UsageError(f"{path} exists already", "Choose another name.") from error
        except OSError as error:
            raise storage_error(path, error) from error
        key = self._opened[name] = OwnKey(name, private)
        self._publish(key)
        self._once(self.path / DEFAULT, f"{name}\n".encode())
        return key

    def set_default(self, name: str) -> None:
        """Let a key sign new archives. Raises StorageError."""
        replace_file(self.path / DEFAULT, f"{_fit(name)}\n".encode())

    def open(self, name: str) -> OwnKey:
        """The key of that name. UsageError when there is none or it cannot be opened."""
        if name in self._opened:
            return self._opened[name]
        path = self.path / f"{_fit(name)}.key"
        try:
            pem = _read(path).encode()
        except FileNotFoundError as error:
            raise UsageError(
                f"{path}: there is no such key",
                "'archiver key show' lists the keys, 'archiver key make' makes one.",
            ) from error
        key = self._opened[name] = OwnKey(name, self._decrypted(path, pem))
        if not (self.path / f"{name}.pub").exists():  # a crash came between the two
            self._publish(key)
        return key

    def has(self, name: str) -> bool:
        return (self.path / f"{_fit(name)}.key").exists()

    def holder(self, public: bytes) -> str | None:
        """The name under which a key lies here."""
        return next((name for name, key in self.own().items() if key == public), None)

    def _decrypted(self, path: Path, pem: bytes) -> Ed25519PrivateKey:
        advice = "Give its passphrase in ARCHIVER_PASSPHRASE, or where it is asked for."
        try:
            if b"ENCRYPTED" not in pem:
                return _ed25519(serialization.load_pem_private_key(pem, None), path)
            passphrase = os.environ.get("ARCHIVER_PASSPHRASE") or self._ask(f"Passphrase of {path}")
            if not passphrase:
                raise UsageError(f"{path}: the key has a passphrase, and nobody gave it", advice)
            return _ed25519(serialization.load_pem_private_key(pem, passphrase.encode()), path)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # what they say could hold what they were given
            raise UsageError(f"{path}: not a private key, or not its passphrase", advice) from None

    def _publish(self, key: OwnKey) -> None:
        pem = key.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._once(self.path / f"{key.name}.pub", pem)

    def _once(self, path: Path, data: bytes) -> None:
        """Make a public file, unless it is there: another process may make the same one."""
        try:
            _create(path, data, 0o644)
        except FileExistsError:
            return
        except OSError as error:
            raise storage_error(path, error) from error

    def _make_folder(self) -> None:
        if str(self.path).startswith("~"):
            raise StorageError("there is no home folder for keys", "Set ARCHIVER_KEYS to a folder of yours.")
        try:
            made = not self.path.exists()
            make_folder(self.path)
            if made:
                self.path.chmod(0o700)
        except OSError as error:
            raise storage_error(self.path, error) from error

    # --- keys of others ---

    def trusted(self) -> tuple[VerifierKey, ...]:
        """The keys of others that the person vouches for. UsageError names the line that is no key."""
        path = self.path / "trusted"
        try:
            lines = _read(path).splitlines()
        except FileNotFoundError:
            return ()
        try:
            return tuple(VerifierKey.parse(line.strip()) for line in lines if line.strip())
        except ManifestError as error:
            raise UsageError(f"{path}: {error}", "Take the line out.") from error

    def trust(self, key: VerifierKey) -> bool:
        """Vouch for a key from now on; whether it was new. Raises UsageError, StorageError."""
        keys = self.trusted()
        if key.public in (known.public for known in keys):
            return False
        self._make_folder()
        replace_file(self.path / "trusted", "".join(f"{known}\n" for known in (*keys, key)).encode())
        return True

    # --- what was signed ---

    def signed_at(self, origin: str) -> Path:
        """Where the newest checkpoint of an archive lies that a key here signed."""
        return self.path / "signed" / origin.rpartition("/")[2]

    def signed(self, origin: str) -> tuple[int, bytes] | None:
        """Size and root of that checkpoint. UsageError when it cannot be read."""
        path = self.signed_at(origin)
        try:
            found, size, root = checkpoint.parse(_read(path))
        except FileNotFoundError:
            return None
        except ManifestError as error:
            raise UsageError(f"{path}: {error}", "Remove the file if you know why it is so.") from error
        if found != origin:
            raise UsageError(
                f"{path}: is a checkpoint of {found}", "Remove the file if you know why it is so."
            )
        return size, root

    def all_signed(self) -> list[tuple[str, int, bytes]]:
        """Origin, size and root of all such checkpoints. Raises UsageError."""
        names = sorted(path.name for path in (self.path / "signed").glob("[0-9a-f]*"))
        origins = [f"archiver/{name}" for name in names if _ORIGIN.fullmatch(name)]
        found = [(origin, self.signed(origin)) for origin in origins]
        return [(origin, *head) for origin, head in found if head]

    def remember(self, origin: str, note: str) -> None:
        """Keep a checkpoint as the newest that was signed. Raises StorageError."""
        make_folder(self.signed_at(origin).parent)
        replace_file(self.signed_at(origin), note.encode())

    def refusal(self, origin: str, tree: Tree) -> str | None:
        """Why no key here may sign this tree: it does not go on from the one that was signed before."""
        before = self.signed(origin)
        if before is None or tree.roots.get(before[0]) == before[1]:
            return None
        how = "has fewer records" if before[0] > tree.size else "has other records"
        return (
            f"a key here signed a checkpoint of {before[0]} records of this archive, and now it {how}."
            f" If you know why (an old copy, one of two copies that went on), remove {self.signed_at(origin)}"
        )


def verifier_key(text: str) -> VerifierKey:
    """A public key from a verifier key, or from the path of a PEM file. Raises UsageError."""
    try:
        return VerifierKey.parse(text.strip())
    except ManifestError as not_a_key:
        path = Path(text)
        try:
            return VerifierKey(path.stem, ED25519, public_of_pem(_read(path), text))
        except (FileNotFoundError, ValueError):
            raise UsageError(
                f"{text[:200]!r} is neither a verifier key (NAME+HASH+BASE64) nor a file: {not_a_key}"
            ) from not_a_key


def public_of_pem(pem: str, where: str) -> bytes:
    """The 32 bytes of an Ed25519 public key in PEM. Raises UsageError."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{where}: not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{where}: not an Ed25519 key")
    return key.public_bytes_raw()


def _ed25519(key: object, path: Path) -> Ed25519PrivateKey:
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: not an Ed25519 key")
    return key


def _fit(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name for a key", "Up to 64 of A-Z a-z 0-9 _ -, the first a letter or digit."
        )
    return name


def _read(path: Path) -> str:
    """A small text file. Raises FileNotFoundError, UsageError."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(_FILE_BYTES + 1) or b""
        if len(data) > _FILE_BYTES:
            raise UsageError(f"{path}: too large for what it should be")
        return data.decode()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file") from error


def _create(path: Path, data: bytes, mode: int) -> None:
    """Make a file that nobody ever sees half written. Raises FileExistsError, OSError."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)
