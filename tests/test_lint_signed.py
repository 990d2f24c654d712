"""Signatures of domains on a WACZ (wacz-auth 0.1.0), with certificates and an authority of our own."""

import base64
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from authority import Authority
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from foreign_files import wacz as zipped
from lint_files import sha256
from lint_wacz_files import contents, described, digest_file
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from archiver.lint.wacz.judge import wacz_state
from archiver.manifest.timestamp import load_roots, request

DOMAIN = "archive.example"


@cache
def now() -> datetime:
    """When the first of these tests runs, which may be long after this file was read."""
    return datetime.now(UTC).replace(microsecond=0)


Key = ec.EllipticCurvePrivateKey


def certificate(
    name: str, key: Key, above: tuple[x509.Name, Key] | None = None, age: int = 1
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, signer = above or (subject, key)
    begin = now() - timedelta(days=age)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(begin)
    made = made.not_valid_after(begin + timedelta(days=90))
    made = made.add_extension(x509.BasicConstraints(ca=above is None, path_length=None), critical=True)
    return made.sign(signer, SHA256())


@dataclass
class Signer:
    """Certificates, and an authority that stamps."""

    key: Key
    root: x509.Certificate
    chain: dict[int, str]  # PEM of a chain whose certificate is so many days old
    authority: Authority
    roots: list[x509.Certificate]

    def signed(self, package: bytes, age: int = 1, **changes: Any) -> dict[str, Any]:
        signature = base64.b64encode(self.key.sign(sha256(package).encode(), ec.ECDSA(SHA256()))).decode()
        query = request(signature.encode())[0]
        answer = self.authority.reply(query)
        stamps = b"".join((self.authority.folder / f"{name}.pem").read_bytes() for name in ("tsa", "root"))
        return {
            "hash": sha256(package),
            "created": f"{now():%Y-%m-%dT%H:%M:%SZ}",
            "software": "test",
            "version": "0.1.0",
            "signature": signature,
            "domain": DOMAIN,
            "domainCert": self.chain[age],
            "timeSignature": base64.b64encode(answer).decode(),
            "timestampCert": stamps.decode(),
        } | changes


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    folder = tmp_path_factory.mktemp("signer")
    key, above = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("Root", above)
    chains = {}
    for age in (1, 20, 200):
        leaf = certificate(DOMAIN, key, (root.subject, above), age)
        chains[age] = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, root)).decode()
    authority = Authority(folder / "tsa")
    return Signer(key, root, chains, authority, [root, *load_roots(authority.roots)])


def state(signed: dict[str, Any], roots: list[x509.Certificate]) -> tuple[set[str], bool, bool]:
    files = described(contents(), lambda package: package.update(created=f"{now():%Y-%m-%dT%H:%M:%SZ}"))
    files["datapackage-digest.json"] = digest_file(files["datapackage.json"], signed)
    found = wacz_state(io.BytesIO(zipped(files)), roots)
    assert found.signature.kind == "domain"
    return {code for code, _ in found.said}, found.signature.holds, found.signature.rooted


def package() -> bytes:
    created = f"{now():%Y-%m-%dT%H:%M:%SZ}"
    return described(contents(), lambda package: package.update(created=created))["datapackage.json"]


def test_a_signature_that_holds_leads_to_given_roots(signer: Signer) -> None:
    signed = signer.signed(package())
    assert state(signed, signer.roots) == (set(), True, True)
    assert state(signed, []) == ({"signature-unrooted"}, True, False)
    assert state(signed, signer.roots[:1]) == ({"signature-chain"}, False, False)
    cross = signed | {"crossSignedCert": signer.chain[20]}
    assert state(cross, signer.roots) == (set(), True, True)


def test_what_does_not_hold_is_said(signer: Signer) -> None:
    good = signer.signed(package())
    other = ec.generate_private_key(ec.SECP256R1())
    stranger = certificate(DOMAIN, other).public_bytes(Encoding.PEM).decode()
    unissued = stranger + signer.chain[1]
    cases: list[tuple[str, dict[str, Any]]] = [
        ("signature-bad", good | {"domainCert": stranger}),
        ("signature-chain", good | {"domainCert": unissued}),
        ("signature-chain", good | {"crossSignedCert": stranger}),
        ("signature-domain", good | {"domain": "other.example"}),
        ("signature-expired", good | {"domainCert": signer.chain[200]}),
        ("signature-time", good | {"timeSignature": good["signature"]}),
        ("signature-time", signer.signed(b"else") | {name: good[name] for name in ("hash", "signature")}),
        ("signature-form", good | {"timestampCert": "none"}),
        ("signature-form", good | {"domainCert": ""}),
        ("signature-form", good | {"publicKey": "x"}),
    ]
    for code, signed in cases:
        said, holds, _ = state(signed, [])
        assert (code in said, holds) == (True, False), code


def test_windows_of_time(signer: Signer) -> None:
    late = f"{now() - timedelta(minutes=11):%Y-%m-%dT%H:%M:%SZ}"
    said, holds, _ = state(signer.signed(package(), created=late), signer.roots)
    assert not holds
    assert said >= {"signature-time", "signature-created"}
    assert state(signer.signed(package(), 20), signer.roots) == ({"signature-window"}, True, True)


def test_a_token_without_certificates_is_judged_by_those_beside_it(signer: Signer) -> None:
    good = signer.signed(package())
    query = TimestampRequestBuilder().data(good["signature"].encode()).hash_algorithm(HashAlgorithm.SHA256)
    bare = signer.authority.reply(query.cert_request(cert_request=False).build().as_bytes())
    assert len(bare) < len(base64.b64decode(good["timeSignature"]))
    signed = good | {"timeSignature": base64.b64encode(bare).decode()}
    assert state(signed, signer.roots) == (set(), True, True)
