"""What two pictures have to do with each other, in words and as a row of JSON."""

import msgspec

from archiver.console import Output
from archiver.index.pairs import RELATIONS
from archiver.model import Box
from archiver.pictures.files import Compared
from archiver.tell.words import one_line


def comparison(out: Output, first: str, second: str, compared: Compared) -> None:
    """The answer of `archiver compare-pictures`."""
    found = compared.comparison
    row = {"type": "comparison", "first": first, "second": second, **msgspec.to_builtins(compared)}
    code = row.pop("exit_code", 0)
    out.row(row | row.pop("comparison"))
    out.row({"type": "summary", "relation": found.relation, "exit_code": code})
    out.say(RELATIONS[found.relation])
    out.say(f"  {one_line(found.reason)}")
    if found.box and compared.sizes:
        number, other = (0, "B") if found.whole == "first" else (1, "A")
        out.say(f"  {other} shows of {'AB'[number]}: {_box(found.box, compared.sizes[number])}")
    for box in found.boxes:
        out.say(f"  in A: {_box(box, compared.sizes[0])}")
    if compared.map:
        out.say(f"The change map is {compared.map}.")


def _box(box: Box, size: tuple[int, int]) -> str:
    """`120,80 300x200 (10.0 % left, 8.0 % top, 25.0 % x 20.0 %)`, in pixels from the left top."""
    left, top = round(box.left * size[0]), round(box.top * size[1])
    width, height = round(box.width * size[0]), round(box.height * size[1])
    shares = f"{box.left:.1%} left, {box.top:.1%} top, {box.width:.1%} x {box.height:.1%}"
    return f"{width}x{height} pixels at {left},{top} ({shares})"
