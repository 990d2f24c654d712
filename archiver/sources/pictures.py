"""The References of one article: each picture once, as written and as a browser resolves it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ada_url import join_url

from archiver.model import Reference
from archiver.sources.markup import WHITESPACE

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


class Gallery:
    """Collects the pictures of one article. `base` is the URL that relative ones are joined to.

    What is not taken for a reason other than being empty or a `data:` URI is told in `left_out`.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._pictures: list[_Picture] = []
        self._numbers: dict[str, int] = {}
        self._left_out: dict[str, tuple[int, str]] = {}

    def add(self, written: str, place: str, alt: str = "") -> int | None:
        """Take a picture and return its number; of one met before, the number that it has.

        None for what is empty, a `data:` URI or left out. The first `place` of a picture stands; its
        alt text and caption are the first that are not empty.
        """
        trimmed = written.strip(WHITESPACE)
        if not trimmed or trimmed[:5].lower() == "data:":
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
            self._pictures.append(_Picture(written, url, place))
        self.describe(number, alt=alt)
        return number

    def add_srcset(self, value: str, place: str, alt: str = "") -> list[int]:
        """Take each candidate of a `srcset`; the numbers of those taken."""
        numbers = (self.add(url, place, alt) for url in srcset_urls(value))
        return [number for number in numbers if number is not None]

    def describe(self, number: int, alt: str = "", caption: str = "") -> None:
        """Fill in the alt text and the caption of a picture where they are still empty."""
        picture = self._pictures[number]
        picture.alt = picture.alt or self._words(alt, "alt text")
        picture.caption = picture.caption or self._words(caption, "caption")

    def leave_out(self, reason: str, example: str) -> None:
        """Remember that something was not taken; a reason is told once, with its first example."""
        count, first = self._left_out.get(reason, (0, example))
        self._left_out[reason] = (count + 1, first)

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(
            Reference(
                number=number,
                written=picture.written,
                url=picture.url,
                place=picture.place,
                alt=picture.alt,
                caption=picture.caption,
            )
            for number, picture in enumerate(self._pictures)
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        return tuple(
            f"{reason}: {count}, the first {first[:200]!a}"
            for reason, (count, first) in self._left_out.items()
        )

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


def srcset_urls(value: str) -> Iterator[str]:
    """The URLs of a `srcset` attribute, in order."""
    at = 0
    while found := _CANDIDATE.match(value, at):
        at = found.end()
        url = found[1].rstrip(",")
        if url == found[1] and (descriptors := _DESCRIPTORS.match(value, at)):
            at = descriptors.end()
        yield url
