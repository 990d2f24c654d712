"""The signature of a WACZ, judged (wacz-auth 0.1.0). No network.

Anonymous: ECDSA P-384 with SHA-256 over the ASCII text `sha256:…` of the hash, as r and s of 48 bytes each.
Domain: ECDSA (DER) by the key of a TLS certificate over the same text, and an RFC 3161 token over the text of
that signature. Keys and chains prove nothing by themselves: whose a key is, a person knows, or a root says.
"""

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from archiver.errors import TimestampError
from archiver.lint.head import Said
from archiver.manifest.timestamp import judge

STAMP_WINDOW = timedelta(minutes=10)
CERTIFICATE_WINDOW = timedelta(days=7)
_COMMON = {"hash", "created", "software", "signature"}
_ANONYMOUS = _COMMON | {"publicKey"}
_DOMAIN = _COMMON | {"domain", "domainCert", "timeSignature", "timestampCert"}
_OPTIONAL = {"version", "crossSignedCert"}
_CHAIN = 10
_HALF = 48  # bytes of r, and of s, on P-384
_PEM_CHARACTERS = 1 << 18
_TIME = "%Y-%m-%dT%H:%M:%SZ"

Kind = Literal["none", "anonymous", "domain"]
Roots = Sequence[x509.Certificate]


@dataclass
class Signed:
    """What a signature came to. `signer`: the domain, or the public key in Base64. `time`: RFC 3161's.

    `holds`: nothing is wrong with it. `rooted`: and its chains lead to given roots.
    """

    kind: Kind = "none"
    signer: str = ""
    holds: bool = False
    rooted: bool = False
    time: datetime | None = None


def judge_signature(signed: Any, package_hash: str, package_created: Any, roots: Roots, said: Said) -> Signed:
    """`signed`: the value of signedData. `package_hash`: `sha256:…` of datapackage.json as it is."""
    before = len(said)
    names = set(signed) if isinstance(signed, dict) else set()
    texts = names and all(isinstance(value, str) for name, value in signed.items() if value is not None)
    domain = "domain" in names or "domainCert" in names
    wanted = _DOMAIN if domain else _ANONYMOUS
    more = names - wanted - (_OPTIONAL if domain else {"version"})
    if not texts or not wanted <= names or more:
        words = f"signedData lacks {sorted(wanted - names)}, and has {sorted(more)} beyond its form"
        said.append(("signature-form", words[:500]))
        return Signed("domain" if domain else "anonymous")
    values = {name: value or "" for name, value in signed.items()}
    found = Signed("domain" if domain else "anonymous", values["domain" if domain else "publicKey"][:1000])
    if values["hash"] != package_hash:
        said.append(("signature-hash", f"signedData is of {values['hash'][:80]!r}"))
    created = parse_time(values["created"])
    if created is None:
        said.append(("signature-form", f"created {values['created'][:80]!r} is no time"))
    elif package_created is not None and values["created"] != package_created:
        words = f"created {values['created'][:80]!r}, not {str(package_created)[:80]!r}"
        said.append(("signature-created", words))
    if domain:
        _domain(values, created, roots, found, said)
    else:
        _anonymous(values, said)
    wrong = {code for code, _ in said[before:]} - {
        "signature-created",
        "signature-window",
        "signature-unrooted",
    }
    found.holds = not wrong
    found.rooted &= found.holds
    return found


