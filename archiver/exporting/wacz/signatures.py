"""Signatures of a WACZ: `signedData` in datapackage-digest.json (WACZ Signing and Verification 0.1.0).

What is signed is the text `sha256:…` of datapackage.json. Anonymously: ECDSA P-384 with SHA-256 over it,
raw r‖s (IEEE P1363). By a domain: an ECDSA signature in DER by the key of its TLS certificate, and a token of
RFC 3161 over the signature's base64.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archiver.archive import Archive
from archiver.capture.wire.fetch import Client, Network
from archiver.errors import UsageError
from archiver.keys import KeyFolder
from archiver.manifest import timestamp
from archiver.stamping import ask_for_token
from archiver.upkeep import SOFTWARE

VERSION = "0.1.0"
_PEM = serialization.Encoding.PEM
# Order of the group of P-384 (FIPS 186-5 via SP 800-186 section 3.2.1.4).
_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
_PURPOSE = b"archiver: wacz-auth 0.1.0, ECDSA P-384"


@dataclass(frozen=True)
class Signer:
    """`name`: a public key in base64, or a domain.

    `sign`: digest of datapackage.json, and its `created` → signedData.
    """

    name: str
    sign: Callable[[str, str], dict[str, Any]]


def derived(key: Ed25519PrivateKey) -> ec.EllipticCurvePrivateKey:
    """The P-384 key that belongs to a key of the key folder: always the same, with no file of its own.

    HKDF (RFC 5869) with SHA-384 gives 64 bits more than the order has, then FIPS 186-5 A.2.1.
    """
    seed = HKDF(hashes.SHA384(), 56, salt=None, info=_PURPOSE).derive(key.private_bytes_raw())
    return ec.derive_private_key(int.from_bytes(seed) % (_ORDER - 1) + 1, ec.SECP384R1())


def anonymous(key: Ed25519PrivateKey) -> Signer:
    """Sign with the key that is derived from one of the key folder."""
    private = derived(key)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = base64.b64encode(private.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def sign(found: str, created: str) -> dict[str, Any]:
        r, s = decode_dss_signature(private.sign(found.encode(), ec.ECDSA(hashes.SHA256())))
        return {
            "hash": found,
            "created": created,
            "software": SOFTWARE["software"],
            "signature": base64.b64encode(r.to_bytes(48) + s.to_bytes(48)).decode(),
            "publicKey": public,
        }

    return Signer(public, sign)


def own_key(root: Path, folder: KeyFolder) -> Ed25519PrivateKey | None:
    """The key that signs the archive, else the person's default; None when there is none. UsageError."""
    named = Archive(root).current_key()
    name = (folder.holder(named) if named else None) or folder.default
    return folder.open(name).private if name else None


@dataclass(frozen=True)
class Domain:
    """A TLS certificate with those above it, the leaf first, and its private key."""

    chain: Sequence[x509.Certificate]
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def parse(cls, chain: bytes, key: bytes, password: bytes | None = None) -> "Domain":
        """From PEM. UsageError for what is not a chain whose first certificate has that ECDSA key."""
        try:
            certificates = x509.load_pem_x509_certificates(chain)
            private = serialization.load_pem_private_key(key, password)
        except (ValueError, TypeError):  # what they say could hold what they were given
            raise UsageError("--cert and --cert-key are not a chain and a private key in PEM") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise UsageError("a WACZ is signed with an ECDSA key", "Use a certificate with a P-256 key.")
        if private.public_key() != certificates[0].public_key():
            raise UsageError("--cert-key is not the key of the first certificate in --cert")
        return cls(certificates, private)

    @property
    def name(self) -> str:
        """The domain: the subject's common name, else the first name of subjectAltName. UsageError."""
        common = self.chain[0].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if common:
            return str(common[0].value)
        try:
            names = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
            return names.value.get_values_for_type(x509.DNSName)[0]
        except (x509.ExtensionNotFound, IndexError):
            raise UsageError("the certificate in --cert names no domain") from None


def by_domain(domain: Domain, network: Network, authority: str, roots: Path) -> Signer:
    """Sign with a domain's certificate, and ask the authority when. Signing raises what that raises.

    UsageError when the roots, or the name in the certificate, cannot be read.
    """
    name, given = domain.name, timestamp.load_roots(roots)

    def sign(found: str, created: str) -> dict[str, Any]:
        signature = base64.b64encode(domain.key.sign(found.encode(), ec.ECDSA(hashes.SHA256()))).decode()
        with Client(network) as client:
            token, _ = ask_for_token(client, authority, signature.encode(), given, str(roots))
        return {
            "hash": found,
            "created": created,
            "software": SOFTWARE["software"],
            "version": VERSION,
            "signature": signature,
            "domain": name,
            "domainCert": _pem(domain.chain),
            "timeSignature": base64.b64encode(token).decode(),
            "timestampCert": _pem(timestamp.chain(token, given)),
        }

    return Signer(name, sign)


def _pem(chain: Sequence[x509.Certificate]) -> str:
    return "".join(each.public_bytes(_PEM).decode() for each in chain)
