"""The index of pictures: against a plain model, through flushes, kills, readers and damage."""

import hashlib
import io
import itertools
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from archiver.demo import scenes
from archiver.errors import RecordError, UsageError
from archiver.model import PictureFacts
from archiver.pictures.candidates import postings
from archiver.pictures.fingerprint import Fingerprint, make_fingerprint
from archiver.pictures.index import FEW, FEW_VOTES, LEAST_VOTES, RADIUS, VOTES, Candidate, Index

KEYPOINTS = 12


def key(number: int) -> str:
    return f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"


def fingerprint(number: int, *, quality: int | None = 100) -> Fingerprint:
    """Of one of a few scenes: its hash and its descriptors with some bits turned over."""
    source = random.Random(number)
    scene = random.Random(number % 5)
    pdq = bytearray(scene.randbytes(256))
    for _ in range(source.choice((0, 30, RADIUS - 1, RADIUS, RADIUS + 1, 128))):
        form, bit = source.randrange(8), source.randrange(256)
        pdq[32 * form + bit // 8] ^= 1 << bit % 8
    descriptors = bytearray(scene.randbytes(32 * KEYPOINTS))
    descriptors[:32] = bytes(32)  # as where the mirrored picture has none
    for _ in range(source.choice((0, KEYPOINTS, 4 * KEYPOINTS, 40 * KEYPOINTS))):
        descriptors[source.randrange(len(descriptors))] ^= 1 << source.randrange(8)
    return Fingerprint(
        facts=PictureFacts(format="JPEG", width=640, height=480, quality=quality),
        pixels=key(number),
        pdq=bytes(pdq),
        points=source.randbytes(4 * KEYPOINTS),
        poses=bytes(
            scene.randrange(256) if source.random() < 0.6 else source.randrange(256) for _ in range(KEYPOINTS)
        ),
        descriptors=bytes(descriptors),
        mirrored=random.Random(number % 5 + 1).randbytes(256 + 32 * KEYPOINTS)[256:],  # as the next scene
        within=number % 3,
    )


FINGERPRINTS = [fingerprint(number, quality=(100, 100, 80, 79, None)[number % 7 % 5]) for number in range(40)]
PLAIN = Fingerprint(facts=PictureFacts(format="PNG", width=9, height=9, kind="tiny"), pixels=key(0))


Posting = tuple[int, str, int]  # table, bits and pose


def postings_of(descriptors: bytes, poses: Sequence[int]) -> set[Posting]:
    """Bit by bit, as the documents say it."""
    found = set()
    for at, pose in zip(range(0, len(descriptors), 32), poses, strict=False):
        if not any(descriptors[at : at + 32]):
            continue
        bits = f"{int.from_bytes(descriptors[at : at + 32], 'big'):0256b}"
        found |= {(table, bits[table:96:4], pose) for table in range(4)}
    return found


def counted(asked: set[Posting], known: list[set[Posting]]) -> list[int]:
    """The votes for each of the known pictures, for one way to ask."""
    having = Counter(posting[:2] for postings in known for posting in postings)
    every = []
    for one in known:
        votes: dict[tuple[int, int], list[int]] = defaultdict(list)
        for table, bits, pose in asked:
            n = having[table, bits]
            if n <= postings.COMMON:
                for other_table, other_bits, other in one:
                    if (table, bits) == (other_table, other_bits):
                        votes[other // 32 - pose // 32, (other - pose) % 32].append(round(100 / n**0.5))
        every.append(votes)
    turned = sorted(range(len(every)), key=lambda row: -sum(map(sum, every[row].values())))
    placed = sorted(sorted(turned[: postings.TURNED]), key=lambda row: -_turned(every[row]))
    return [_agreeing(votes) if row in placed[: postings.PLACED] else 0 for row, votes in enumerate(every)]


def _turned(votes: dict[tuple[int, int], list[int]]) -> int:
    """The most votes within 1/32 of a turn of any turn."""
    near: dict[int, int] = defaultdict(int)
    for (_, turn), each in votes.items():
        for on in (-1, 0, 1):
            near[(turn + on) % 32] += sum(each)
    return max(near.values(), default=0)


def _agreeing(votes: dict[tuple[int, int], list[int]]) -> int:
    """The most votes within an octave and 1/32 of a turn of any scale and turn, less two by chance."""
    near: dict[tuple[int, int], list[int]] = defaultdict(list)
    for (scale, turn), each in votes.items():
        for up, on in itertools.product((-1, 0, 1), repeat=2):
            near[scale + up, (turn + on) % 32] += each
    return max((sum(each) * max(0, len(each) - 2) // len(each) for each in near.values()), default=0)


def model(known: list[tuple[str, Fingerprint]], asked: Fingerprint, votes: int) -> list[Candidate]:
    """What the index must say, by looking at every picture."""
    found = []
    having = [postings_of(other.descriptors, other.poses) for _, other in known]
    mirrored = [pose // 32 * 32 + (15 - pose) % 32 for pose in asked.poses]
    own = KEYPOINTS - asked.within
    whole = counted(postings_of(asked.descriptors[: 32 * own], asked.poses[:own]), having)
    part = counted(postings_of(asked.descriptors[32 * own :], asked.poses[own:]), having)
    turned = counted(postings_of(asked.mirrored[: 32 * own], mirrored[:own]), having)
    for (name, other), *ways in zip(known, map(max, whole, part), turned, strict=True):
        distance = None
        if asked.pdq and other.pdq and min(asked.facts.quality or 0, other.facts.quality or 0) >= 80:
            hashed = int.from_bytes(other.pdq[:32], "big")
            forms = [int.from_bytes(asked.pdq[at : at + 32], "big") for at in range(0, 256, 32)]
            distance = min((form ^ hashed).bit_count() for form in forms)
        found.append(Candidate(key=name, distance=distance, votes=max(ways), mirrored=ways[1] > ways[0]))
    near = [one for one in found if one.distance is not None and one.distance <= RADIUS]
    others = sorted((one for one in found if one not in near), key=lambda one: -one.votes)[:votes]
    return sorted(near, key=lambda one: one.distance or 0) + [
        one for place, one in enumerate(others) if one.votes >= (FEW_VOTES if place < FEW else LEAST_VOTES)
    ]


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> int:
    """So that segments come, merge and fill within a few pictures; so many make some of all sizes."""
    monkeypatch.setattr(postings, "TAIL_ROWS", 2)
    monkeypatch.setattr(postings, "MOST_SEGMENT_ROWS", 8)
    monkeypatch.setattr(postings, "COMMON", 4)
    monkeypatch.setattr(postings, "TURNED", 12)
    monkeypatch.setattr(postings, "PLACED", 8)
    return 21


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, len(FINGERPRINTS) - 1)),
        st.tuples(st.just("flush"), st.just(0)),
        st.tuples(st.just("reopen"), st.just(0)),
        st.tuples(st.just("kill"), st.just(0)),
        st.tuples(st.just("truncate"), st.integers(0, 20)),
    ),
    max_size=40,
)


@pytest.mark.usefixtures("small_segments")
@settings(max_examples=40, deadline=None)
@given(steps=STEPS, asked=st.sampled_from(FINGERPRINTS))
def test_index_says_what_looking_at_every_picture_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], asked: Fingerprint
) -> None:
    folder = tmp_path_factory.mktemp("index") / "0"
    known: list[tuple[str, Fingerprint]] = []
    flushed = 0
    index = Index(folder)
    try:
        for step, number in steps:
            if step == "add":
                if key(number) not in index:
                    known.append((key(number), FINGERPRINTS[number]))
                index.add(key(number), FINGERPRINTS[number])
            elif step == "truncate":
                index.truncate(number)
                if number < len(known):
                    del known[number:]
                    flushed = number
            elif step == "kill":  # what a kill leaves: the files as they are
                killed = folder.with_name(f"{int(folder.name) + 1}")
                shutil.copytree(folder, killed)
                index.close()
                folder, index = killed, Index(killed)
                del known[flushed:]
            else:
                index.flush()
                flushed = len(known)
                with Index(folder, writable=False) as reader:
                    assert reader.candidates(asked) == model(known, asked, VOTES)
                if step == "reopen":
                    index.close()
                    index = Index(folder)
            assert len(index) == len(known)
            assert index.candidates(asked) == model(known, asked, VOTES)
        assert [index.get(name) for name, _ in known] == [
            msgspec.structs.replace(one, mirrored=b"") for _, one in known
        ]
        with Index() as memory:
            for name, one in known:
                memory.add(name, one)
            assert memory.candidates(asked, votes=3) == index.candidates(asked, votes=3)
    finally:
        index.close()


