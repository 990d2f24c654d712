"""The commitment: tree, checkpoints, record lists, manifest.json."""

import base64
import contextlib
import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import ManifestError, NotAnArchive, RecordError, StorageError
from archiver.manifest import checkpoint, manifest, recordlist
from archiver.manifest.manifest import CommittedList, CommittedWarc
from archiver.manifest.tree import EMPTY_ROOT, Tree, leaf_hash, node_hash
from archiver.model import Entry, PictureFacts

# Leaf inputs and the roots of their first 0 … 8: the vectors of the Certificate Transparency reference code.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
DIGEST = "sha256:" + "ab" * 32


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 word for word: MTH of a list of leaf inputs."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def tree_over(leaves: list[bytes]) -> Tree:
    tree = Tree()
    tree.extend(leaves)
    return tree


# --- tree ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert tree_over(LEAVES[:size]).root().hex() == ROOTS[size]
    assert naive_root(LEAVES[:size]).hex() == ROOTS[size]


def test_hashes_of_leaf_and_node_differ() -> None:
    assert leaf_hash(b"") == bytes.fromhex(ROOTS[1])
    assert node_hash(leaf_hash(b""), leaf_hash(b"\x00")) == bytes.fromhex(ROOTS[2])
    assert tree_over([]).root() == EMPTY_ROOT


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_appending_equals_recomputing(leaves: list[bytes]) -> None:
    tree = Tree()
    for number, leaf in enumerate(leaves):
        tree.append(leaf)
        assert tree.size == number + 1
        assert tree.root() == naive_root(leaves[: number + 1])


@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=40), st.data())
def test_any_change_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:at], bytes([leaves[at][0] ^ 1]) + leaves[at][1:], *leaves[at + 1 :]]
    for other in (changed, leaves[:at] + leaves[at + 1 :], [*leaves[:at], leaves[at], *leaves[at:]]):
        assert tree_over(other).root() != tree_over(leaves).root()


# --- checkpoints ---------------------------------------------------------------------------------


