"""C2SP signed notes and RFC 9162 proofs, against published examples and against a second reading."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from test_manifest import LEAVES, ROOTS, naive_root

from archiver.errors import ManifestError
from archiver.manifest import checkpoint, proofs, signednote
from archiver.manifest.signednote import COSIGNATURE, ED25519, LINES, Signature, VerifierKey
from archiver.manifest.signers import Keyring
from archiver.manifest.tree import Tree, leaf_hash
from archiver.prove import verify

# The key and note of golang.org/x/mod/sumdb/note, the format's first implementation (note_test.go).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETERS_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
PETERS_LINE = (
    "— PeterNeumann"
    " x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
# The example of c2sp.org/signed-note: its text has an empty line.
POEM = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
POEMS_LINE = (
    "— quasimodo.example/salvatore"
    " NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc="
)
# The example of c2sp.org/tlog-checkpoint, and its cosignature in c2sp.org/tlog-cosignature.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFAS_LINES = (
    (
        "— example.com/behind-the-sofa"
        " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
    ),
    (
        "— witness.example.com/w1"
        " jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIU"
        "BkBIfZ+qnA=="
    ),
)


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


# --- published examples --------------------------------------------------------------------------


def test_published_key_and_note() -> None:
    peter = VerifierKey.parse(PETER)
    assert (peter.name, peter.kind, str(peter)) == ("PeterNeumann", ED25519, PETER)
    line = Signature.parse(PETERS_LINE)
    assert str(line) == PETERS_LINE
    assert line.names(peter.public)
    assert line.holds(peter.public, PETERS_TEXT)
    assert not line.holds(peter.public, PETERS_TEXT.replace("your", "my"))
    private = Ed25519PrivateKey.from_private_bytes(PETERS_SEED)
    assert str(signednote.sign(private, "PeterNeumann", PETERS_TEXT)) == PETERS_LINE


@pytest.mark.parametrize("start", range(0, len(PETER), 5))
def test_parts_of_a_key_are_no_key(start: int) -> None:
    for stop in range(start + 1, len(PETER) + 1):
        if (start, stop) != (0, len(PETER)):
            with pytest.raises(ManifestError):
                VerifierKey.parse(PETER[start:stop])


@pytest.mark.parametrize("place", range(0, len(PETER), 3))
def test_changed_key_is_no_key(place: int) -> None:
    with pytest.raises(ManifestError):
        VerifierKey.parse(PETER[:place] + chr(ord(PETER[place]) + 1) + PETER[place + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # also of note_test.go
        PETER + "\n",
        "\u2003" + PETER,
        PETER.replace("+c7", "+C7"),
        PETER.replace("Peter", "Peter "),
        PETER.replace("Peter", "Peter\x00"),
        PETER[:-1] + "=",
    ],
)
def test_no_keys(text: str) -> None:
    with pytest.raises(ManifestError):
        VerifierKey.parse(text)


def test_key_of_another_type_passes_through_and_judges_nothing() -> None:
    other = VerifierKey("witness.example/pq", 0x06, bytes(1312))
    assert VerifierKey.parse(str(other)) == other
    assert Keyring((), [other]).judge(SOFA, SOFAS_LINES[0]).judgement == "unknown"


def test_published_notes_come_apart() -> None:
    assert signednote.split(signednote.join(POEM, [POEMS_LINE])) == (POEM, (POEMS_LINE,))
    assert signednote.split(signednote.join(SOFA, SOFAS_LINES)) == (SOFA, SOFAS_LINES)
    assert checkpoint.parse(SOFA)[:2] == ("example.com/behind-the-sofa", 20852163)
    log, witness = map(Signature.parse, SOFAS_LINES)
    assert (log.kind, log.time) == (ED25519, None)
    assert (witness.kind, witness.time, witness.key_id.hex()) == (COSIGNATURE, 1679315147, "8d66cf3f")


def test_cosignature_signs_what_the_specification_shows() -> None:
    private = key(1)
    line = signednote.cosign(private, "witness.example.com/w1", SOFA, 1679315147)
    private.public_key().verify(line.value[8:], b"cosignature/v1\ntime 1679315147\n" + SOFA.encode())
    assert line.names(public(private))
    assert line.holds(public(private), SOFA)
    later = Signature(line.name, line.key_id, (1679315148).to_bytes(8) + line.value[8:])
    assert not later.holds(public(private), SOFA)
    assert VerifierKey.parse(str(VerifierKey("w", COSIGNATURE, public(private)))).key_id != line.key_id


def test_time_past_the_specification_is_wrong() -> None:
    private, time = key(1), 1 << 63
    value = time.to_bytes(8) + private.sign(f"cosignature/v1\ntime {time}\n{SOFA}".encode())
    named = VerifierKey("w", COSIGNATURE, public(private))
    assert not Signature("w", named.key_id, value).holds(public(private), SOFA)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees_with_the_signature_and_the_fingerprint(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    private = key(2)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, spki)
    der = private.public_key().public_bytes(serialization.Encoding.DER, spki)
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "note").write_text(SOFA)
    (tmp_path / "signature").write_bytes(signednote.sign(private, "a", SOFA).value)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
    given = ["-in", "note", "-sigfile", "signature"]
    done = subprocess.run([*command, *given], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "der").write_bytes(der)
    digest = subprocess.run(
        ["sha256sum", "der"], cwd=tmp_path, capture_output=True, check=True, text=True
    ).stdout.split()[0]
    assert signednote.fingerprint(public(private)) == f"sha256:{digest}"


# --- lines of others -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "",
        "— a",
        "- a AAAAAAAAAAA=",
        "— a  AAAAAAAAAAA=",
        "— a AAAAAAAAAAA",  # not a multiple of four
        "— a AAAAAAAAAAB=",  # bits beyond the last byte
        "— a AAAA-AAA_AA=",
        "— a+b AAAAAAAAAAA=",
        "— a b AAAAAAAAAAA=",
        "— a\u00a0b AAAAAAAAAAA=",
        "— a\x01 AAAAAAAAAAA=",
        "— \u202ea AAAAAAAAAAA=",  # it would turn the line around
        "— a AAAAAAAAAAA=\n",
        "— a " + "A" * 12000,
        f"— {'a' * 300} AAAAAAAAAAA=",
    ],
)
def test_no_signature_lines(line: str) -> None:
    with pytest.raises(ManifestError):
        Signature.parse(line)
    with pytest.raises(ManifestError):
        signednote.split(f"text\n\n{line}\n")


@pytest.mark.parametrize("text", ["", "text", "text\n\n— a AAAAAAAAAAA=", "\n\n\n\n"])
def test_no_signed_notes(text: str) -> None:
    with pytest.raises(ManifestError):
        signednote.split(text)


def test_too_many_lines_are_refused() -> None:
    assert len(signednote.split(signednote.join(SOFA, SOFAS_LINES * (LINES // 2)))[1]) == LINES
    with pytest.raises(ManifestError):
        signednote.split(signednote.join(SOFA, SOFAS_LINES * 5000))


@given(st.text(max_size=300))
def test_any_text_ends_in_a_result_or_in_our_error(text: str) -> None:
    for read in (VerifierKey.parse, Signature.parse, signednote.split):
        try:
            read(text)
        except ManifestError:
            continue


def test_who_signed_is_decided_by_the_key_never_by_the_name() -> None:
    mine, other = key(1), key(2)
    own = str(signednote.sign(mine, "anything", SOFA))
    forged = str(signednote.sign(other, "anything", SOFA))
    ring = Keyring([public(mine)])
    assert ring.judge(SOFA, own).public == public(mine)
    assert ring.judge(SOFA, forged).judgement == "unknown"
    assert ring.judge(SOFA.replace("208", "209"), own).judgement == "wrong"
    claimed = Signature("anything", Signature.parse(own).key_id, Signature.parse(forged).value)
    assert ring.judge(SOFA, str(claimed)).judgement == "wrong"
    listed = Keyring((), [VerifierKey("another", ED25519, public(mine))])
    assert listed.judge(SOFA, own).judgement == "unknown"


def test_signature_of_an_unknown_length_is_unknown_or_wrong() -> None:
    for length in (0, 1, 63, 65, 71, 73, 4000):
        line = str(Signature("a", bytes(4), bytes(max(length, 2))))
        assert Keyring([public(key(1))]).judge(SOFA, line).judgement == "unknown"
    named = VerifierKey("a", 0, public(key(1)))
    assert Keyring([named.public]).judge(SOFA, str(Signature("a", named.key_id, b"??"))).judgement == "wrong"


# --- proofs --------------------------------------------------------------------------------------

# Of the Certificate Transparency reference code: leaf or old size, size, proof.
INCLUSIONS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCIES = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def inclusion(leaves: list[bytes], index: int, size: int) -> list[bytes]:
    making = proofs.Inclusion()
    for number, leaf in enumerate(leaves[:size]):
        making.append(leaf, wanted=number == index)
    making.finish()
    return making.proofs[index]


def includes(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """By the verifier that is shipped."""
    return verify.led_to(leaf_hash(leaf), index, size, proof) == root


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSIONS)
def test_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    nodes = [bytes.fromhex(node) for node in proof]
    assert inclusion(LEAVES, index, size) == nodes
    assert includes(LEAVES[index], index, size, nodes, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "size", "proof"), CONSISTENCIES)
def test_published_consistency_proofs(old: int, size: int, proof: list[str]) -> None:
    nodes = [bytes.fromhex(node) for node in proof]
    assert proofs.consistency(LEAVES, old, size) == nodes
    assert proofs.continues(old, bytes.fromhex(ROOTS[old]), size, bytes.fromhex(ROOTS[size]), nodes)


MANY = [bytes([n]) * 3 for n in range(40)]


def test_every_proof_of_small_trees_holds_and_no_other() -> None:
    roots = [naive_root(MANY[:size]) for size in range(len(MANY) + 1)]
    for size in range(1, len(MANY) + 1):
        for index in range(size):
            proof = inclusion(MANY, index, size)
            assert includes(MANY[index], index, size, proof, roots[size])
            assert not includes(MANY[index] + b"x", index, size, proof, roots[size])
            assert not includes(MANY[index], index, size, [*proof, roots[1]], roots[size])
            assert not includes(MANY[index], index, size, proof[:-1], roots[size]) or not proof
            assert not includes(MANY[index], index, size, proof, roots[size - 1])
        for old in range(1, size):
            proof = proofs.consistency(MANY, old, size)
            assert proofs.continues(old, roots[old], size, roots[size], proof)
            assert not proofs.continues(old, roots[old - 1], size, roots[size], proof)
            assert not proofs.continues(old, roots[old], size, roots[size - 1], proof)
            assert not proofs.continues(old, roots[old], size, roots[size], proof[:-1])
            assert not proofs.continues(old, roots[old], size, roots[size], [*proof, roots[1]])


def test_proofs_at_the_edges() -> None:
    assert proofs.consistency(MANY, 0, 9) == []
    assert proofs.continues(0, naive_root([]), 9, naive_root(MANY[:9]), [])
    assert not proofs.continues(9, naive_root(MANY[:9]), 8, naive_root(MANY[:8]), [])
    assert not proofs.continues(8, naive_root(MANY[:8]), 8, naive_root(MANY[1:9]), [])
    assert not includes(b"", 0, 0, [], naive_root([]))
    for old, size in ((5, 4), (-1, 4), (1, 41)):
        with pytest.raises(ValueError, match="no trees"):
            proofs.consistency(MANY, old, size)


@given(st.integers(0, 40), st.sets(st.integers(0, 45)))
def test_tree_knows_the_roots_it_was_told_to_watch(size: int, watch: set[int]) -> None:
    tree = Tree(watch)
    tree.extend(MANY[:size])
    assert {n: tree.roots.get(n) for n in watch} == {
        n: naive_root(MANY[:n]) if n <= size else None for n in watch
    }