def test_every_hash_within_the_radius_is_found() -> None:
    source = np.random.default_rng(84)
    asked = FINGERPRINTS[0]
    first = np.frombuffer(asked.pdq, np.uint8).reshape(8, 32)
    with Index() as index:
        distances = {}
        for number in range(9000):  # more than are compared at a time
            flips = int(source.integers(RADIUS - 20, RADIUS + 20))
            bits = np.unpackbits(first[number % 8])
            bits[source.choice(256, flips, replace=False)] ^= 1
            one = Fingerprint(facts=asked.facts, pixels=key(number), pdq=np.packbits(bits).tobytes() * 8)
            index.add(key(number), one)
            distances[key(number)] = flips
        found = {one.key: one.distance for one in index.candidates(asked)}
        opposite = Fingerprint(facts=asked.facts, pixels=asked.pixels, pdq=b"\xff" * 256)
        index.add(key(-1), opposite)
        nothing = msgspec.structs.replace(opposite, pdq=bytes(256))
        assert key(-1) not in [one.key for one in index.candidates(nothing)]
        assert found == {name: flips for name, flips in distances.items() if flips <= RADIUS}


def test_picture_without_information_finds_nothing_and_is_never_found() -> None:
    with Index() as index:
        index.add(key(1), PLAIN)
        index.add(key(2), FINGERPRINTS[0])
        index.add(key(3), PLAIN)
        assert index.candidates(PLAIN) == []
        assert [one.key for one in index.candidates(FINGERPRINTS[0])] == [key(2)]
        assert index.get(key(3)) == PLAIN
        assert index.get(key(4)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"pdq": b"1" * 255},
        {"points": b"12345"},
        {"descriptors": b"1" * 31},
        {"mirrored": b"1" * 32},
        {"points": b"", "mirrored": b""},
        {"poses": b"1"},
        {"within": KEYPOINTS + 1},
    ],
    ids=["pdq", "points", "descriptors", "mirrored", "counts", "poses", "within"],
)
def test_fingerprint_whose_arrays_do_not_fit_is_refused(change: dict[str, Any]) -> None:
    good = FINGERPRINTS[0]
    bad = msgspec.structs.replace(good, **change)
    with Index() as index:
        with pytest.raises(RecordError):
            index.add(key(1), bad)
        with pytest.raises(RecordError):
            index.candidates(bad)
        assert len(index) == 0


