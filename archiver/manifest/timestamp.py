"""RFC 3161 timestamps: ask for one, and judge one. No network.

What is stamped is `Checkpoint.stamped(over)`, by its SHA-256. What is kept is the authority's whole answer,
the DER of a TimeStampResp (RFC 3161 section 2.4.2). Parsing and the signature are rfc3161-client's work, so
OpenSSL's: the chain of certificates is judged at the time that the token names.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from archiver.digests import digest
from archiver.errors import ManifestError, TimestampError, UsageError
from archiver.manifest.manifest import Manifest
from archiver.manifest.signednote import unbase64

TRUST = "trust"  # the archive's folder with the roots of authorities: convenience, not evidence
ANSWER_BYTES = 256 << 10
ROOTS_BYTES = 4 << 20
SOON = timedelta(days=365)  # before certificates run out, they are to be replaced
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_LONGEST_CHAIN = 10
_SEQUENCE, _CERTIFICATES = 0x30, 0xA0

Root = x509.Certificate
Roots = Sequence[Root]


@dataclass(frozen=True)
class Stamp:
    """What a token says. `rooted`: its chain leads to one of the roots; else nothing of it is proved."""

    time: datetime  # UTC, whole seconds: the stamped text existed before. genTime and its accuracy
    authority: str  # the name in the certificate that signed it
    until: datetime  # UTC; when the first certificate of its chain runs out, as far as it is known
    rooted: bool


def request(text: bytes) -> tuple[bytes, int]:
    """A query for a token over the SHA-256 of `text`: the DER of a TimeStampReq, and its nonce."""
    builder = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256)
    made = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    if made.nonce is None:
        raise TimestampError("no nonce was drawn for the query")
    return made.as_bytes(), made.nonce


def encode(answer: bytes) -> str:
    """The answer as `Timestamp.token` holds it."""
    return base64.b64encode(answer).decode()


def decode(token: str) -> bytes:
    """The bytes of a `Timestamp.token`. Raises TimestampError."""
    try:
        return unbase64(token, "the token")
    except ManifestError as error:
        raise TimestampError(str(error)) from error


def token_digest(token: str) -> str:
    """What a beacon names a token by: the digest of its decoded bytes. Raises TimestampError."""
    return digest(decode(token))


def load_roots(path: Path) -> Roots:
    """The certificates of a PEM file. Raises UsageError."""
    try:
        with path.open("rb") as file:
            return parse_roots(file.read(ROOTS_BYTES + 1), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def parse_roots(pem: bytes, name: str) -> Roots:
    """The certificates in PEM text of at most ROOTS_BYTES. Raises UsageError, which names it."""
    if len(pem) > ROOTS_BYTES:
        raise UsageError(f"{name}: larger than {ROOTS_BYTES} bytes", "Give the authority's own roots.")
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise UsageError(f"{name}: no PEM certificates: {error}", "Give the authority's roots.") from error


def waiting(manifest: Manifest, authorities: Iterable[str]) -> list[str]:
    """Which of the authorities have not stamped the newest checkpoint."""
    if not manifest.checkpoints:
        return []
    there = {each.authority for each in manifest.checkpoints[-1].timestamps}
    return [url for url in dict.fromkeys(authorities) if url not in there]


def judge(answer: bytes, text: bytes, roots: Roots, nonce: int | None = None, *, beside: Roots = ()) -> Stamp:
    """What an authority's answer says of `text`. `beside`: certificates that were kept beside it, not in it.

    Raises TimestampError when it is no granted token, is over something else, has another nonce (where one is
    given), or its signature does not hold. A chain that by its names leads to none of `roots` is not judged.
    """
    try:
        return _judge(decode_timestamp_response(_sorted(answer)), text, roots, nonce, beside)
    except TimestampError:
        raise
    except VerificationError as error:
        raise TimestampError(f"the token does not hold: {str(error)[:300]}") from error
    except Exception as error:  # a foreign parser; it raises ValueError and more for what it cannot read
        raise TimestampError(f"no timestamp that can be read: {str(error)[:300]}") from error


def chain(answer: bytes, roots: Roots) -> list[Root]:
    """The certificates of an answer that was judged: the signer's first, then as far up as it goes."""
    decoded = decode_timestamp_response(_sorted(answer))
    held = [x509.load_der_x509_certificate(each) for each in decoded.signed_data.certificates]
    return list(_chain(_signer(decoded, held), held, roots))


