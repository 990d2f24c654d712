"""What the pixels of two pictures say, in words of the reader's language; their boxes as shares to draw."""

from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.language import Language, Say
from archiver.model import MERGED, Box, Comparison


@dataclass(frozen=True)
class Frame:
    """A box to draw over a picture, in shares of its sides; `kind` is `crop`, `changed` or `overlaid`."""

    kind: str
    left: str
    top: str
    width: str
    height: str


def sentence(found: Comparison, language: Language, first: str, second: str) -> str:
    """What two pictures have to do with each other; `first` and `second` are what they are called there."""
    say = language.say
    said = [words.relation_name(found.relation, say)]
    if found.turn:
        said.append(_turned(found, say))
    if found.box:
        whole, part = (first, second) if found.whole == "first" else (second, first)
        share = f"{100 * found.box.width * found.box.height:.0f}"
        said.append(say("%(part)s shows %(share)s %% of %(whole)s", part=part, share=share, whole=whole))
    if found.boxes:
        said.append(language.plural("in %(count)s place", "in %(count)s places", len(found.boxes)))
    return say(", ").join(said)


def _turned(found: Comparison, say: Say) -> str:
    turns = {
        "mirrored": say("mirrored"),
        "rotated": say("rotated"),
        "mirrored and rotated": say("mirrored and rotated"),
    }
    turn = turns.get(found.turn, words.plain(found.turn))
    return say("%(turn)s by %(degrees)s°", turn=turn, degrees=f"{found.degrees:g}") if found.degrees else turn


def frames(found: Comparison, which: str) -> tuple[Frame, ...]:
    """What to draw over the `first` or the `second` of the two."""
    drawn = [_frame("crop", found.box)] if found.box and found.whole == which else []
    if which == "first":
        kind = "overlaid" if found.relation == "overlaid" else "changed"
        drawn += [_frame(kind, box) for box in found.boxes]
    return tuple(drawn)


def _frame(kind: str, box: Box) -> Frame:
    return Frame(kind, *(f"{value:.4f}" for value in (box.left, box.top, box.width, box.height)))


def tone(found: Comparison) -> str:
    """How loud it is said: `same` for one photograph, `alert` for a changed one, else ``."""
    if found.relation == "locally-changed":
        return "alert"
    return "same" if found.relation in MERGED else ""


def evidence(found: Comparison, say: Say) -> tuple[tuple[str, str], ...]:
    """What was measured, as names and values."""
    measured = found.evidence
    rows = []
    if measured.inliers is not None:
        rows.append((say("Keypoints that agree"), f"{measured.inliers:,}"))
    if measured.blocks is not None:
        rows.append((say("Blocks that correlate"), f"{100 * measured.blocks:.0f} %"))
    if measured.distance is not None:
        bits = say("%(bits)s of 256 bits differ", bits=measured.distance)
        rows.append((say("PDQ hashes"), bits))
    if found.degrees:
        rows.append((say("Turned"), f"{found.degrees:g}°"))
    if found.box:
        rows.append((say("Part"), _percents(found.box, say)))
    kind = say("Laid over") if found.relation == "overlaid" else say("Changed")
    rows += [(kind, _percents(box, say)) for box in found.boxes]
    return tuple(rows)


def _percents(box: Box, say: Say) -> str:
    sides = {name: f"{100 * getattr(box, name):.1f}" for name in Box.__struct_fields__}
    return say(
        "%(width)s %% wide, %(height)s %% high, from %(left)s %% left and %(top)s %% top",
        **sides,
    )


def has_map(found: Comparison) -> bool:
    """Whether there is a map of changes: something to frame in the first picture."""
    return bool(found.boxes or (found.box and found.whole == "first"))