def test_key_is_a_digest() -> None:
    with Index() as index, pytest.raises(UsageError):
        index.add("photo.jpg", FINGERPRINTS[0])


@pytest.fixture
def folder(tmp_path: Path, small_segments: int) -> Path:
    with Index(tmp_path / "index", label="one") as index:
        for number in range(small_segments):
            index.add(key(number), FINGERPRINTS[number])
    return tmp_path / "index"


def test_reader_keeps_what_it_opened_while_another_writes(folder: Path) -> None:
    with Index(folder, writable=False, label="one") as reader:
        before = reader.candidates(FINGERPRINTS[0])
        with Index(folder, label="one") as writer:
            for number in range(21, 40):
                writer.add(key(number), FINGERPRINTS[number])
                writer.flush()
        assert len(reader) == 21
        assert reader.candidates(FINGERPRINTS[0]) == before
    with Index(folder, writable=False, label="one") as reader:
        assert len(reader) == 40


def test_index_is_cut_anywhere(folder: Path, tmp_path: Path) -> None:
    assert len(list(folder.glob("postings-*.bin"))) == 3  # 8, 8 and 4 pictures
    known = [(key(number), one) for number, one in enumerate(FINGERPRINTS)][:21]
    for count in (0, 1, 7, 8, 9, 20):
        copy = shutil.copytree(folder, tmp_path / str(count))
        with Index(copy, label="one") as index:
            index.truncate(count)
            assert index.candidates(FINGERPRINTS[0]) == model(known[:count], FINGERPRINTS[0], VOTES)
            assert (copy / "rows.bin").stat().st_size == 77 * count
            index.add(*known[20])
            cut = [*known[:count], known[20]]
            assert index.candidates(FINGERPRINTS[0]) == model(cut, FINGERPRINTS[0], VOTES)


def test_what_a_kill_left_is_removed(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in ("rows.bin", "features.bin"):
        with (folder / name).open("ab") as file:
            file.write(b"left")
    (folder / "postings-00000099.bin").write_bytes(b"left")
    Index(folder, label="one").close()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_reader_makes_no_folder(tmp_path: Path) -> None:
    with Index(tmp_path / "none", writable=False) as index:
        assert index.candidates(FINGERPRINTS[0]) == []
    assert not (tmp_path / "none").exists()


def test_index_of_other_fingerprints_is_refused(folder: Path) -> None:
    with pytest.raises(RecordError, match="'one', not of 'two'"):
        Index(folder, label="two")


def test_folder_of_somebody_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "features.bin").write_bytes(b"precious")
    with pytest.raises(RecordError):
        Index(tmp_path)
    assert (tmp_path / "features.bin").read_bytes() == b"precious"


