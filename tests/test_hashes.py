"""The hashes of pictures: their values under which label, and what becomes of them when libraries change."""

import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import archives
import imagehash
import msgspec
import numpy as np
import pdqhash
import pytest
from click.testing import CliRunner
from golden_pictures import GOLDEN, encoded, landscape
from PIL import Image

from archiver import upkeep
from archiver.archive import Archive
from archiver.cli import main
from archiver.index import catalogue
from archiver.index.hashes import HashDrift
from archiver.manifest.lines import committed_lines
from archiver.model import PictureFacts
from archiver.pictures.describe import describe_picture
from archiver.pictures.hashes import algorithm, current_labels, hamming, pdq, pdq_forms, phash
from archiver.sandbox import Sandbox
from archiver.session import Session
from archiver.tell import drift_words
from archiver.verify import Verification
from archiver.verify.lists import differing

FROZEN = [  # the labels that the values in golden_pictures.py were made under
    "phash64/1/imagehash-4.3.2/scipy-1.17.1/pillow-13.0.0/jpeg-3.2.0/webp-1.6.0/avif-1.4.2",
    "pdq256/1/pdqhash-0.2.8/pillow-13.0.0/jpeg-3.2.0/webp-1.6.0/avif-1.4.2",
]


def facts(data: bytes) -> PictureFacts:
    return msgspec.convert(describe_picture(data), PictureFacts)


def values(found: PictureFacts) -> dict[str, str]:
    return {algorithm(label): value for label, value in found.hashes.items()}


# --- golden vectors ------------------------------------------------------------------------------


def moved(found: dict[str, PictureFacts]) -> list[str]:
    """How far the pictures have moved from what is written down of them, in words."""
    lines = []
    for name, (_, kind, quality, *hashes) in GOLDEN.items():
        now = found[name]
        for hash_name, was in zip(("phash64", "pdq256"), hashes, strict=True):
            bits = hamming(was, values(now).get(hash_name, ""))
            if (was or now.hashes) and bits != 0:
                lines.append(f"{name}: {hash_name} by {bits} bits")
        if (kind, quality) != (now.kind, now.quality):
            lines.append(f"{name}: {kind}, quality {quality} is now {now.kind}, quality {now.quality}")
    return lines


def test_golden_vectors() -> None:
    """The drift check. What a changed library moves must not stand under the label of before."""
    drift = moved({name: facts(data) for name, (data, *_) in GOLDEN.items()})
    labels = current_labels()
    changed = [
        f"now {now}, before {before}" for now, before in zip(labels, FROZEN, strict=True) if now != before
    ]
    advice = (
        ["the labels say so: write the new values and labels down", *changed]
        if changed
        else ["under the same labels: a label must name what changed, or PREPARATION must grow"]
    )
    assert not drift, "\n".join(["Hashes have moved.", *drift, *advice])


def test_the_drift_check_says_what_moved() -> None:
    found = {name: facts(data) for name, (data, *_) in GOLDEN.items()}
    card = found["card"]
    label = current_labels()[1]
    altered = card.hashes | {label: f"{int(card.hashes[label], 16) ^ 0b101:064x}"}
    found["card"] = msgspec.structs.replace(card, hashes=altered)
    found["ramp"] = msgspec.structs.replace(found["ramp"], kind="graphic")
    assert moved(found) == [
        "card: pdq256 by 2 bits",
        "ramp: plain, quality None is now graphic, quality None",
    ]


def test_digits_are_padded_with_zeros() -> None:
    assert GOLDEN["PDQ begins with 0"][4].startswith("0")
    for data, *_ in GOLDEN.values():
        lengths = {name: len(value) for name, value in values(facts(data)).items()}
        assert lengths in ({}, {"phash64": 16, "pdq256": 64})


# --- what they are -------------------------------------------------------------------------------


def picture(pixels: Any) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels))


@pytest.mark.parametrize("seed", range(12))
def test_they_are_those_of_the_libraries(seed: int) -> None:
    dice = random.Random(seed)
    image = picture(landscape(seed, dice.randrange(64, 500), dice.randrange(64, 400)))
    bits, quality = pdqhash.compute(np.asarray(image))
    assert phash(image) == str(imagehash.phash(image))
    assert pdq(image) == (f"{int(''.join(map(str, bits)), 2):064x}", quality)


