"""A mirror's text against the publisher's page, paragraph by paragraph (docs/comparing.md).

White space and where paragraphs end never count: both texts become one run of characters without white space,
NFC-normalised. It is aligned by whole paragraphs, then between them by sentences, then by words and
ideographs. Every offset below is one in such a run.
"""

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Literal

from archiver.claims.alignment import Run, Work, align, equal_ends
from archiver.model import Block, Noun

WORK = 12_000_000  # steps for one comparison: seconds, at worst
_LONGEST = 1_000_000  # characters between two common sentences that are looked at word by word
_ALIKE = 0.3  # of the shorter text must be common there, or else none of it is said to be
# White space, and what takes no room: soft hyphen, zero-width characters, direction marks, byte order mark.
_VOID = r"\s\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_VOIDS = re.compile(f"[{_VOID}]+")
_HAN = "\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"\d++(?:[.,:]\d++)*+|[^\W\d{_HAN}{_VOID}]++|[^{_VOID}]")
_SENTENCE_END = re.compile(r"(?:[。！？；…｡]++|[.!?]++)[”’」』）〕】》〉\"'’)\]]*+")


class Span(Noun, frozen=True):
    """A piece of a changed paragraph. missing: only on the page · added: only in the mirror."""

    kind: Literal["same", "missing", "added"]
    text: str  # the page's, and of an addition the mirror's


class Passage(Noun, frozen=True):
    """A paragraph of the page and what the mirror has for it, or a paragraph that only the mirror has.

    missing: on the page and not in the mirror · added: in the mirror and not on the page.
    Texts are as they stand, in NFC; where several paragraphs belong to one, line feeds are between them.
    """

    kind: Literal["same", "changed", "missing", "added"]
    mirror: str = ""
    page: str = ""
    spans: tuple[Span, ...] = ()  # of a changed one, in reading order
    moved: bool = False  # missing or added: the same words stand elsewhere on the other side


class Comparison(Noun, frozen=True):
    """Passages in the page's order. `same`, `changed` and `missing` count the page's paragraphs."""

    passages: tuple[Passage, ...]
    same: int
    changed: int
    missing: int
    added: int  # paragraphs of the mirror


class _Side:
    """One text: its paragraphs, and all of them as one run of characters without white space."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        texts = [unicodedata.normalize("NFC", block.text) for block in blocks if block.kind != "picture"]
        solid = [_VOIDS.sub("", text) for text in texts]
        self.texts = [text for text, run in zip(texts, solid, strict=True) if run]
        self.starts = [0, *accumulate(len(run) for run in solid if run)]
        self.run = "".join(solid)
        self.sentences = list(sentence_ends(self.run))
        self._tokens: tuple[int, Sequence[int], Sequence[int]] = (-1, [], [])

    def paragraph(self, offset: int) -> int:
        """Number of the paragraph that holds a character."""
        return bisect_right(self.starts, offset) - 1

    def paragraphs(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Each paragraph in a range: its number, and where its part in the range starts and ends."""
        while start < end:
            number = self.paragraph(start)
            stop = min(end, self.starts[number + 1])
            yield number, start, stop
            start = stop

    def tokens(self, number: int) -> tuple[Sequence[int], Sequence[int]]:
        """Where the words and ideographs of a paragraph start: in the run, and in the paragraph's text."""
        if self._tokens[0] != number:
            in_run, in_text, offset = array("L"), array("L"), self.starts[number]
            for match in _TOKEN.finditer(self.texts[number]):
                in_run.append(offset)
                in_text.append(match.start())
                offset += match.end() - match.start()
            self._tokens = (number, in_run, in_text)
        return self._tokens[1:]

    def text(self, start: int, end: int) -> str:
        """A range as it was written, with the white space that follows it."""
        return "\n".join(self._part(*part) for part in self.paragraphs(start, end))

    def _part(self, number: int, start: int, end: int) -> str:
        text = self.texts[number]
        if (start, end) == (self.starts[number], self.starts[number + 1]):
            return text
        stop = None if end == self.starts[number + 1] else self._place(number, end)
        return text[self._place(number, start) : stop]

    def _place(self, number: int, offset: int) -> int:
        """Where a character of the run stands in its paragraph's text."""
        in_run, in_text = self.tokens(number)
        token = bisect_right(in_run, offset) - 1
        return in_text[token] + offset - in_run[token]


_Gap = tuple[int, int, int, int]  # a range of the mirror's run, and one of the page's


def compare(mirror: Sequence[Block], page: Sequence[Block]) -> Comparison:
    """What of the page's text the mirror has. Pictures do not count; order does. Takes bounded time."""
    ours, theirs = _Side(mirror), _Side(page)
    script = _Script(ours, theirs)
    at, to = 0, 0
    for start, begin, length in [*_common(ours, theirs), (len(ours.run), len(theirs.run), 0)]:
        script.differ(at, start, to, begin)
        script.agree(start, begin, length)
        at, to = start + length, begin + length
    passages = script.passages()
    count = defaultdict[str, int](int)
    for passage in passages:
        count[passage.kind] += 1
    return Comparison(
        passages=passages,
        same=count["same"],
        changed=count["changed"],
        missing=count["missing"],
        added=count["added"],
    )


