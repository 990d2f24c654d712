"""Evidence bundles: what they hold, what they refuse, and that common tools can judge them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import archives
import evidence_archive as made
import pytest
from click.testing import CliRunner
from commands import started
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli import main
from archiver.digests import digest
from archiver.manifest.proofs import Inclusion
from archiver.manifest.tree import Tree, leaf_hash, node_hash
from archiver.prove import verify
from archiver.prove.report import shown

ARTICLE = "http://news.example/0/"
PICTURE = "http://news.example/0/渡轮.jpg"
PEERS = Path(__file__).parents[1] / ".venv-peers/bin"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    made.proved(folder)
    return folder


@pytest.fixture(scope="module")
def bundle(world: Path) -> Path:
    code, _, text = started("prove", ARTICLE, str(world / "archive"), "--into", str(world / "e.zip"))
    assert code == 0, text
    return world / "e.zip"


def prove(root: Path, subject: str, into: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, summary, people's text of the command."""
    done = CliRunner().invoke(main, ["prove", subject, str(root), "--into", str(into), "--json"])
    assert "Traceback" not in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr


def types(path: Path) -> list[str]:
    """WARC-Type and target of the records in a bundle, in order."""
    found = []
    data = made.files_of(path)["capture.warc.gz"]
    for member in json.loads(made.files_of(path)["bundle.json"])["members"]:
        stored = data[member["offset"] : member["offset"] + member["length"]]
        fields, _, _ = verify.record(stored, 1 << 30)
        found.append(f"{fields['warc-type']} {fields.get('warc-target-uri', '')}".strip())
    return found


# --- what is in it -------------------------------------------------------------------------------


def test_an_article_brings_its_source_pictures_and_notes(bundle: Path) -> None:
    held = types(bundle)
    assert held[0] == "warcinfo"
    assert held.count("warcinfo") == 2  # of each file concerned
    for wanted in (f"response {ARTICLE}", f"request {ARTICLE}", f"response {PICTURE}", f"revisit {PICTURE}"):
        assert held.count(wanted) == 1, wanted
    assert f"request {PICTURE}" in held
    assert "metadata urn:archiver:certificates:news.example" in held
    assert sum(each.startswith("resource urn:archiver:source:") for each in held) == 1
    assert sum(each.startswith("metadata urn:archiver:note:") for each in held) == 3
    assert "http://news.example/1/" not in " ".join(held)


def test_subjects(world: Path, tmp_path: Path) -> None:
    payload = archives.entries(world / "archive", 0)[archives.PICTURE].payload_digest
    assert payload
    for number, subject in enumerate((PICTURE, payload, "1", "HTTP://news.example:80/2/")):
        code, summary, text = prove(world / "archive", subject, tmp_path / f"{number}.zip")
        assert code == 0, text
        assert summary["records"] == len(types(tmp_path / f"{number}.zip"))
    assert types(tmp_path / "0.zip") == types(tmp_path / "1.zip")
    assert f"revisit {PICTURE}" in types(tmp_path / "1.zip")


def test_a_revisit_alone_brings_its_original(world: Path, tmp_path: Path) -> None:
    """Of the last file only the revisit is asked for, by the catalogue of one who wants just that."""
    from archiver.prove.subject import choose
    from archiver.show import reading

    root = world / "archive"
    again = archives.entries(root, 3)[1]
    with reading(root) as db:
        chosen = choose(db, root, PICTURE)
    assert {again.id, again.refers_to} <= chosen.records


def test_the_same_twice_is_the_same_bytes(world: Path, bundle: Path, tmp_path: Path) -> None:
    assert prove(world / "archive", ARTICLE, tmp_path / "again.zip")[0] == 0
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_the_summary_says_what_was_written(world: Path, tmp_path: Path) -> None:
    code, summary, text = prove(world / "archive", ARTICLE, tmp_path / "e.zip")
    assert (code, summary["signatures"], summary["timestamps"], summary["unsealed"]) == (0, 2, 2, 0)
    assert summary["bytes"] == (tmp_path / "e.zip").stat().st_size
    assert "openssl says that it holds" in text
    assert "Clock of the Bay" in text
    assert "NOT PROVED" in text


# --- what is refused -----------------------------------------------------------------------------


def test_what_is_there_is_never_written_over(world: Path, tmp_path: Path) -> None:
    into = tmp_path / "e.zip"
    into.write_bytes(b"mine")
    assert prove(world / "archive", ARTICLE, into)[0] == 2
    assert into.read_bytes() == b"mine"
    into.unlink()
    into.symlink_to(tmp_path / "elsewhere")
    assert prove(world / "archive", ARTICLE, into)[0] == 2
    assert not (tmp_path / "elsewhere").exists()


def test_unknown_subjects_are_usage_errors(world: Path, tmp_path: Path) -> None:
    for subject in ("http://nowhere.example/", "99", "sha256:" + "0" * 64, "\udcff", ""):
        code, _, text = prove(world / "archive", subject, tmp_path / "e.zip")
        assert code == 2, text
    assert prove(tmp_path, "1", tmp_path / "e.zip")[0] == 5
    assert prove(world / "archive", ARTICLE, tmp_path / "no" / "e.zip")[0] == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["member", "list", "tree", "checkpoint", "token"])