def _judge(answer: TimeStampResponse, text: bytes, roots: Roots, nonce: int | None, beside: Roots) -> Stamp:
    if answer.status != PKIStatus.GRANTED:
        said = "; ".join(answer.status_string or ())[:200]
        raise TimestampError(
            f"the authority refused: status {answer.status}" + (f", {said!r}" if said else "")
        )
    info = answer.tst_info
    if info.message_imprint.hash_algorithm != _SHA256:
        raise TimestampError("the token is not over a SHA-256")
    expected = hashlib.sha256(text).digest()
    if info.message_imprint.message != expected:
        raise TimestampError("the token is over something else than this checkpoint")
    if nonce is not None and info.nonce != nonce:
        raise TimestampError("the token has another nonce: it answers an older query")
    held = [x509.load_der_x509_certificate(each) for each in answer.signed_data.certificates]
    signers = list(_chain(_signer(answer, [*held, *beside]), [*held, *beside], roots))
    rooted = bool(roots)
    builder = VerifierBuilder(
        roots=list(roots),
        nonce=nonce,
        tsa_certificate=None if held else signers[0],
        intermediates=signers[1:],
    )
    try:
        if rooted:
            builder.build().verify(answer, expected)
    except VerificationError:
        if signers[-1] in roots:
            raise
        rooted = False  # nothing is known of whoever signed it
    margin = info.accuracy  # None where the authority does not say
    late = timedelta(seconds=margin.seconds or 0, milliseconds=margin.millis or 0) if margin else timedelta()
    time = info.gen_time.astimezone(UTC) + late
    if time.microsecond:  # never earlier than the authority said
        time = time.replace(microsecond=0) + timedelta(seconds=1)
    return Stamp(
        time=time,
        authority=_name(signers[0].subject),
        until=min(each.not_valid_after_utc for each in signers),
        rooted=rooted,
    )


def _signer(answer: TimeStampResponse, held: Roots) -> Root:
    """The certificate that the one SignerInfo names."""
    signers = list(answer.signed_data.signer_infos)
    for each in held:
        if len(signers) == 1 and (each.issuer, each.serial_number) == (
            signers[0].issuer,
            signers[0].serial_number,
        ):
            return each
    raise TimestampError("the token does not hold the certificate of the one who signed it")


def _chain(leaf: Root, held: Roots, roots: Roots) -> Iterator[Root]:
    """From the signer up by names and key identifiers, as far as it goes; the signatures are not judged."""
    current, known = leaf, [*roots, *held]
    for _ in range(_LONGEST_CHAIN):
        yield current
        if current in roots or current.issuer == current.subject:
            return
        above = next((each for each in known if _may_have_issued(each, current)), None)
        if above is None:
            return
        current = above


def _may_have_issued(issuer: Root, issued: Root) -> bool:
    if issuer.subject != issued.issuer:
        return False
    try:
        wanted = issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        had = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return True
    return wanted is None or wanted == had


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _sorted(answer: bytes) -> bytes:
    """The answer with the certificates of its SignedData (RFC 5652 section 5.1) in the order of DER.

    Some authorities send them in another order, which rfc3161-client refuses. No signature covers the order,
    and no length changes with it. What has another shape than expected is returned as it is.
    """
    try:
        _, token = _elements(answer, *_content(answer, 0, _SEQUENCE))
        _, explicit = _elements(answer, *_content(answer, token[0], _SEQUENCE))
        (signed,) = _elements(answer, *_content(answer, explicit[0], 0xA0))
        parts = list(_elements(answer, *_content(answer, signed[0], _SEQUENCE)))
        start, end = next(
            _content(answer, at, _CERTIFICATES) for at, _ in parts if answer[at] == _CERTIFICATES
        )
        found = sorted(answer[at:after] for at, after in _elements(answer, start, end))
    except (ValueError, IndexError, StopIteration):
        return answer
    return answer[:start] + b"".join(found) + answer[end:]


def _content(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the DER element at `at` begins and ends. Raises ValueError, IndexError."""
    if data[at] != tag:
        raise ValueError("another element")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("no DER length")
        length, start = int.from_bytes(data[start : start + count]), start + count
    if start + length > len(data):
        raise ValueError("the element is cut")
    return start, start + length


def _elements(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """The elements between two places: where each begins and ends. Raises ValueError, IndexError."""
    found = []
    while start < end:
        after = _content(data, start, data[start])[1]
        found.append((start, after))
        start = after
    return found