def parse_time(text: Any) -> datetime | None:
    """A time of RFC 3339, or one of ISO 8601 as signing programs write it: without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _anonymous(values: dict[str, str], said: Said) -> None:
    try:
        key = load_der_public_key(_unbase64(values["publicKey"]))
        raw = _unbase64(values["signature"])
    except (ValueError, UnsupportedAlgorithm, binascii.Error) as error:
        said.append(("signature-form", f"the key or the signature cannot be read: {str(error)[:200]}"))
        return
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        said.append(("signature-form", "publicKey is no ECDSA key on P-384"))
    elif len(raw) != 2 * _HALF:
        said.append(("signature-form", f"the signature has {len(raw)} bytes, not {2 * _HALF}"))
    else:
        halves = (int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:]))
        _verify(key, utils.encode_dss_signature(*halves), values["hash"], said)


def _verify(key: ec.EllipticCurvePublicKey, signature: bytes, text: str, said: Said) -> None:
    try:
        key.verify(signature, text.encode(), ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm):
        said.append(("signature-bad", "the signature is not by this key over this hash"))


def _domain(
    values: dict[str, str], created: datetime | None, roots: Roots, found: Signed, said: Said
) -> None:
    chain = _chain(values["domainCert"], "domainCert", said)
    if not chain:
        return
    key = chain[0].public_key()
    try:
        signature = _unbase64(values["signature"])
    except (ValueError, binascii.Error):
        said.append(("signature-form", "the signature is not Base64"))
        return
    if isinstance(key, ec.EllipticCurvePublicKey):
        _verify(key, signature, values["hash"], said)
    else:
        said.append(("signature-form", "domainCert is of no ECDSA key"))
    if values["domain"].lower() not in _domains(chain[0]):
        said.append(("signature-domain", f"domain {values['domain'][:200]!r} is not the certificate's"))
    begins = chain[0].not_valid_before_utc
    if created and not begins <= created <= chain[0].not_valid_after_utc:
        said.append(("signature-expired", f"created {created:{_TIME}}, when the certificate did not hold"))
    elif created and created - begins > CERTIFICATE_WINDOW:
        said.append(("signature-window", f"the certificate began to hold at {begins:{_TIME}}"))
    rooted = _rooted(chain, roots)
    if values.get("crossSignedCert"):
        cross = _chain(values["crossSignedCert"], "crossSignedCert", said)
        if cross and cross[0].public_key() != key:
            said.append(("signature-chain", "crossSignedCert is of another key than domainCert"))
        rooted = rooted or _rooted(cross, roots)
    stamped = _stamp(values, created, roots, found, said)
    found.rooted = rooted and stamped
    if not roots:
        said.append(("signature-unrooted", "no roots were given"))
    elif not found.rooted:
        said.append(("signature-chain", "a chain leads to none of the given roots"))


def _chain(pem: str, name: str, said: Said) -> Roots:
    """The certificates of PEM text, each issued by the next."""
    try:
        chain = x509.load_pem_x509_certificates(pem[:_PEM_CHARACTERS].encode())
    except ValueError as error:
        said.append(("signature-form", f"{name}: no certificates in PEM: {str(error)[:200]}"))
        return ()
    if len(chain) > _CHAIN:
        said.append(("signature-chain", f"{name}: a chain of {len(chain)} certificates"))
        return ()
    for issued, issuer in pairwise(chain):
        if not _issued(issued, issuer):
            said.append(("signature-chain", f"{name}: a certificate that the next one did not issue"))
            return ()
    return chain


def _issued(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _rooted(chain: Roots, roots: Roots) -> bool:
    return any(each in roots or any(_issued(each, root) for root in roots) for each in chain[-1:])


def _domains(leaf: x509.Certificate) -> set[str]:
    names = {str(each.value) for each in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
    with suppress(x509.ExtensionNotFound, ValueError):
        others = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names |= set(others.get_values_for_type(x509.DNSName))
    return {name.lower() for name in names}


def _stamp(values: dict[str, str], created: datetime | None, roots: Roots, found: Signed, said: Said) -> bool:
    """The time signature; whether its chain leads to a root."""
    chain = _chain_of_stamp(values["timestampCert"], said)
    if not chain:
        return False
    try:
        own = [each for each in chain if each.issuer == each.subject] or chain[-1:]
        stamp = judge(_unbase64(values["timeSignature"]), values["signature"].encode(), own, beside=chain)
    except (TimestampError, ValueError, binascii.Error) as error:
        said.append(("signature-time", f"timeSignature: {error}"[:300]))
        return False
    if not stamp.rooted:
        said.append(("signature-time", "timeSignature is not by timestampCert"))
    found.time = stamp.time
    if created and abs(stamp.time - created) > STAMP_WINDOW:
        words = f"stamped at {stamp.time:{_TIME}}, not within 10 minutes of created"
        said.append(("signature-time", words))
    return stamp.rooted and any(_rooted((each,), roots) for each in chain)


def _chain_of_stamp(pem: str, said: Said) -> Roots:
    """The authority's certificates, in whatever order the token had them."""
    try:
        return x509.load_pem_x509_certificates(pem[:_PEM_CHARACTERS].encode())[:_CHAIN]
    except ValueError as error:
        said.append(("signature-form", f"timestampCert: no certificates in PEM: {str(error)[:200]}"))
        return ()