def test_bits_go_into_digits_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pHash begins with zeros: its first coefficient is the mean, the greatest. Another hash may."""
    bits = np.zeros((8, 8), dtype=bool)
    bits[7, 7] = bits[0, 3] = True
    monkeypatch.setattr(imagehash, "phash", lambda _: imagehash.ImageHash(bits))
    assert phash(picture(landscape(1, 64, 64))) == "1000000000000001"


@pytest.mark.parametrize(("side", "factor"), [(1535, 1), (1536, 2), (2303, 2), (2304, 3)])
def test_pdq_of_a_large_picture_is_that_of_its_averages(side: int, factor: int) -> None:
    image = picture(landscape(side, 128, 64)).resize((side, side // 4))
    bits, quality = pdqhash.compute(np.asarray(image.reduce(factor)))
    assert pdq(image) == (np.packbits(bits).tobytes().hex(), quality)
    whole = np.packbits(pdqhash.compute(np.asarray(image))[0]).tobytes().hex()
    assert (hamming(pdq(image)[0], whole) or 0) <= 20


def test_the_eight_forms_are_those_of_the_turned_picture() -> None:
    image = picture(landscape(8))
    forms = [form.hex() for form in np.frombuffer(pdq_forms(image)[0], "V32").tolist()]
    assert forms[0] == pdq(image)[0]
    turns = ("ROTATE_270", "ROTATE_180", "ROTATE_90", "FLIP_TOP_BOTTOM", "FLIP_LEFT_RIGHT")
    for number, turn in enumerate(turns, 1):
        turned = pdq(image.transpose(Image.Transpose[turn]))[0]
        assert min((hamming(form, turned) or 0) for form in forms[1:]) <= 20, (number, turn)


def test_a_label_names_all_that_a_value_depends_on() -> None:
    names = [[part.rpartition("-")[0] for part in label.split("/")[2:]] for label in current_labels()]
    shared = ["pillow", "jpeg", "webp", "avif"]
    assert names == [["imagehash", "scipy", *shared], ["pdqhash", *shared]]
    assert [label.split("/")[:2] for label in current_labels()] == [["phash64", "1"], ["pdq256", "1"]]


def test_pictures_without_information_have_none() -> None:
    for size in ((1, 1), (63, 63), (500, 31)):
        assert facts(encoded(landscape(1, *size))) == PictureFacts(
            format="PNG", width=size[0], height=size[1], kind="tiny"
        )
    for shade in (0, 128, 255):
        flat = np.full((90, 120, 3), shade, np.uint8)
        flat[3, 3, 0] ^= 7
        assert facts(encoded(flat)) == PictureFacts(format="PNG", width=120, height=90, kind="plain")


# --- libraries of another version ----------------------------------------------------------------


class OtherLibraries(Sandbox):
    """A child whose libraries are of another version: they hash otherwise, and say so."""

    def __init__(self, child: Sandbox, version: str, *, pdq: bool = True, kind: str | None = None) -> None:
        super().__init__()
        self._shared = child  # which each test need not start
        self._version, self._pdq, self._kind = version, pdq, kind

    def call(self, function: Any, data: bytes, **options: Any) -> Any:
        value = self._shared.call(function, data, **options)
        if function is not describe_picture:
            return value
        hashes = {
            f"{algorithm(label)}/{self._version}": f"{int(digits, 16) ^ 0b111:0{len(digits)}x}"
            for label, digits in value.get("hashes", {}).items()
            if self._pdq or algorithm(label) != "pdq256"
        }
        value = {key: each for key, each in value.items() if self._pdq or key not in ("quality", "kind")}
        return value | {"hashes": hashes} | ({"kind": self._kind} if self._kind else {})


def captured(root: Path, number: int, sandbox: Sandbox) -> None:
    """One more sealed file, written by an archiver with these libraries."""
    archive = Archive(root)
    with archive.lock("archive"), catalogue.writing(root) as db:
        session = Session(archive, sandbox, db, {"software": "tests/test_hashes.py"})
        session.append(archives.records(number))
        session.seal()


def of_versions(root: Path, *children: Sandbox) -> Path:
    root.mkdir()
    archive = Archive(root)
    with archive.lock("archive"):
        archive.create()
    for number, child in enumerate(children):
        captured(root, number, child)
    return root


def deep(root: Path, sandbox: Sandbox) -> list[str]:
    return [each.code for each in Verification(root, thorough=True, sandbox=sandbox).findings()]


def rows(root: Path) -> list[tuple[str, str, int | None]]:
    with closing(catalogue.connect(root / catalogue.NAME)) as db:
        sql = "SELECT payload_digest, label, value, quality FROM picture_hashes ORDER BY 1, 2"
        return list(db.execute(sql).fetchall())


def test_rebuild_puts_the_hashes_of_today_beside_those_that_were_committed(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    root = of_versions(tmp_path / "a", OtherLibraries(sandbox, "older"), sandbox)
    before = rows(root)
    assert len(before) == 4
    assert deep(root, sandbox) == []
    ran = CliRunner().invoke(main, ["rebuild", str(root), "--json"])
    drift = [
        {"label": label, "beside": f"{algorithm(label)}/older", "pictures": 1, "moved": 1, "bits": 3}
        for label in current_labels()
    ]
    assert (ran.exit_code, json.loads(ran.stdout.splitlines()[-1])["hashes"]) == (0, drift)
    after = rows(root)
    assert set(before) < set(after)
    assert len(after) == 6
    assert deep(root, sandbox) == []
    (root / catalogue.NAME).unlink()  # as after a copy: the next command makes it
    upkeep.ensure_catalogue(root)
    assert rows(root) == after


def test_older_archives_whose_lines_lack_pdq_and_kind(tmp_path: Path, sandbox: Sandbox) -> None:
    root = of_versions(tmp_path / "a", OtherLibraries(sandbox, "older", pdq=False))
    assert [label for _, label, *_ in rows(root)] == ["phash64/older"]
    assert deep(root, sandbox) == []
    upkeep.rebuild(root)
    assert [label.split("/")[1] for _, label, *_ in rows(root)] == ["1", "1", "older"]
    assert deep(root, sandbox) == []
    assert [(each.beside, each.bits) for each in upkeep.hash_drift(root)] == [("phash64/older", 3)]


def test_a_catalogue_that_libraries_in_between_made(tmp_path: Path, sandbox: Sandbox) -> None:
    """Captured with one version, rebuilt with a second, verified with a third: nobody did anything wrong."""
    root = of_versions(tmp_path / "a", OtherLibraries(sandbox, "older", kind="photograph"))
    manifest = Archive(root).manifest()
    paths, lines = [warc.path for warc in manifest.warcs], committed_lines(root, manifest)
    child = OtherLibraries(sandbox, "between", kind="plain")
    catalogue.rebuild(root, paths, child, lines)
    assert {label.split("/")[1] for _, label, *_ in rows(root)} == {"older", "between"}
    assert deep(root, sandbox) == []
    catalogue.rebuild(root, paths, child)
    assert deep(root, sandbox) == ["catalogue-row"] * 2  # what was committed is not there
    upkeep.rebuild(root)
    assert deep(root, sandbox) == []


def test_a_forged_hash_under_an_older_label_is_found(tmp_path: Path, sandbox: Sandbox) -> None:
    root = of_versions(tmp_path / "a", OtherLibraries(sandbox, "older"))
    with catalogue.writing(root) as db:
        db.execute("UPDATE picture_hashes SET value = '00' WHERE label = 'pdq256/older'")
    assert deep(root, sandbox) == ["catalogue-row"] * 2


def test_a_record_list_that_is_not_the_committed_one_gives_no_hashes(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    root = of_versions(tmp_path / "a", OtherLibraries(sandbox, "older"))
    archives.put_lines(root, [line.replace(b"/older", b"/forge") for line in archives.lines(root, 0)], 0)
    upkeep.rebuild(root)
    assert {label.split("/")[1] for _, label, *_ in rows(root)} == {"1"}


def test_what_lines_of_other_versions_may_say_otherwise(sealed: Path) -> None:
    [line] = [entry for entry in archives.entries(sealed) if entry.picture and entry.picture.hashes]
    assert line.picture is not None
    replace, picture = msgspec.structs.replace, line.picture
    [one, two] = picture.hashes

    def differs(**changed: Any) -> list[str]:
        return differing(line, replace(line, picture=replace(picture, **changed)))

    assert differs(hashes={one: "0" * 16, two: picture.hashes[two]}) == ["picture"]
    assert differs(kind="graphic" if picture.kind != "graphic" else "plain") == ["picture"]
    assert differs(quality=1) == ["picture"]
    assert differs(width=1) == ["picture"]
    assert differs(hashes={one: picture.hashes[one]}, kind="tiny", quality=None) == []
    assert differs(hashes={one: "0" * 16}) == ["picture"]
    assert differs(hashes={"phash64/other": "0" * 16}, kind="tiny", quality=1) == []
    refused = replace(line, picture=None, unreadable="refused")
    assert differing(line, refused) == differing(refused, replace(refused, unreadable="no")) == []
    assert differing(line, refused, exact=True) == ["picture", "unreadable"]
    assert differing(line, replace(line, picture=None)) == ["picture"]


def test_words_of_drift() -> None:
    found = HashDrift(label="pdq256/2", beside="pdq256/1", pictures=1234, moved=11, bits=8)
    assert drift_words(found) == (
        "Hashes of 1,234 pictures were made anew under pdq256/2:"
        " 11 of them differ from pdq256/1 by up to 8 bits."
    )
    same = msgspec.structs.replace(found, pictures=1, moved=0, bits=0)
    assert drift_words(same) == (
        "Hashes of 1 picture were made anew under pdq256/2: none of them differs from pdq256/1."
    )
