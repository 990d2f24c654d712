"""The sample's two pictures as one photograph and as two, and what a person finds, says and takes back."""

import shutil
from pathlib import Path

import pytest
from commands import query, within
from mirrored import DOCUMENT, INNER, LEAD, PICTURES, PROXY, SAMPLE, Mirror, mirrored
from PIL import Image

from archiver.demo import encoding, scenes
from archiver.duplicates import matches
from archiver.relating import FOLDER
from archiver.sandbox import Sandbox
from archiver.show import reading

URLS = [f"http://{PICTURES}/{LEAD}", f"http://{PICTURES}/{INNER}", f"https://{PROXY}/?url={PICTURES}/{LEAD}"]
DOCUMENTS = {"own": DOCUMENT} | ({"sample": SAMPLE.read_bytes()} if SAMPLE.exists() else {})


def archived(mirror: Mirror, root: Path) -> Path:
    code, _, text = within("archive", str(mirror.document), "--into", str(root), *mirror.flags)
    assert code == 0, text
    assert "not all pictures" not in text.lower()
    return root


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    return scenes.podium()


@pytest.fixture(scope="module")
def cropped(scene: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One photograph, and the part of it that the name `_cx5_cy8_cw93_r1` claims."""
    lead = encoding.jpeg(encoding.rendition(encoding.crop(scene, 5, 8, 93), 600))
    inner = encoding.jpeg(encoding.rendition(scene, 600))
    folder = tmp_path_factory.mktemp("cropped")
    with mirrored(folder, [*DOCUMENTS.values()][-1], (lead, inner)) as mirror:
        return archived(mirror, folder / "archive")


def later(scene: Image.Image) -> Image.Image:
    """The next frame: the camera moved a little, and somebody has moved more."""
    moved = scene.crop((8, 5, scene.width - 4, scene.height - 3)).resize(scene.size, Image.Resampling.BICUBIC)
    width, height = scene.size
    person = scene.crop((width // 3, height // 4, width // 2, height * 3 // 4))
    moved.paste(person, (width // 3 + 40, height // 4 + 12))
    return moved


def test_one_photograph_and_its_crop(cropped: Path) -> None:
    code, rows, _ = within("duplicates", str(cropped), "--json")
    assert code == 0
    (cluster,) = [row for row in rows if row["type"] == "cluster"]
    assert rows[-1] == {"type": "summary", "clusters": 1, "links": 0, "matches": 0}
    assert len(cluster["members"]) == 4
    best = cluster["members"][0]
    assert (best["urls"], best["to_best"]) == ([URLS[1]], None)  # the whole one, as its publisher has it
    lead = next(each for each in cluster["members"] if each["urls"] == [URLS[0]])
    found = lead["to_best"]
    assert found["relation"] == "cropped"
    assert found["whole"] == ("first" if found["first"] == best["payload_digest"] else "second")
    box, high = found["box"], 0.93 * 600 * 9 / 16 / 400
    for side, expected in (("left", 0.05), ("top", 0.08), ("width", 0.93), ("height", high)):
        assert box.get(side, 0) == pytest.approx(expected, abs=0.02), side
    relations = query(cropped, "SELECT DISTINCT relation FROM picture_pairs")
    assert {relation for (relation,) in relations} == {"re-encoded", "cropped"}


def test_two_neighbouring_frames(scene: Image.Image, tmp_path: Path) -> None:
    pictures = [encoding.jpeg(encoding.rendition(each, 600)) for each in (scene, later(scene))]
    with mirrored(tmp_path, pictures=(pictures[0], pictures[1])) as mirror:
        root = archived(mirror, tmp_path / "archive")
    _, rows, _ = within("duplicates", str(root), "--json")
    clusters = [
        {url for each in row["members"] for url in each["urls"]} for row in rows[:-1] if "members" in row
    ]
    assert sorted(map(len, clusters)) == [2, 2]  # each with its proxy's copy
    assert not any(set(URLS[:2]) <= urls for urls in clusters)
    links = [row for row in rows if row["type"] == "link"]
    assert {"edited-or-neighbouring"} >= {row["comparison"]["relation"] for row in links} - {
        "locally-changed"
    }
    assert any({*row["first"]["urls"], *row["second"]["urls"]} == set(URLS[:2]) for row in links)


def test_words_for_people(cropped: Path) -> None:
    code, _, text = within("duplicates", str(cropped))
    assert code == 0
    assert text.startswith("4 pictures of one photograph, the best first\n    JPEG 600x400, ")
    assert "cropped, this one shows of the best 73 %, from 5 % left and 8 % top" in text
    assert "by an image proxy: re-encoded or resized: the same picture, nowhere changed" in text
    assert text.endswith("1 cluster, 0 links.\n")
    _, _, shown = within("show", "1", "--in", str(cropped))
    assert shown.count("pixels: re-encoded or resized: the same picture, nowhere changed") == 2


def test_of_one_picture(cropped: Path, scene: Image.Image, tmp_path: Path, sandbox: Sandbox) -> None:
    """By its URL, its digest, its bytes, and one from outside; what is none of these is refused."""
    (digest,) = {row[0] for row in query(cropped, "SELECT cluster FROM picture_clusters")}
    own, outside, other = (tmp_path / name for name in ("own.jpg", "outside.webp", "other.png"))
    own.write_bytes(encoding.jpeg(encoding.rendition(scene, 600)))
    outside.write_bytes(encoding.webp(encoding.rendition(scene, 500)))
    for what in (URLS[0], URLS[2], digest, str(own)):
        code, rows, _ = within("duplicates", str(cropped), "--of", what, "--json")
        assert (code, rows[-1]["clusters"], rows[-1]["matches"]) == (0, 1, 0), what
    _, rows, _ = within("duplicates", str(cropped), "--of", str(outside), "--json")
    assert rows[-1]["matches"] == len(rows) - 1 == 4
    assert {row["comparison"]["relation"] for row in rows[:-1]} == {"re-encoded", "cropped"}
    with reading(cropped) as db:
        assert not list(matches(db, cropped, sandbox, encoding.png(scenes.route_map())))
    other.write_bytes(b"no picture")
    assert within("duplicates", str(cropped), "--of", str(other))[0] == 3
    for what in (
        "a" * 5000,
        "http://nowhere.example/a.jpg",
        "sha256:" + "0" * 64,
        str(tmp_path / "none.jpg"),
    ):
        assert within("duplicates", str(cropped), "--of", what)[0] == 2


def test_a_persons_word_stays_on_record(cropped: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(cropped, tmp_path / "archive"))
    marked = ("duplicates", str(root), "--not-same", URLS[0], URLS[1])
    assert within(*marked)[0] == 2  # no reason
    assert within(*marked[:-1], URLS[0], "--reason", "a mistake")[0] == 2  # one picture
    code, rows, text = within(*marked, "--reason", "another day", "--json")
    assert code == 0, text
    pair = set(rows[-1]["pictures"])
    for again in (False, True):
        if again:  # the mark comes from the records
            shutil.rmtree(root / FOLDER)
            assert within("rebuild", str(root))[0] == 0
        _, rows, _ = within("duplicates", str(root), "--json")
        clusters = [{each["payload_digest"] for each in row["members"]} for row in rows if "members" in row]
        assert clusters
        assert not any(pair <= each for each in clusters)
        assert [row["not_same"] for row in rows if row["type"] == "link"].count(True) == 1
    assert query(root, "SELECT said, reason FROM picture_marks") == [("not-same", "another day")]
    assert within("verify", str(root), "--deep")[0] == 0
    assert within("duplicates", str(root), "--withdraw", *marked[-2:], "--reason", "my mistake")[0] == 0
    assert within("duplicates", str(root), "--json")[1][-1]["clusters"] == 1
