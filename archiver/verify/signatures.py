"""Step (6): the signatures of the checkpoints, and the keys that the archive's own records name.

Trust begins with the keys that the person vouches for. A key that the archive names counts as trusted only
as the successor of a trusted one: named as `next-signing-key` in a record that is committed by a
checkpoint which both signed. From there on the older key counts no more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archiver.errors import ManifestError
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest
from archiver.manifest.signednote import ED25519, VerifierKey, fingerprint
from archiver.manifest.signers import InForce, Judged, Keyring, Named, named_by
from archiver.model import Finding
from archiver.verify.files import COPY
from archiver.verify.findings import of_file
from archiver.verify.pair import Pair
from archiver.verify.trust import Trust

_finding = partial(of_file, commitment.NAME)
_SIGN = (
    "If you sealed without the key, 'archiver sign' (--as NAME) signs it now; else somebody else wrote, or"
    " took it away."
)


@dataclass(frozen=True)
class Signed:
    """A right signature of checkpoint number `at`, from 0.

    `vouched` is the name under which the person knows the key; empty when only the archive names it.
    """

    at: int
    public: bytes
    name: str
    vouched: str
    time: int | None  # of a cosignature, seconds since 1970

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public)


class SignatureCheck:
    """Takes the pairs of files in the manifest's order, then judges.

    `signed`: every right signature, in order; `unknown`: how many lines nobody can judge.
    """

    def __init__(self, root: Path, manifest: Manifest, trust: Trust) -> None:
        self._root, self._manifest, self._trust = root, manifest, trust
        self._named: list[Named] = []
        self._in_force = InForce()
        self.signed: list[Signed] = []
        self.unknown = 0

    def add(self, pair: Pair) -> None:
        first = pair.entries[0] if pair.entries else None
        path = pair.warc.path
        self._named.append(self._in_force.of(path, named_by(self._root, path, first)))

    def findings(self) -> Iterator[Finding]:
        """Signatures that are wrong or missing, and a list of keys that was edited."""
        listed: list[VerifierKey] = []
        for text in self._manifest.keys:
            try:
                listed.append(VerifierKey.parse(text))
            except ManifestError as error:
                yield _edited(str(error), text)
        origin = self._manifest.origin
        owned = [VerifierKey(origin, ED25519, key) for named in self._named for key in named]
        ring = Keyring([each.public for each in self._trust.keys], dict.fromkeys([*listed, *owned]))
        judged: list[list[Judged]] = []
        for at, point in enumerate(self._manifest.checkpoints):
            judged.append([])
            for line in point.signatures:
                try:
                    judged[at].append(ring.judge(point.note, line))
                except ManifestError as error:
                    yield _wrong(at, str(error), line)
                    continue
                if judged[at][-1].judgement == "wrong":
                    yield _wrong(at, "is not this key's signature of the checkpoint", line)
        yield from _list(listed, owned, judged)
        yield from self._missing(judged)

    def _missing(self, judged: Sequence[list[Judged]]) -> Iterator[Finding]:
        """Follow the keys from checkpoint to checkpoint: which trusted one did not sign what it had to."""
        active = {each.public: each.name for each in self._trust.keys}
        owners: set[bytes] = set()
        newest = len(judged) - 1
        signers: set[bytes] = set()
        told: list[bytes] = []
        for at, found in enumerate(judged):
            named = self._named[at] if at < len(self._named) else Named()
            good = [each for each in found if each.judgement == "good" and each.public]
            signers = {each.public for each in good if each.public and each.time is None}
            before = dict(active)
            self.unknown += sum(each.judgement == "unknown" for each in found)
            owners |= {
                each.public
                for each in good
                if each.public in active and each.time is None and each.name == self._manifest.origin
            }
            told = _due(at, named, active, signers, newest=newest)
            yield from (_unsigned(at, key, active.get(key, "the key that comes next")) for key in told)
            if named.signing in active:
                owners.add(named.signing)
            if named.signing in active and named.following and {*named} <= signers:
                name = active.pop(named.signing)
                owners.discard(named.signing)
                owners.add(named.following)
                active.setdefault(named.following, f"successor of {name}")
            self.signed += [
                Signed(at, each.public, each.name, (active | before).get(each.public, ""), each.time)
                for each in good
                if each.public
            ]
        if owners and not owners & signers and not told:
            key = min(owners)
            yield _unsigned(newest, key, active.get(key, ""))
        yield from self._demanded()

    def _demanded(self) -> Iterator[Finding]:
        signers = {each.public for each in self.signed}
        for key in self._trust.keys:
            if key.demanded and key.public not in signers:
                yield _finding(
                    "signature-missing",
                    "no checkpoint is signed by the key that was given",
                    expected=f"{key.name}, {fingerprint(key.public)}",
                    advice="Is it the key of this archive? If so, somebody took its signatures away.",
                )


def _due(
    at: int, named: Named, active: Mapping[bytes, str], signers: set[bytes], *, newest: int
) -> list[bytes]:
    """Which keys had to sign a checkpoint and did not: at a rotation both, else the one that is named.

    Of the newest checkpoint without a rotation, any key of the owner will do.
    """
    if at == newest and not named.following:
        return []
    return [key for key in named if (key in active or named.signing in active) and key not in signers]


def _list(
    listed: Sequence[VerifierKey], owned: Sequence[VerifierKey], judged: Sequence[list[Judged]]
) -> Iterator[Finding]:
    """The manifest's list has the keys that signed, as far as the archive's records tell, and no others."""
    met = {(each.name, each.public) for found in judged for each in found if each.judgement != "unknown"}
    known = {key.public for key in listed}
    for key in listed:
        if len(key.public) == 32 and (key.name, key.public) not in met:
            yield _edited("it lists a key that signed none of its checkpoints", str(key))
    for key in dict.fromkeys(owned):
        if (key.name, key.public) in met and key.public not in known:
            yield _edited("it does not list a key that signed its checkpoints", str(key))


def _edited(message: str, found: str) -> Finding:
    return _finding("manifest-entry", f"the list of keys was edited: {message}", found=found, advice=COPY)


def _wrong(at: int, message: str, line: str) -> Finding:
    return _finding("signature", f"checkpoint {at + 1}: a signature {message}", found=line[:300], advice=COPY)


def _unsigned(at: int, key: bytes, name: str) -> Finding:
    return _finding(
        "signature-missing",
        f"checkpoint {at + 1} is not signed by the archive's key",
        expected=f"{name}, {fingerprint(key)}",
        advice=_SIGN,
    )
