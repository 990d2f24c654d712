"""`archiver compare-pictures`: what it says, writes and ends with."""

from pathlib import Path

import pytest
from commands import started, within
from PIL import Image

from archiver.demo.scenes import harbour


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A picture, and its part with a patch on it."""
    whole = harbour().resize((900, 600))
    whole.save(tmp_path / "a.jpg", quality=90)
    part = whole.crop((90, 60, 900, 600))
    part.paste(whole.crop((0, 0, 200, 130)), (400, 250))
    part.save(tmp_path / "b.webp", quality=80)
    return tmp_path / "a.jpg", tmp_path / "b.webp"


def test_it_says_what_differs_and_draws_it(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, rows, text = within("compare-pictures", *map(str, pair), "--json")
    assert code == 0
    row, summary = rows
    assert summary == {"type": "summary", "relation": "locally-changed", "exit_code": 0}
    assert (row["relation"], row["whole"], row["map"]) == ("locally-changed", "first", "changes.png")
    assert row["sizes"] == [[900, 600], [810, 540]]
    assert row["box"] == pytest.approx({"left": 0.1, "top": 0.1, "width": 0.9, "height": 0.9}, abs=0.004)
    assert "LOCALLY CHANGED" in text
    assert "810x540 pixels at 90,60" in text
    with Image.open(tmp_path / "changes.png") as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (900, 600))
        pixels = drawn.convert("RGB").getpixel((590, 375))
        assert isinstance(pixels, tuple)
        assert pixels[0] > pixels[1] + 40  # red where the patch lies
    within("compare-pictures", *map(str, pair), "--no-map")
    assert not (tmp_path / "changes-2.png").exists()
    within("compare-pictures", *map(str, pair))
    assert (tmp_path / "changes-2.png").exists()


def test_no_file_is_written_over_and_none_when_nothing_is_to_show(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = map(str, pair)
    code, _, text = within("compare-pictures", first, second, "--map", first)
    assert (code, "is there" in text) == (2, True)
    into = tmp_path / "map.png"
    code, rows, _ = started(
        "compare-pictures", first, "-", "--json", "--map", str(into), stdin=pair[0].read_bytes()
    )
    assert (code, rows[0]["relation"], rows[0]["second"], into.exists()) == (0, "same-bytes", "-", False)


def test_what_is_no_picture_ends_with_3(pair: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(pair[0].read_bytes()[:3000])
    code, rows, text = within("compare-pictures", str(pair[0]), str(broken), "--json")
    assert (code, rows[0]["relation"]) == (3, "undecodable")
    assert "cannot be compared" in text


def test_what_is_too_large_is_not_read_whole(pair: tuple[Path, Path], tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    code, _, text = started("compare-pictures", str(pair[0]), str(large))
    assert (code, "larger than" in text) == (2, True)
