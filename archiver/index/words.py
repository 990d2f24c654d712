"""Text as it is searched: which characters count, what a word is, and where it stands in the text as written.

Chinese, Japanese, Korean and Thai are searched by characters, for nothing there says where a word ends
(Korean has spaces, and writers do not agree on them); all else by words. Two ways of writing what a reader
takes for one give the same here: NFKC (Unicode Standard Annex 15), full case folding (section 3.13 of the
Standard), and no marks above or below letters.
"""

import re
from collections.abc import Iterable, Iterator
from operator import add
from unicodedata import category, normalize

LONGEST = 64  # characters of a word that the index holds

# Scripts that are searched by characters: Thai, Lao, Burmese, Khmer, Hangul, kana, Bopomofo, Han and its
# like, with all of planes 2 and 3, which Unicode keeps for Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u3035"
    "\u3038-\u303b\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff\U00016fe0-\U00018cff"
    "\U0001aff0-\U0001b2ff\U00020000-\U0003ffff"
)
_MARKS = re.compile("[\u0300-\u036f]")  # those of Latin, Greek and Cyrillic letters
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # which form of a character is drawn
_SPACE, _BREAK, _ODD = " ", "|", "\x00"  # between words: white space, and punctuation
# Between two characters of these scripts, white space is typography: a line's end, letters set wide.
_RUN = re.compile(f"[{_UNSPACED}](?: *[{_UNSPACED}])*|[^{_UNSPACED}{_SPACE}{_BREAK}]+")
_BY_CHARACTER = re.compile(f"[{_UNSPACED}]")


class _Folding(dict[int, str]):
    """For `str.translate`: a character → what of it is searched.

    `alone`: the text may hold what NFKC would make one with the character before it; that becomes _ODD, and
    so does what is not one for one.
    """

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone

    def __missing__(self, code: int) -> str:
        character = chr(code)
        found = _folded(character)
        if self._alone and (len(found) != 1 or _joins(character)):
            found = _ODD
        self[code] = found
        return found


def _folded(character: str) -> str:
    bare = _MARKS.sub("", normalize("NFD", normalize("NFKC", character).casefold()))
    found = "".join(map(_kept, normalize("NFC", bare)))
    return found if found.strip(_BREAK) else found[:1]  # an ellipsis is one break


def _joins(character: str) -> bool:
    """Whether it may become one with what stands before it: a mark, or a vowel or final of Hangul."""
    first = normalize("NFKD", character)[:1]
    return category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


def _kept(character: str) -> str:
    if character.isspace():
        return _SPACE
    kind = category(character)
    if kind in {"Cc", "Cf", "Cs"} or _SELECTORS.match(character):
        return ""  # nobody sees it
    return character if kind[0] in "LNM" or by_character(character) else _BREAK


_EACH, _NORMAL = _Folding(alone=True), _Folding(alone=False)


def _fold(text: str) -> str:
    folded = text.translate(_EACH)  # several times as quick as normalizing
    return normalize("NFKC", text).translate(_NORMAL) if _ODD in folded else folded


def runs(text: str) -> list[str]:
    """The words of a text in order; of characters that are searched one by one, all up to the next break."""
    return [each.replace(_SPACE, "") for each in _RUN.findall(_fold(text))]


def by_character(run: str) -> bool:
    return _BY_CHARACTER.match(run) is not None


def plain(found: Iterable[str]) -> str:
    """Runs as one text in which a phrase can be found: each with a space before and after it."""
    return f" {' '.join(found)} "


def terms(run: str) -> list[str]:
    """What the index holds of a run: each two neighbours, or the word. Of a single character, that."""
    if not by_character(run):
        return [run[:LONGEST]]
    return list(map(add, run, run[1:])) or [run]


def index_words(passages: Iterable[str]) -> str:
    """All that the index holds of an article, each once, with spaces between."""
    found: dict[str, None] = {}
    for passage in passages:
        for run in runs(passage):
            found.update(dict.fromkeys(terms(run)))
            if by_character(run):
                found.update(dict.fromkeys(run))
    return " ".join(found)


def placed(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`plain(runs(text))`, and for each of its characters from where to where it stands in `text`."""
    folded = text.translate(_EACH)
    places = list(zip(range(len(text)), range(1, len(text) + 1), strict=True))
    if _ODD in folded:
        clusters = [(_fold(text[start:end]), (start, end)) for start, end in _clusters(text)]
        folded = "".join(part for part, _ in clusters)
        places = [place for part, place in clusters for _ in part]
    out, where = [" "], [(0, 0)]
    for run in _RUN.finditer(folded):
        kept = [at for at in range(*run.span()) if folded[at] != _SPACE]
        out += [folded[at] for at in kept]
        where += [places[at] for at in kept]
        out.append(" ")
        where.append((where[-1][1], where[-1][1]))
    if len(out) == 1:
        return "  ", [(0, 0), (0, 0)]
    return "".join(out), where


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Where each part of a text lies that NFKC takes for itself: a character and what joins it."""
    start = 0
    for at in range(1, len(text)):
        if not _joins(text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)
