"""`archiver export` into folders: tables, files, mirror documents, bags. Each checked by what reads it."""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unicodedata
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import exported
import imported
import pytest
from commands import query, within
from exported import (
    CAME,
    CRANES,
    DOCUMENTS,
    EVIL,
    FERRY,
    HOSTILE,
    ORIGIN,
    PAGE,
    PROXY,
    SAME,
    SVG,
    damage,
    stored,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.exporting.columns import TABLES
from archiver.exporting.files import write_files
from archiver.exporting.naming import SLUG_BYTES, slug
from archiver.exporting.output import Folder, new_file, new_folder
from archiver.exporting.pictures import suffix_of
from archiver.exporting.tables import cell
from archiver.sandbox import Sandbox
from archiver.show import reading
from archiver.sources.documents.mirror import is_mirror_document, read_document

ROOT = Path(__file__).parents[1]
DOCS, BAGIT = ROOT / "docs", ROOT / ".venv-peers/bin/bagit.py"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported.make(tmp_path_factory.mktemp("exported") / "archive")


@pytest.fixture
def own(archive: Path, tmp_path: Path) -> Path:
    """An archive that a test may damage."""
    return shutil.copytree(archive, tmp_path / "own")


def export(archive: Path, into: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Of all articles, where none are named."""
    subjects = () if any(each.isdecimal() for each in arguments) else ("--all",)
    code, rows, _ = within(
        "export", *arguments, *subjects, "--in", str(archive), "--into", str(into), "--json"
    )
    assert {path.name for path in into.parent.iterdir() if path.name.endswith(".new")} == set()
    return code, rows


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


# --- tables --------------------------------------------------------------------------------------


def test_tables_hold_the_same_in_both_forms(archive: Path, tmp_path: Path) -> None:
    for kind in ("csv", "jsonl"):
        code, rows = export(archive, tmp_path / kind, kind)
        assert (code, rows[-1]["rows"]["articles"]) == (0, 4)
        package = json.loads((tmp_path / kind / "datapackage.json").read_bytes())
        assert {each["path"] for each in package["resources"]} | {"datapackage.json"} == files(
            tmp_path / kind
        )
    for table in TABLES:
        data = (tmp_path / "csv" / f"{table.name}.csv").read_bytes()
        assert data.startswith(b"\xef\xbb\xbf")
        cells = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
        rows = lines(tmp_path / "jsonl" / f"{table.name}.jsonl")
        assert [list(row) for row in rows] == [[column.name for column in table.columns]] * len(cells)
        types = {column.name: column.type for column in table.columns}
        for written, row in zip(cells, rows, strict=True):
            for name, text in written.items():
                value = "\n".join(row[name]) if types[name] == "list" else row[name]
                assert text == cell(value, types[name])


def test_a_formula_in_a_title_is_text(archive: Path, tmp_path: Path) -> None:
    export(archive, tmp_path / "csv", "csv", str(EVIL))
    data = (tmp_path / "csv" / "articles.csv").read_text("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(data, newline=""))
    assert row["title"] == "'" + HOSTILE.replace("\x1b", "\ufffd")


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\t=1", " =1", "\u3000＝1", "\r\n=1", "'a", "''", "\xa0@x"]
)
def test_cells_lose_nothing(text: str) -> None:
    assert cell(text, "text") == f"'{text}"
    assert cell(f"a{text}", "text") == f"a{text}"


def test_columns_are_explained() -> None:
    text = (DOCS / "export-folders.md").read_text()
    for table in TABLES:
        section = text.partition(f"### {table.name}\n")[2].partition("\n#")[0]
        assert re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE) == [
            (each.name, each.description) for each in table.columns
        ]


# --- pictures as files ---------------------------------------------------------------------------


def test_files_are_named_for_people_and_say_whence_they_come(archive: Path, tmp_path: Path) -> None:
    into = tmp_path / "files"
    code, rows = export(archive, into, "files")
    assert code == 3
    assert [row["url"] for row in rows if row["type"] == "missing"] == [f"{PROXY}lost.jpg"]
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=into, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert files(into) == {line.partition(": ")[0] for line in done.stdout.decode().splitlines()} | {
        "SHA256SUMS"
    }
    found = lines(into / "provenance.jsonl")
    ferry = [each for each in found if each["article"]["id"] == FERRY and each["picture"] == 1]
    assert [(each["file"], each["best"]) for each in ferry] == [
        ("2023-11/2023-11-08_河边会谈-航道-与渡轮_1-01_best_origin.jpg", True),
        ("2023-11/2023-11-08_河边会谈-航道-与渡轮_1-01_proxied.jpg", False),
    ]
    for each in found:
        data = (into / each["file"]).read_bytes()
        assert data == CAME[each["url"]]
        assert each["sha256"] == hashlib.sha256(data).hexdigest()
        place = each["record"]
        with (archive / place["warc"]).open("rb") as file:
            file.seek(place["offset"])
            stored = file.read(place["length"])
        assert place["digest"] == f"sha256:{hashlib.sha256(stored).hexdigest()}"
    assert {Path(each["file"]).suffix for each in found if each["url"].endswith(".png")} == {".jpg"}
    assert [Path(each["file"]).suffix for each in found if each["url"].endswith(".svg")] == [".svg"]
    assert [each["url"] for each in lines(into / "missing.jsonl")] == [f"{PROXY}lost.jpg"]


@pytest.mark.parametrize("same", ["copy", "link", "once"])
def test_the_same_bytes_are_there_as_often_as_asked(archive: Path, tmp_path: Path, same: str) -> None:
    into = tmp_path / "files"
    export(archive, into, "files", "--same-bytes", same)
    having = [path for path in into.rglob("*.jpg") if path.read_bytes() == SAME]
    assert len(having) == (1 if same == "once" else 2)
    assert len({path.stat().st_ino for path in having}) == (2 if same == "copy" else 1)
    named = [each["file"] for each in lines(into / "provenance.jsonl") if each["url"] == f"{ORIGIN}same.jpg"]
    assert (into / named[0]).read_bytes() == SAME


def test_pictures_around_an_article_come_when_asked_for(archive: Path, tmp_path: Path) -> None:
    counts = []
    for number, more in enumerate(((), ("--aside",))):
        export(archive, tmp_path / str(number), "files", str(PAGE), *more)
        counts.append(len(lines(tmp_path / str(number) / "provenance.jsonl")))
    assert counts == [1, 2]


def test_what_is_damaged_does_not_go_out(own: Path, tmp_path: Path) -> None:
    found: list[tuple[int, list[int], list[str]]] = []
    copies = [each["id"] for each in stored(own) if each["uri"] == f"{ORIGIN}ferry.jpg" and each["status"]]
    assert len(copies) > 1
    for count, record in enumerate(copies):
        damage(own, lambda each, record=record: each["id"] == record)
        code, rows = export(own, tmp_path / str(count), "files", str(FERRY))
        best = [each for each in lines(tmp_path / str(count) / "provenance.jsonl") if each["best"]]
        damaged = [row["picture"] for row in rows if row["type"] == "damaged"]
        found.append((code, damaged, [each["form"] for each in best if each["picture"] == 1]))
    # While one copy is left, that goes out.
    assert found == [(3, [], ["origin"])] * (len(copies) - 1) + [(4, [1], ["proxied"])]


def test_an_interrupted_export_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    def interrupt(_problem: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), reading(archive) as db:
        write_files(archive, db, [FERRY], tmp_path / "out" / "files", report=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_written_over(archive: Path, tmp_path: Path) -> None:
    for name in ("csv", "jsonl", "files", "mirror", "bagit", "site"):
        assert within("export", name, "--all", "--in", str(archive), "--into", str(tmp_path))[0] == 2
    writing = new_folder(tmp_path / "new")
    writing.__enter__().write("a/b", b"c")
    (tmp_path / "new").write_bytes(b"here first")
    with pytest.raises(UsageError, match="meanwhile"):
        writing.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@settings(max_examples=50)
@given(st.text(max_size=150))
@example("../../etc/passwd")
@example("\u202egnp.exe")
@example("a" + "\u0300" * 99)
@example("\u3164\ufe0f\u200d")
def test_slugs_are_names(text: str) -> None:
    made = slug(text)
    assert len(made.encode()) <= SLUG_BYTES
    assert all(character == "-" or unicodedata.category(character)[0] in "LMN" for character in made)
    assert made == unicodedata.normalize("NFC", made) == made.strip("-")


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (SAME, "jpg"),
        (SVG, "svg"),
        (b"GIF89a", "gif"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
        (b"<html>", "bin"),
        (b"", "bin"),
    ],
)
def test_the_suffix_is_by_the_bytes(data: bytes, suffix: str) -> None:
    assert suffix_of(data) == suffix


# --- mirror documents ----------------------------------------------------------------------------


def test_a_document_is_the_same_but_for_the_addresses_of_its_pictures(archive: Path, tmp_path: Path) -> None:
    into = tmp_path / "mirror"
    code, rows = export(archive, into, "mirror")
    assert code == 3
    assert [row["url"] for row in rows if row["type"] != "summary"] == [f"{PROXY}lost.jpg"]
    ferry = DOCUMENTS["000_ferry.txt"].decode()
    ferry = ferry.replace(f'src="{PROXY}ferry.jpg"', 'src="pictures/1/1.jpg"')
    ferry = ferry.replace(f"{PROXY}route.png&amp;w=90", "pictures/1/3.jpg")
    ferry = ferry.replace(f'href="{ORIGIN}big.png"', 'href="pictures/1/4.jpg"')
    assert (into / "000_ferry.txt").read_text() == ferry
    assert (into / "pictures/1/1.jpg").read_bytes() == CAME[f"{ORIGIN}ferry.jpg"]
    cranes = (into / "cranes.en.md").read_text()
    assert re.findall(r"pictures/2/\d\.\w+", cranes) == [
        f"pictures/2/{name}" for name in ("1.jpg", "4.jpg", "5.jpg", "3.jpg", "2.svg")
    ]
    assert ORIGIN not in cranes
    assert "3_CON.md" in files(into)
    for path in into.glob("*.*"):
        assert is_mirror_document(path.read_bytes())
    for name in DOCUMENTS:
        there = into / ("3_CON.md" if name == "CON.md" else name)
        before, after = (exported.read(read_document(data)) for data in (DOCUMENTS[name], there.read_bytes()))
        assert before == after


def test_a_page_becomes_a_document_that_says_the_same(archive: Path, tmp_path: Path) -> None:
    code, _ = export(archive, tmp_path / "mirror", "mirror", str(PAGE))
    assert code == 0
    (path,) = (tmp_path / "mirror").glob("4_*.md")
    said = read_document(path.read_bytes())
    _, article = exported.page()
    assert (said["title"], said["url"]) == (article.title, article.url)
    assert said["times"][0]["written"] == str(
        int(datetime(2023, 11, 8, 18, 26, 0, 500_000, UTC).timestamp() * 1000)
    )
    assert [(each["kind"], each.get("text", "")) for each in said["blocks"]] == [
        (each.kind, each.text) for each in article.blocks
    ]
    assert [each["written"] for each in said["references"]] == ["pictures/4/1.jpg"]
    assert files(tmp_path / "mirror" / "pictures") == {"4/1.jpg"}


def test_the_copy_that_the_proxy_served_can_be_had(archive: Path, tmp_path: Path) -> None:
    export(archive, tmp_path / "mirror", "mirror", "--form", "proxied", str(FERRY))
    assert (tmp_path / "mirror/pictures/1/1.jpg").read_bytes() == CAME[f"{PROXY}ferry.jpg"]
    assert (tmp_path / "mirror/pictures/1/4.jpg").read_bytes() == CAME[f"{ORIGIN}big.png"]


def test_a_damaged_document_is_left_out(own: Path, tmp_path: Path) -> None:
    sources = [each for (each,) in query(own, "SELECT source_id FROM articles ORDER BY id")]
    assert damage(own, lambda each: each["record_id"] == sources[CRANES - 1]) == 1
    code, rows = export(own, tmp_path / "mirror", "mirror", str(CRANES))
    assert (code, rows[-1]["articles"], rows[-1]["problems"]) == (4, 0, {"damaged": 1})


# --- bags ----------------------------------------------------------------------------------------


def sums(path: Path) -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in path.read_text().splitlines())
    return {name.replace("%0A", "\n").replace("%25", "%"): digits for digits, name in pairs}


def check_bag(bag: Path) -> dict[str, str]:
    """The checks of RFC 8493 section 3; the bag's fields."""
    assert (bag / "bagit.txt").read_text() == "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    payload, tags = sums(bag / "manifest-sha256.txt"), sums(bag / "tagmanifest-sha256.txt")
    assert payload.keys() == {each for each in files(bag) if each.startswith("data/")}
    assert tags.keys() == {"bagit.txt", "bag-info.txt", "manifest-sha256.txt"}
    for name, digits in (payload | tags).items():
        assert hashlib.sha256((bag / name).read_bytes()).hexdigest() == digits
    fields = dict(line.split(": ", 1) for line in (bag / "bag-info.txt").read_text().splitlines())
    size = sum((bag / name).stat().st_size for name in payload)
    assert fields["Payload-Oxum"] == f"{size}.{len(payload)}"
    return fields


def test_a_bag_holds_an_archive_that_can_be_checked(own: Path, tmp_path: Path) -> None:
    (own / "trust").mkdir()
    (own / "trust" / "100%\nsure.pem").write_bytes(b"-")
    (own / "warcs" / "x.warc.gz.open").write_bytes(b"")
    code, rows = export(own, tmp_path / "bag", "bagit")
    assert (code, [row["url"] for row in rows if row["type"] == "left-out"]) == (3, ["x.warc.gz.open"])
    assert check_bag(tmp_path / "bag")["External-Identifier"].startswith("archiver/")
    assert within("verify", str(tmp_path / "bag" / "data"))[0] == 0


@pytest.mark.peers
@pytest.mark.skipif(not BAGIT.exists(), reason="the peers are not installed: make peers")
def test_bagit_py_finds_the_bag_valid(archive: Path, tmp_path: Path) -> None:
    export(archive, tmp_path / "bag", "bagit")
    done = subprocess.run(
        [BAGIT, "--validate", tmp_path / "bag"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_linked_to_is_in_a_bag_with_its_bytes(tmp_path: Path, sandbox: Sandbox) -> None:
    root = imported.make(tmp_path / "importing", sandbox)
    code, _ = export(root, tmp_path / "bag", "bagit")
    assert code == 0
    check_bag(tmp_path / "bag")
    file = tmp_path / "bag" / "data" / imported.LINKED
    assert not file.is_symlink()
    assert file.read_bytes() == (root / imported.LINKED).read_bytes()
    assert within("verify", str(tmp_path / "bag" / "data"))[0] == 0


def test_a_bag_of_one_article_is_a_warc_file(archive: Path, tmp_path: Path) -> None:
    code, rows = export(archive, tmp_path / "bag", "bagit", str(PAGE))
    assert code == 0
    check_bag(tmp_path / "bag")
    (name,) = files(tmp_path / "bag" / "data")
    assert name.endswith(".warc.gz")
    assert rows[-1]["rows"]["records"] > 4


def test_no_bag_is_made_of_a_damaged_archive(own: Path, tmp_path: Path) -> None:
    damage(own, lambda each: each["uri"] == f"{ORIGIN}same.jpg")
    code, _, text = within("export", "bagit", "--all", "--in", str(own), "--into", str(tmp_path / "bag"))
    assert code == 4
    assert "archiver verify" in text
    assert not (tmp_path / "bag").exists()


def written(begun: AbstractContextManager[Path | Folder], number: signal.Signals) -> None:
    """Half of what was to be written, when the signal comes."""
    with begun as made:
        if isinstance(made, Path):
            made.write_bytes(b"half")
        else:
            made.write("half", b"half")
        os.kill(os.getpid(), number)
        time.sleep(5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_half_done(number: signal.Signals, tmp_path: Path) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # also below nohup, whose SIGHUP nobody hears
    try:
        for begun in (new_file(tmp_path / "new.wacz"), new_folder(tmp_path / "new")):
            with pytest.raises(KeyboardInterrupt):
                written(begun, number)
    finally:
        signal.signal(number, before)
    assert list(tmp_path.iterdir()) == []