# --- what is common -----------------------------------------------------------------------------


def _common(mirror: _Side, page: _Side) -> list[Run]:
    """Ranges that both have, as large as they can be, in ascending order."""
    work = Work(WORK)
    runs, gaps = _equal_ends(mirror, page)
    for marks in ((mirror.starts, page.starts), (mirror.sentences, page.sentences)):
        finer: list[_Gap] = []
        for gap in gaps:
            start, end, begin, stop = gap
            one, other = _cut(marks[0], start, end), _cut(marks[1], begin, stop)
            found = _matches(mirror, page, one, other, work)
            runs += found
            finer += _between(gap, found)
        gaps = finer
    for gap in gaps:
        runs += _words(mirror, page, gap, work)
    return _joined(sorted(runs))


def _equal_ends(mirror: _Side, page: _Side) -> tuple[list[Run], list[_Gap]]:
    """The equal sentences at the beginning and at the end, wherever their paragraphs end, and the rest."""
    one, other = _cut(mirror.sentences, 0, len(mirror.run)), _cut(page.sentences, 0, len(page.run))
    head, tail = equal_ends(_keys(mirror, one), _keys(page, other))
    first, last = one[head], one[len(one) - 1 - tail]
    runs = [(0, 0, first), (last, other[len(other) - 1 - tail], len(mirror.run) - last)]
    whole = (0, len(mirror.run), 0, len(page.run))
    return runs, _between(whole, runs)


def _matches(mirror: _Side, page: _Side, one: list[int], other: list[int], work: Work) -> list[Run]:
    """Align the pieces between marks."""
    found = align(_keys(mirror, one), _keys(page, other), work)
    return [(one[i], other[j], one[i + n] - one[i]) for i, j, n in found]


def _keys(side: _Side, marks: list[int]) -> list[str]:
    return [side.run[start:end] for start, end in pairwise(marks)]


def _cut(marks: Sequence[int], start: int, end: int) -> list[int]:
    """The marks in a range, with its ends."""
    return [start, *marks[bisect_right(marks, start) : bisect_left(marks, end)], end]


def _between(gap: _Gap, runs: Iterable[Run]) -> list[_Gap]:
    """What lies between the runs, where both sides have something."""
    at, end, to, stop = gap
    found: list[_Gap] = []
    for start, begin, length in [*runs, (end, stop, 0)]:
        if at < start and to < begin:
            found.append((at, start, to, begin))
        at, to = start + length, begin + length
    return found


def _joined(runs: Iterable[Run]) -> list[Run]:
    found: list[Run] = []
    for start, begin, length in runs:
        if found and found[-1][0] + found[-1][2] == start and found[-1][1] + found[-1][2] == begin:
            found[-1] = (*found[-1][:2], found[-1][2] + length)
        elif length:
            found.append((start, begin, length))
    return found


def _words(mirror: _Side, page: _Side, gap: _Gap, work: Work) -> list[Run]:
    """What two different texts have in common, word by word, if it is enough to call them one text."""
    start, end, begin, stop = gap
    if max(end - start, stop - begin) > _LONGEST:
        return []
    one, other = _token_marks(mirror, start, end), _token_marks(page, begin, stop)
    runs = _glued(mirror, page, one, other, gap)
    for start, end, begin, stop in _between(gap, runs):
        found = _matches(mirror, page, _cut(one, start, end), _cut(other, begin, stop), work)
        runs += found
        for rest in _between((start, end, begin, stop), found):
            runs += _glued(mirror, page, one, other, rest)
    return list(_credible(page, gap, _joined(sorted(runs))))


def _glued(mirror: _Side, page: _Side, one: list[int], other: list[int], gap: _Gap) -> list[Run]:
    """Equal ends of what differs, up to where either side has a word's edge: one may have glued words."""
    start, end, begin, stop = gap
    edges = {mark - start for mark in _cut(one, start, end)} | {
        mark - begin for mark in _cut(other, begin, stop)
    }
    ends = {end - mark for mark in _cut(one, start, end)} | {stop - mark for mark in _cut(other, begin, stop)}
    head, tail = equal_ends(mirror.run[start:end], page.run[begin:stop])
    head, tail = max(edge for edge in edges if edge <= head), max(edge for edge in ends if edge <= tail)
    return [(start, begin, head), (end - tail, stop - tail, tail)]


def _token_marks(side: _Side, start: int, end: int) -> list[int]:
    marks: list[int] = []
    for number, begin, stop in side.paragraphs(start, end):
        marks += _cut(side.tokens(number)[0], begin, stop)[:-1]
    return [*marks, end]


