"""Signing while sealing: with which keys, and why not."""

from collections.abc import Callable
from typing import Self

from archiver.errors import ArchiverError, StorageError, UsageError
from archiver.keys.folder import DEFAULT, KeyFolder, OwnKey
from archiver.manifest import signednote
from archiver.manifest.signednote import Signature, VerifierKey
from archiver.manifest.signers import FOLLOWING, SIGNING, Named
from archiver.manifest.tree import Tree


class Signing:
    """What an archive that is written to needs of the key folder (a `Signer`)."""

    def __init__(self, folder: KeyFolder, key: OwnKey, say: Callable[[str], None]) -> None:
        self.key, self._folder, self._say = key, folder, say
        self.following: OwnKey | None = None  # at a rotation, the key that comes next
        self.signed = 0  # files whose checkpoint it signed

    @classmethod
    def begin(cls, folder: KeyFolder, named: bytes | None, say: Callable[[str], None]) -> Self | None:
        """With the key that the archive names, else the default one, made when there is none.

        None when there is no key that can be used; `say` gets the reason. A capture goes on without.
        """
        try:
            name = folder.holder(named) if named else None
            if named and not name:
                say(
                    f"The key that signed this archive, {signednote.fingerprint(named)}, is not in"
                    f" {folder.path}. It is signed with another one from now on."
                )
            name = name or folder.default
            if name:
                return cls(folder, folder.open(name), say)
            key = _made(folder)
            say(
                f"Made the key {folder.path / DEFAULT}.key, which signs your archives from now on"
                f" ({signednote.fingerprint(key.public)}). Keep a copy of it elsewhere."
            )
        except ArchiverError as error:
            say(f"Sealing without a signature: {error}. {error.advice}".rstrip())
            return None
        return cls(folder, key, say)

    def fields(self, origin: str) -> dict[str, str]:
        """What `warcinfo` says of the keys."""
        keys = {SIGNING: self.key, FOLLOWING: self.following}
        return {name: str(key.verifier(origin)) for name, key in keys.items() if key}

    def watch(self, origin: str) -> tuple[int, ...]:
        """The size of the tree that was signed last."""
        try:
            before = self._folder.signed(origin)
        except UsageError:
            return ()  # `sign` says so
        return (before[0],) if before else ()

    def sign(
        self, origin: str, note: str, named: Named, tree: Tree
    ) -> tuple[tuple[Signature, VerifierKey], ...]:
        """Signatures of a checkpoint by the keys that its WARC file names; or none, and why is said."""
        try:
            if refusal := self._folder.refusal(origin, tree):
                raise UsageError(refusal)
            keys = [self._named(public) for public in named] or [self.key]
        except ArchiverError as error:
            self._say(f"Sealed without a signature: {error}. {error.advice}".rstrip())
            return ()
        self.signed += 1
        return tuple((signednote.sign(key.private, origin, note), key.verifier(origin)) for key in keys)

    def remember(self, origin: str, note: str) -> None:
        """What was signed is durable now."""
        try:
            self._folder.remember(origin, note)
        except StorageError as error:
            self._say(f"The key folder does not remember what was signed: {error}.")

    def _named(self, public: bytes) -> OwnKey:
        if public == self.key.public:
            return self.key
        name = self._folder.holder(public)
        if name is None:
            raise UsageError(
                f"the WARC file names the key {signednote.fingerprint(public)}, which is not in"
                f" {self._folder.path}",
                "If you did not write it, keep the file and find out who did.",
            )
        return self._folder.open(name)


def _made(folder: KeyFolder) -> OwnKey:
    """The first key; when another process made it at the same time, that one."""
    try:
        return folder.make(DEFAULT)
    except UsageError:
        return folder.open(DEFAULT)