def test_damage_is_refused_and_nothing_written(world: Path, tmp_path: Path, where: str) -> None:
    root = Path(shutil.copytree(world / "archive", tmp_path / "archive"))
    raw = archives.raw_manifest(root)
    if where == "member":
        place = archives.entries(root, 0)[archives.PICTURE]
        archives.change(root, archives.warc(root, 0), archives.flip(place.offset + 200))
    elif where == "list":
        archives.change(
            root, archives.listed(root, 0), lambda data: data.replace(b"sha256:", b"sha256:0", 1)[:-2] + b"\n"
        )
    elif where == "tree":
        raw["tree"]["root"] = "sha256:" + "0" * 64
    elif where == "checkpoint":
        raw["checkpoints"][-1]["note"] = raw["checkpoints"][0]["note"]
    else:
        raw["checkpoints"][-1]["timestamps"][0]["over"] = 1
    if where in ("tree", "checkpoint", "token"):
        archives.put_manifest(root, raw)
    code, _, text = prove(root, ARTICLE, tmp_path / "e.zip")
    assert code == 4, text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive"]


def test_what_is_not_sealed_is_left_out_and_said(world: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(world / "archive", tmp_path / "archive"))
    raw = archives.raw_manifest(root)
    raw["warcs"].pop()
    raw["checkpoints"].pop()
    size = int(raw["checkpoints"][-1]["note"].split("\n")[1])
    tree = Tree()
    for number in range(3):
        tree.extend(bytes.fromhex(entry.digest[7:]) for entry in archives.entries(root, number))
    raw["tree"] = {"size": size, "root": "sha256:" + tree.root().hex()}
    archives.put_manifest(root, raw)
    code, summary, text = prove(root, ARTICLE, tmp_path / "e.zip")
    assert code == 0
    assert summary["unsealed"] == 2
    assert "2 records are not in it" in text


# --- common tools --------------------------------------------------------------------------------


def test_recipes_of_the_report_work(bundle: Path, tmp_path: Path) -> None:
    """Each, as it stands on the page, in the unpacked folder."""
    import html

    made.unpacked(made.files_of(bundle), tmp_path)
    page = (tmp_path / "report.html").read_text()
    recipes = [html.unescape(each) for each in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)][:4]
    assert [recipe.split()[0] for recipe in recipes] == ["python3", "sha256sum", "openssl", "head"]
    for recipe in recipes:
        done = subprocess.run(
            ["bash", "-ec", recipe], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (recipe, done.stderr)
    assert "Signature Verified Successfully" in done.stdout


@pytest.mark.peers
@pytest.mark.skipif(not PEERS.exists(), reason="the peers are not installed: make peers")
def test_other_tools_read_the_capture(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "capture.warc.gz"
    path.write_bytes(made.files_of(bundle)["capture.warc.gz"])
    warcio = subprocess.run(
        [PEERS / "warcio", "check", "-v", path], capture_output=True, text=True, check=False
    )
    assert warcio.returncode == 0, warcio.stdout
    assert "digest pass" in warcio.stdout
    assert (
        subprocess.run([PEERS / "fastwarc", "check", path], capture_output=True, check=False).returncode == 0
    )
    assert subprocess.run(["gzip", "-t", path], check=False).returncode == 0


# --- the report ----------------------------------------------------------------------------------


def test_the_report_holds_no_bytes_of_others(world: Path, tmp_path: Path) -> None:
    assert prove(world / "archive", PICTURE, tmp_path / "e.zip")[0] == 0
    page = made.files_of(tmp_path / "e.zip")["report.html"].decode()
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert re.findall(r"(?:src|href)=[\"'](?!data:image/jpeg;base64,|#)", page) == []
    assert page.count('<img alt="" src="data:image/jpeg;base64,') == 1
    assert "96 × 64" in page
    stored = archives.jpeg(0)
    assert digest(stored) in page


def test_hostile_text_is_escaped_and_made_visible() -> None:
    assert shown("<b a=\"'&") == "&lt;b a=&quot;&#x27;&amp;"
    assert shown(made.EVIL) == ('海<b class="mark">U+202E</b>evil&lt;script&gt;alert(1)&lt;/script&gt;')
    assert shown("a\x00\u200b\udcff\U000e0041") == "".join(
        ["a", *(f'<b class="mark">U+{code}</b>' for code in ("0000", "200B", "DCFF", "E0041"))]
    )


# --- inclusion proofs: RFC 9162 section 2.1.3.1, by its own words ----------------------------------


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*path_of(index, leaves[:half]), head_of(leaves[half:])]
    return [*path_of(index - half, leaves[half:]), head_of(leaves[:half])]


def head_of(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(head_of(leaves[:half]), head_of(leaves[half:]))


@given(st.integers(1, 70), st.sets(st.integers(0, 69)))
def test_proofs_are_those_of_the_specification(size: int, wanted: set[int]) -> None:
    leaves = [bytes([number]) * 32 for number in range(size)]
    tree = Inclusion()
    for number, leaf in enumerate(leaves):
        tree.append(leaf, wanted=number in wanted)
    root = tree.finish()
    assert root == head_of(leaves)
    assert tree.proofs == {number: path_of(number, leaves) for number in wanted if number < size}
    for number, proof in tree.proofs.items():
        value = leaf_hash(leaves[number])
        assert verify.led_to(value, number, size, proof) == root
        for wrong in (proof[:-1], [*proof, root], proof[::-1] if proof[::-1] != proof else [root]):
            assert verify.led_to(value, number, size, wrong) != root
        other = size - 1 - number
        assert other == number or verify.led_to(value, other, size, proof) != root


def test_no_leaf_has_the_empty_root() -> None:
    assert Inclusion().finish() == Tree().root()
