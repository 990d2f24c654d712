"""The References of one article: each picture once, as written and as a browser resolves it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ada_url import join_url

from archiver.model import Reference
from archiver.sources.html.markup import WHITESPACE
from archiver.sources.html.unwanted import by_url

PICTURES = 2_000
URL_CHARS = 4_000
WORDS_CHARS = 4_000  # of an alt text or a caption

# HTML, "Parsing a srcset attribute": a URL is a run without white space; descriptors reach to the
# next comma outside parentheses.
_CANDIDATE = re.compile(rf"[{WHITESPACE},]*+([^{WHITESPACE}]++)")
_DESCRIPTORS = re.compile(r"(?:[^,(]++|\([^)]*+(?:\)|\Z))*+")


@dataclass
class _Picture:
    written: str
    url: str
    place: str
    alt: str = ""
    caption: str = ""
    unwanted: str = ""
    outside: bool = False


class LeftOut:
    """What was found and not taken: each reason once, with a count and its first example."""

    def __init__(self) -> None:
        self._reasons: dict[str, tuple[int, str]] = {}

    def add(self, reason: str, example: str) -> None:
        count, first = self._reasons.get(reason, (0, example))
        self._reasons[reason] = (count + 1, first)

    def told(self) -> tuple[str, ...]:
        return tuple(
            f"{reason}: {count}, the first {first[:200]!a}"
            for reason, (count, first) in self._reasons.items()
        )


class Gallery:
    """Collects the pictures of one article. `base` is the URL that relative ones are joined to.

    What is not taken for a reason other than being empty, a fragment or a `data:` URI is told in `left_out`.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._pictures: list[_Picture] = []
        self._numbers: dict[str, int] = {}
        self._left_out = LeftOut()

    def add(
        self,
        written: str,
        place: str,
        alt: str = "",
        *,
        unwanted: str | Callable[[str], str] = "",
        outside: bool = False,
    ) -> int | None:
        """Take a picture and return its number; of one met before, the number that it has.

        `unwanted` is why it is not to be fetched, or tells it of the URL; `outside`: it does not
        belong to the article. Both count only if they are so wherever the picture is met. None for what is
        empty, a fragment, a `data:` URI or left out. The first `place` of a picture stands; its alt text and
        caption are the first that are not empty.
        """
        trimmed = written.strip(WHITESPACE)
        if not trimmed or trimmed.startswith("#") or trimmed[:5].lower() == "data:":
            return None
        url = self._resolve(written, place)
        if url is None:
            return None
        number = self._numbers.get(url)
        if number is None:
            if len(self._pictures) >= PICTURES:
                self.leave_out(f"picture beyond the first {PICTURES}", url)
                return None
            number = self._numbers[url] = len(self._pictures)
            why = _why(url, unwanted)
            self._pictures.append(_Picture(written, url, place, unwanted=why, outside=outside))
        else:
            known = self._pictures[number]
            known.unwanted = known.unwanted and _why(url, unwanted)
            known.outside = known.outside and outside
        self.describe(number, alt=alt)
        return number

    def place_outside(self, numbers: Iterable[int]) -> None:
        """These do not belong to the article, unless they are met in it later."""
        for number in numbers:
            self._pictures[number].outside = True

    def is_wanted(self, number: int) -> bool:
        return not self._pictures[number].unwanted

    def describe(self, number: int, alt: str = "", caption: str = "") -> None:
        """Fill in the alt text and the caption of a picture where they are still empty."""
        picture = self._pictures[number]
        picture.alt = picture.alt or self._words(alt, "alt text")
        picture.caption = picture.caption or self._words(caption, "caption")

    def leave_out(self, reason: str, example: str) -> None:
        self._left_out.add(reason, example)

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(
            Reference(
                number=number,
                written=picture.written,
                url=picture.url,
                place=picture.place,
                part="page" if picture.outside else "article",
                alt=picture.alt,
                caption=picture.caption,
                unwanted=picture.unwanted,
            )
            for number, picture in enumerate(self._pictures)
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        return self._left_out.told()

    def _resolve(self, written: str, place: str) -> str | None:
        if len(written) > URL_CHARS:
            self.leave_out(f"{place} of more than {URL_CHARS} characters", written)
            return None
        try:
            # A fragment is never sent.
            url: str = join_url(self._base, written).partition("#")[0]
        except ValueError:
            self.leave_out(f"{place} that is no URL", written)
            return None
        if not url.startswith(("http:", "https:")):
            self.leave_out(f"{place} that is not http or https", written)
            return None
        if len(url) > URL_CHARS:
            self.leave_out(f"{place} of more than {URL_CHARS} characters", written)
            return None
        return url

    def _words(self, words: str, what: str) -> str:
        if len(words) > WORDS_CHARS:
            self.leave_out(f"{what} of more than {WORDS_CHARS} characters", words)
            return ""
        return words.strip()


def _why(url: str, unwanted: str | Callable[[str], str]) -> str:
    return unwanted or by_url(url) if isinstance(unwanted, str) else unwanted(url)


def srcset_urls(value: str) -> Iterator[str]:
    """The URLs of a `srcset` attribute, in order."""
    at = 0
    while found := _CANDIDATE.match(value, at):
        at = found.end()
        url = found[1].rstrip(",")
        if url == found[1] and (descriptors := _DESCRIPTORS.match(value, at)):
            at = descriptors.end()
        yield url
