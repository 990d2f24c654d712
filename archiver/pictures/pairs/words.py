"""What was measured of two pictures, and what is said about it."""

from dataclasses import dataclass
from typing import Literal

from archiver.model import Box, Comparison, Evidence, Relation
from archiver.pictures.hashes import NEAR
from archiver.pictures.pairs.changes import Changes
from archiver.pictures.pairs.extents import Extent

Turn = Literal["", "mirrored", "rotated", "mirrored and rotated"]


@dataclass(frozen=True)
class Pair:
    """Two mapped pictures with all that was measured."""

    first: Extent
    second: Extent
    least: float  # share of a side below which neither shows more
    turn: Turn
    degrees: float
    changes: Changes
    blocks: float  # share that correlates, outside of what was changed or laid over
    drift: float  # pixels of 512 that textures lie off the map there

    @property
    def barred(self) -> Literal["", "first", "second"]:
        """Which of two is the whole of the photograph, where the other has bars around it."""
        if self.first.bars:
            return "second"
        return "first" if self.second.bars else ""

    @property
    def overlapping(self) -> bool:
        """Whether each shows something that the other does not: then neither is a part of the other."""
        return self.first.own and self.second.own

    @property
    def cut(self) -> Literal["", "first", "second"]:
        """Which of two shows more, where one is cut."""
        more = [side.shows_more(self.least) and not side.bars for side in (self.first, self.second)]
        if not any(more):
            return ""
        if more[0] == more[1]:
            return "first" if self.first.covered <= self.second.covered else "second"
        return "first" if more[0] else "second"


def unmapped(inliers: int, distance: int | None) -> Comparison:
    """Of two pictures that no map takes to each other."""
    evidence = Evidence(distance=distance, inliers=inliers)
    if distance is None or distance > NEAR:
        return Comparison(relation="different", evidence=evidence, reason="No map takes one to the other.")
    return Comparison(
        relation="edited-or-neighbouring",
        evidence=evidence,
        reason=f"They look alike ({_hashes(distance)}), but no map takes one to the other.",
    )


def reason(pair: Pair, relation: Relation, evidence: Evidence) -> str:
    """One sentence, or two, for a person."""
    parts = [_shown(pair), _turned(pair)]
    if pair.overlapping:
        parts.append("each shows something that the other does not")
    if pair.changes.overlaid:
        parts.append(f"{_places(len(pair.changes.overlaid))} laid over")
    if pair.changes.changed:
        parts.append(f"{_places(len(pair.changes.changed))} changed")
    if relation == "edited-or-neighbouring":
        parts.append(f"they differ in {pair.changes.share:.0%} of it, or lie unevenly on each other")
    said = "; ".join(part for part in parts if part)
    proof = f"{evidence.inliers} keypoints agree, {evidence.blocks:.0%} of the blocks correlate"
    if evidence.distance is not None:
        proof += f", {_hashes(evidence.distance)}"
    return f"{said[0].upper()}{said[1:]}: {proof}."


def _shown(pair: Pair) -> str:
    if pair.barred:
        return f"the {_other(pair.barred)} has bars around what the {pair.barred} shows"
    if not pair.cut:
        return "both show the whole"
    side = pair.first if pair.cut == "first" else pair.second
    box: Box = side.box
    return (
        f"the {_other(pair.cut)} shows {side.covered:.0%} of the {pair.cut}, from {box.left:.1%} left "
        f"and {box.top:.1%} top, {box.width:.1%} wide and {box.height:.1%} high"
    )


def _other(which: str) -> str:
    return "second" if which == "first" else "first"


def _turned(pair: Pair) -> str:
    return f"{pair.turn}{f' by {pair.degrees:.1f}°' if pair.degrees else ''}" if pair.turn else ""


def _places(count: int) -> str:
    return "one place is" if count == 1 else f"{count} places are"


def _hashes(distance: int) -> str:
    return f"{distance} of 256 bits of their PDQ hashes differ"