@given(st.integers(0, 10**15 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoint_comes_back(size: int, root: bytes) -> None:
    assert checkpoint.parse(checkpoint.note("archiver/ab", size, root)) == ("archiver/ab", size, root)


ROOT64 = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"a\n01\n{ROOT64}\n",
        f"a\n-1\n{ROOT64}\n",
        f"a\n١\n{ROOT64}\n",
        f"a b\n1\n{ROOT64}\n",
        f"a+b\n1\n{ROOT64}\n",
        f"a\n1\n{ROOT64}",
        f"a\n1\n{ROOT64}\nmore\n",
        f"a\r\n1\r\n{ROOT64}\r\n",
        f"a\n1\n{ROOT64[:-2]}B=\n",  # bits beyond the last byte
        f"a\n1\n{ROOT64[:-4]}\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(ManifestError):
        checkpoint.parse(text)


@given(st.text())
def test_any_text_is_a_checkpoint_or_an_error(text: str) -> None:
    with contextlib.suppress(ManifestError):
        assert checkpoint.note(*checkpoint.parse(text)) == text


# --- record lists --------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ENTRIES = st.builds(
    Entry,
    offset=st.integers(0, 1 << 50),
    length=st.integers(1, 1 << 30),
    digest=st.binary(min_size=32, max_size=32).map(lambda data: f"sha256:{data.hex()}"),
    type=TEXT,
    id=TEXT,
    date=TEXT,
    uri=st.none() | TEXT,
    status=st.none() | st.integers(100, 999),
    picture=st.none()
    | st.builds(
        PictureFacts,
        format=TEXT,
        width=st.integers(1, 9),
        height=st.integers(1, 9),
        hashes=st.dictionaries(TEXT, TEXT),
    ),
)


@given(ENTRIES)
def test_entry_comes_back(entry: Entry) -> None:
    line = recordlist.encode(entry)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert recordlist.decode(line) == entry


LINE = recordlist.encode(
    Entry(offset=0, length=10, digest=DIGEST, type="metadata", id="urn:x", date="2026-11-22T00:00:00.000000Z")
)


@pytest.mark.parametrize(
    "line",
    [
        LINE[:-1],
        LINE.replace(b'"offset":0', b'"offset": 0'),
        LINE.replace(b'"offset":0', b'"offset":0.0'),
        LINE.replace(b'"offset":0', b'"offset":-0'),
        LINE.replace(b'"offset":0', b'"offset":0,"offset":0'),
        LINE.replace(b'"offset":0', b'"offset":NaN'),
        LINE.replace(b"{", b'{"a":1,'),
        LINE.replace(b"metadata", b"meta\\u0064ata"),
        b"\xef\xbb\xbf" + LINE,
        b"\n",
        b"",
        b"[" * 100_000,
        b'{"offset":' * 100_000,
        b"\xff\n",
        LINE + LINE,
    ],
)
def test_only_canonical_lines_are_read(line: bytes) -> None:
    assert recordlist.decode(LINE)
    with pytest.raises(ManifestError):
        recordlist.decode(line)


@given(
    st.binary(max_size=200)
    | st.integers(0, len(LINE) - 1).map(lambda at: LINE[:at] + b"\x00" + LINE[at + 1 :])
)
def test_any_bytes_are_an_entry_or_an_error(line: bytes) -> None:
    with contextlib.suppress(ManifestError):
        assert recordlist.encode(recordlist.decode(line)) == line


def test_record_list_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "x.records.jsonl"
    entries = [recordlist.decode(LINE)] * 3
    with recordlist.RecordList(path) as written:
        written.append(entries[:2])
        assert path.read_bytes() == LINE * 2  # there as soon as it returns
        written.append(entries[2:])
    assert list(recordlist.read(path)) == entries
    with pytest.raises(StorageError, match=r"x\.records\.jsonl"):
        recordlist.RecordList(path)
    path.write_bytes(LINE + b"{}\n" + LINE)
    with pytest.raises(ManifestError, match=r"x\.records\.jsonl: line 2"):
        list(recordlist.read(path))


def test_line_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    long = msgspec.structs.replace(recordlist.decode(LINE), uri="x" * recordlist.LINE_BYTES)
    with recordlist.RecordList(tmp_path / "list") as written, pytest.raises(RecordError):
        written.append([long])
    assert (tmp_path / "list").read_bytes() == b""


# --- manifest.json -------------------------------------------------------------------------------


def full() -> manifest.Manifest:
    """One file of three records."""
    entries = [msgspec.structs.replace(recordlist.decode(LINE), digest=f"sha256:{n:064x}") for n in range(3)]
    listed = CommittedList(path="warcs/a.records.jsonl", bytes=5, digest=DIGEST)
    warc = CommittedWarc(path="warcs/a.warc.gz", bytes=30, digest=DIGEST, records=3, list=listed)
    return manifest.extend(manifest.empty(), Tree(), warc, entries)


def test_manifest_comes_back(tmp_path: Path) -> None:
    manifest.save(tmp_path, full())
    loaded = manifest.load(tmp_path)
    assert loaded.tree.size == 3
    assert checkpoint.parse(loaded.checkpoints[0].note)[1] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    before = (tmp_path / "manifest.json").read_bytes()
    manifest.save(tmp_path, loaded)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_manifest_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    """Not even by a mistake of ours: the one that is there stays."""
    manifest.save(tmp_path, full())
    warc = msgspec.structs.replace(full().warcs[0], path="warcs/a b.warc.gz")
    with pytest.raises(ManifestError):
        manifest.save(tmp_path, msgspec.structs.replace(full(), warcs=(warc,)))
    assert len(manifest.load(tmp_path).warcs) == 1


def test_link_at_the_name_beside_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".manifest.json.new").symlink_to(victim)
    manifest.save(tmp_path, full())
    assert victim.read_text() == "precious"
    assert manifest.load(tmp_path).tree.size == 3


def test_tree_of_refuses_other_entries() -> None:
    with pytest.raises(ManifestError, match="record lists"):
        manifest.tree_of(full(), [])


def test_missing_and_newer(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive, match="no archive here"):
        manifest.load(tmp_path)
    for text in (
        b'{"format": "archiver-manifest/2"}',
        b'{"format": "archiver-manifest/99999999999999", "x": [1]}',
    ):
        (tmp_path / "manifest.json").write_bytes(text)
        with pytest.raises(NotAnArchive, match="newer"):
            manifest.load(tmp_path)


@given(
    st.binary(max_size=60)
    | st.sampled_from([b"[" * 200_000, b'{"format":' * 100_000, b"null", b'{"format":{}}'])
)
def test_any_bytes_are_a_manifest_or_an_error(data: bytes) -> None:
    with pytest.raises((ManifestError, NotAnArchive)):
        manifest.decode(data)


@given(st.data())
def test_any_changed_byte_is_noticed_or_is_another_manifest(data: st.DataObject) -> None:
    whole = manifest.encode(FULL)
    at, value = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 255))
    changed = whole[:at] + bytes([value]) + whole[at + 1 :]
    try:
        assert manifest.encode(manifest.decode(changed)) == changed
    except (ManifestError, NotAnArchive):
        assert changed != whole


FULL = full()
