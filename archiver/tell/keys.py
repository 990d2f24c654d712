"""Keys and signatures → what the commands tell of them, and what `verify` says is proved."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from archiver.console import Output
from archiver.keys import KeyFolder
from archiver.manifest import signednote
from archiver.manifest.signednote import VerifierKey
from archiver.signing import Line
from archiver.verify import Verification
from archiver.verify.signatures import Signed


def key(out: Output, name: str, public: bytes, origin: str = "", *, default: bool = False) -> None:
    """A key of the person; with an origin as the key of that archive."""
    verifier = VerifierKey(origin or name, signednote.ED25519, public)
    fingerprint = signednote.fingerprint(public)
    row = {"name": name, "fingerprint": fingerprint, "verifier_key": str(verifier), "default": default}
    out.row({"type": "key", **row})
    out.text(f"{name}{'  (signs new archives)' if default else ''}\n    {fingerprint}\n    {verifier}")


def own(out: Output, folder: KeyFolder, origin: str = "") -> None:
    """Every key of the person, and the keys of others that they vouch for."""
    default = folder.default
    for name, public in folder.own().items():
        key(out, name, public, origin, default=name == default)
    for each in folder.trusted():
        fingerprint = signednote.fingerprint(each.public)
        row = {"name": each.name, "fingerprint": fingerprint, "verifier_key": str(each)}
        out.row({"type": "trusted", **row})
        out.text(f"{each.name}  (of somebody else; you vouch for it)\n    {fingerprint}\n    {each}")


def lines(out: Output, signed: Sequence[Line]) -> None:
    """Signature lines of checkpoints, one by one."""
    words = {"good": "signed by", "wrong": "WRONG signature of", "unknown": "line of an unknown key:"}
    for each in signed:
        row = {"checkpoint": each.at + 1, "records": each.records, "key": each.key or None}
        out.row({"type": "signature", **row, "judgement": each.judgement, "line": each.line})
        who = each.key or "a key that nobody here vouches for"
        what = words[each.judgement] + (f" {who}" if each.judgement != "unknown" else "")
        out.text(f"checkpoint {each.at + 1}, {each.records} records: {what}\n    {each.line}")


def proved(check: Verification) -> Iterator[str]:
    """What holds if nothing was found: by whose signatures, since when."""
    signatures, history = check.signatures, check.history
    if signatures is None or history is None:
        return
    yield from _signed(check, signatures.signed)
    if signatures.unknown:
        yield f"{signatures.unknown} signature lines are by keys that are not known here; they were ignored."
    for kept in history.held:
        yield f"It goes on from the checkpoint of {kept.size} records that is kept in {kept.where}."
    for kept in history.newer:
        yield (
            f"A key of yours signed {kept.size} records of this archive: this is an older copy of it, or the"
            " newest captures were cut off."
        )


def _signed(check: Verification, signed: Sequence[Signed]) -> Iterator[str]:
    by = [each for each in signed if each.vouched and each.time is None]
    last = len(check.manifest.checkpoints) - 1 if check.manifest else -1
    if by:
        best = by[-1]
        yield (
            f"Checkpoint {best.at + 1} of {last + 1} is signed by {best.vouched}, {best.fingerprint}"
            " (vouched for by you)."
        )
        others = sorted({*range(by[0].at, best.at)} - {each.at for each in by})
        if others:
            yield (
                f"Of those before it, {len(others)} ({_numbers(others)}) are signed by no key that you vouch"
                " for: what was sealed with them is signed as it lay there later."
            )
        if best.at != last:
            yield "What was sealed after that checkpoint is signed by no key that you vouch for."
    elif named := [each for each in signed if each.time is None]:
        best = named[-1]
        yield (
            f"Checkpoint {best.at + 1} of {last + 1} is signed by {best.fingerprint}, a key that is named"
            " only by the archive itself: that proves nothing until you vouch for it (--key)."
        )
    else:
        yield "No signature is in it: compare the tree head with one that you kept elsewhere (--against)."
    witnesses = {each.public: each for each in signed if each.time is not None}
    for each in witnesses.values():
        who = each.vouched or f"{each.name} (named only by the archive itself)"
        yield f"Checkpoint {each.at + 1} was seen by {who} at {_moment(each.time or 0)}, by its own clock."


def _numbers(places: Sequence[int]) -> str:
    """Numbers of checkpoints, the first few."""
    return ", ".join(str(place + 1) for place in places[:5]) + (", …" if len(places) > 5 else "")


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds} since 1970"


def summary(check: Verification) -> dict[str, object]:
    """The fields of `verify`'s summary that say who vouches."""
    by = [each for each in check.signatures.signed if each.time is None] if check.signatures else []
    best = next(reversed([each for each in by if each.vouched] or by), None)
    held = [kept.size for kept in check.history.held] if check.history else []
    return {
        "signed_by": best and best.fingerprint,
        "signed_checkpoint": best and best.at + 1,
        "vouched": bool(best and best.vouched),
        "kept_records": max(held, default=None),
    }
