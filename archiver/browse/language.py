"""In which language a page speaks: the first one that the browser prefers and that is here.

The words stand in the templates and the code in English;
`languages/<tag>.po` (GNU gettext, PO files) has the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Any

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HERE = ("en", "zh")
_PREFERENCES = 20  # of a browser's list
_CHARACTERS = 1000


@dataclass(frozen=True)
class Language:
    """`tag` is a BCP 47 tag. `say` and `plural` take an English sentence with `%(name)s` for each value."""

    tag: str
    words: NullTranslations

    def say(self, sentence: str, /, **values: Any) -> str:
        return self._filled(self.words.gettext(sentence), values)

    def plural(self, one: str, many: str, count: int, /, **values: Any) -> str:
        """The sentence for `count` things, which it may name as `%(count)s`."""
        return self._filled(self.words.ngettext(one, many, count), {"count": f"{count:,}", **values})

    @staticmethod
    def _filled(sentence: str, values: dict[str, Any]) -> str:
        return sentence % values if values else sentence


Say = Callable[..., str]


def to_say(sentence: str, /) -> str:
    """Mark a sentence that is said elsewhere, so that it is translated."""
    return sentence


@cache
def language(tag: str) -> Language:
    """The language of one of the tags in HERE."""
    if tag == "en":
        return Language("en", NullTranslations())
    compiled = BytesIO()
    with files("archiver.browse").joinpath("languages", f"{tag}.po").open("rb") as words:
        write_mo(compiled, read_po(words, locale=tag))
    compiled.seek(0)
    return Language({"zh": "zh-Hans"}.get(tag, tag), GNUTranslations(compiled))


def preferred(accepted: str) -> Language:
    """The language for an `Accept-Language` field (RFC 9110, section 12.5.4); English where none fits."""
    wanted: list[tuple[float, str]] = []
    for each in accepted[:_CHARACTERS].split(",")[:_PREFERENCES]:
        tag, _, parameter = each.strip().partition(";")
        wanted.append((-_quality(parameter), tag.strip()))
    ordered = [tag for quality, tag in sorted(wanted, key=lambda each: each[0]) if quality < 0]
    tags = [tag.split("-")[0].lower() for tag in ordered]
    return language(negotiate_locale(tags, HERE) or "en")


def spoken(request: Any) -> Language:
    """The language that the browser of a request prefers."""
    return preferred(request.headers.get("accept-language", ""))


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value))) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