def test_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    for path in sorted(folder.iterdir()):
        moved = path.rename(tmp_path / path.name)
        for target in (moved, precious):
            path.symlink_to(target)
            with pytest.raises(RecordError):
                Index(folder, label="one").close()
            path.unlink()
        moved.rename(path)
    assert precious.read_bytes() == b"precious"
    Index(folder, label="one").close()


def _damages(data: bytes) -> Iterator[bytes]:
    yield b""
    yield data[:-1]
    yield data[:48] + b"\xff" * (len(data) - 48)
    yield data[:-2000] + b"\xff" * len(data[-2000:])
    for at in range(0, len(data), max(1, len(data) // 40)):
        yield data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def made(image: Image.Image) -> Fingerprint:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    one = msgspec.convert(make_fingerprint(out.getvalue()), Fingerprint)
    return msgspec.structs.replace(one, pdq=b"")


def test_photograph_that_is_small_on_a_page_is_found_from_either_side() -> None:
    small = ImageOps.contain(scenes.street(), (360, 240))
    page = Image.new("RGB", (1280, 1000), "white")
    page.paste(small, (160, 160))
    written = ImageDraw.Draw(page)
    for line in range(20):
        written.text((160, 420 + 26 * line), "what was said after the meeting " * 5, fill="#333333")
    pictures = [made(image) for image in (scenes.harbour(), scenes.street(), page)]
    assert [one.within > 0 for one in pictures] == [False, False, True]
    for asked, wanted in ((2, 1), (1, 2)):
        with Index() as index:
            for number in range(3):
                if number != asked:
                    index.add(key(number), pictures[number])
            found = index.screen(pictures[asked], index.candidates(pictures[asked]))
            assert [one.key for one in found] == [key(wanted)]


def test_mirrored_crop_is_found_by_its_keypoints_and_screened() -> None:
    whole = [scenes.harbour(), scenes.street()]
    width, height = whole[1].size
    part = ImageOps.mirror(whole[1].crop((width // 4, height // 5, width, height)))
    with Index() as index:
        for number, image in enumerate(whole):
            index.add(key(number), made(image))
        asked = made(part)
        found = index.candidates(asked)
        assert found[0].key == key(1)
        assert [one.key for one in index.screen(asked, found)] == [key(1)]
        assert (index.screen(asked, found)[0].inliers or 0) > 20
        plainly = {
            one.key: one.votes for one in index.candidates(msgspec.structs.replace(asked, mirrored=b""))
        }
        assert plainly.get(key(1), 0) < found[0].votes / 2
        few = msgspec.structs.replace(asked, points=b"", poses=b"", descriptors=b"", mirrored=b"")
        assert index.screen(few, found) == [msgspec.structs.replace(one, inliers=0) for one in found]


def _near(index: Index) -> list[str]:
    found = index.candidates(FINGERPRINTS[0])
    return [one.key for one in found if one.distance is not None and one.distance <= RADIUS]


def test_damage_ends_in_an_error_of_ours_or_in_candidates(folder: Path) -> None:
    """Whatever byte of whatever file is another one: no traceback, and no hash but the right ones."""
    with Index(folder, writable=False, label="one") as index:
        expected = _near(index)
    refused = 0
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for damaged in _damages(whole):
            path.write_bytes(damaged)
            try:
                with Index(folder, writable=False, label="one") as index:
                    assert _near(index) == expected
                    for number in range(21):
                        index.get(key(number))
            except RecordError:
                refused += 1
        path.write_bytes(whole)
    assert refused > 100


@pytest.mark.parametrize("part", ["slots", "inside"])
def test_postings_that_lead_nowhere_are_refused(folder: Path, part: str) -> None:
    slots = (1 << 18) + 1
    for path in folder.glob("postings-*.bin"):
        data = bytearray(path.read_bytes())
        count = (len(data) - 48 - 4 * slots) // 4
        if part == "slots":
            data[48 : 48 + 4 * slots] = np.arange(slots, 0, -1, dtype="<u4").tobytes()
        else:
            data[48 + 4 * slots : 48 + 4 * slots + 2 * count] = b"\xff" * (2 * count)
        path.write_bytes(data)
    with Index(folder, label="one") as index, pytest.raises(RecordError, match="damaged"):
        index.candidates(FINGERPRINTS[0])