def _credible(page: _Side, gap: _Gap, runs: list[Run]) -> Iterator[Run]:
    """Without what is common by chance: runs shorter than the changes beside them, paragraphs of few runs."""
    start, end, begin, stop = gap
    edges = [(start, begin, 0), *runs, (end, stop, 0)]
    shares: dict[int, list[Run]] = defaultdict(list)
    for before, run, after in zip(edges, edges[1:], edges[2:], strict=False):
        if run[2] > min(_distance(before, run), _distance(run, after)):
            for number, left, right in page.paragraphs(run[1], run[1] + run[2]):
                shares[number].append((run[0] + left - run[1], left, right - left))
    for number, kept in shares.items():
        length = min(stop, page.starts[number + 1]) - max(begin, page.starts[number])
        if sum(run[2] for run in kept) >= _ALIKE * min(length, end - start):
            yield from kept


def _distance(one: Run, other: Run) -> int:
    return max(other[0] - one[0] - one[2], other[1] - one[1] - one[2])


def sentence_ends(text: str) -> Iterator[int]:
    """Where sentences end; a full stop within a number, a name or an address is none."""
    for match in _SENTENCE_END.finditer(text):
        following = text[match.end() : match.end() + 2].lstrip()[:1]
        if match[0][0] not in ".!?" or not (following.islower() or following.isdigit()):
            yield match.end()


# --- what to say of it --------------------------------------------------------------------------


class _Script:
    """What happened to each paragraph of the page, collected in ascending order."""

    def __init__(self, mirror: _Side, page: _Side) -> None:
        self.mirror, self.page = mirror, page
        self.spans: list[list[tuple[Literal["same", "missing", "added"], int, int]]] = [
            [] for _ in page.texts
        ]
        self.reach: dict[int, tuple[int, int]] = {}  # the mirror's range for a paragraph
        self.extra: dict[int, list[tuple[int, int]]] = defaultdict(
            list
        )  # before a paragraph: only the mirror's

    def agree(self, start: int, begin: int, length: int) -> None:
        for number, left, right in self.page.paragraphs(begin, begin + length):
            self.spans[number].append(("same", left, right))
            self._extend(number, start + left - begin, start + right - begin)

    def differ(self, start: int, end: int, begin: int, stop: int) -> None:
        """A range of the mirror stands where a range of the page should; both may be empty."""
        for number, left, right in self.page.paragraphs(begin, stop):
            self.spans[number].append(("missing", left, right))
        for number, left, right in self.mirror.paragraphs(start, end):
            glued = left > self.mirror.starts[number], right < self.mirror.starts[number + 1]
            owner = self._owner(glued, begin, stop)
            if owner is None:
                self.extra[self.page.paragraph(stop)].append((left, right))
            else:
                self.spans[owner].append(("added", left, right))
                self._extend(owner, left, right)

    def _owner(self, glued: tuple[bool, bool], begin: int, stop: int) -> int | None:
        """The page's paragraph that an addition belongs to; None if it is a paragraph of its own.

        `glued`: to the text before and after, in one paragraph of the mirror.
        """
        before = self.page.paragraph(begin - 1) if begin else None
        after = self.page.paragraph(stop) if stop < len(self.page.run) else None
        if before == after:
            return before
        to_before = (
            glued[0] and before is not None and (begin == stop or begin < self.page.starts[before + 1])
        )
        to_after = glued[1] and after is not None and (begin == stop or stop > self.page.starts[after])
        if to_before and to_after and begin == stop:
            return None
        return before if to_before else after if to_after else None

    def _extend(self, number: int, start: int, end: int) -> None:
        self.reach[number] = (self.reach.get(number, (start, end))[0], end)

    def passages(self) -> tuple[Passage, ...]:
        found: list[Passage] = []
        here, there = self._keys()
        for number in range(len(self.page.texts) + 1):
            for start, end in self.extra.get(number, ()):
                moved = self.mirror.run[start:end] in there
                found.append(Passage(kind="added", mirror=self.mirror.text(start, end), moved=moved))
            if number < len(self.page.texts):
                found.append(self._passage(number, here))
        return tuple(found)

    def _keys(self) -> tuple[set[str], set[str]]:
        """What the mirror has in addition, and whole paragraphs of the page that it has not."""
        here = {self.mirror.run[start:end] for pieces in self.extra.values() for start, end in pieces}
        starts = self.page.starts
        there = {
            self.page.run[starts[number] : starts[number + 1]]
            for number in range(len(self.page.texts))
            if number not in self.reach
        }
        return here, there

    def _passage(self, number: int, here: set[str]) -> Passage:
        page = self.page.texts[number]
        if number not in self.reach:
            run = self.page.run[self.page.starts[number] : self.page.starts[number + 1]]
            return Passage(kind="missing", page=page, moved=run in here)
        mirror = self.mirror.text(*self.reach[number])
        spans = self.spans[number]
        if all(kind == "same" for kind, _, _ in spans):
            return Passage(kind="same", mirror=mirror, page=page)
        return Passage(
            kind="changed",
            mirror=mirror,
            page=page,
            spans=tuple(
                Span(kind=kind, text=(self.mirror if kind == "added" else self.page).text(start, end))
                for kind, start, end in spans
            ),
        )
