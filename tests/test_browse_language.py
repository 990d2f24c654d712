"""The interface speaks the browser's language, and nothing that it says there is left in English."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from archiver.browse.language import HERE, language, preferred

BROWSE = Path(__file__).parent.parent / "archiver" / "browse"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
WORDS = {"say": None, "to_say": None, "plural": (1, 2)}


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-Hant-TW", "zh-Hans"),
        ("en-US,zh;q=0.9", "en"),
        ("de, zh;q=0.5, en;q=0.1", "zh-Hans"),
        ("zh;q=0, en;q=0.1", "en"),
        ("zh;q=nonsense, en;q=0.1", "en"),
        ("de", "en"),
        ("*", "en"),
        (",;;q=,=", "en"),
        ("../../etc/passwd, \x00", "en"),
    ],
)
def test_the_browser_chooses(accepted: str, tag: str) -> None:
    assert preferred(accepted).tag == tag


def said() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(BROWSE, METHODS, {}, WORDS)
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("tag", [tag for tag in HERE if tag != "en"])
def test_every_sentence_is_translated_and_none_is_stale(tag: str) -> None:
    read = read_po(BytesIO((BROWSE / "languages" / f"{tag}.po").read_bytes()), locale=tag, abort_invalid=True)
    there = {message.id: message for message in read if message.id}
    assert there.keys() == said()
    for message in there.values():
        assert all([message.string] if isinstance(message.string, str) else message.string), message.id
        names = {name for text in _texts(message.id) for name in _names(text)}
        assert all(_names(text) <= names for text in _texts(message.string)), message.id


def _texts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _names(text: str) -> set[str]:
    return {part.split(")")[0] for part in text.split("%(")[1:]}


def test_values_are_filled_in() -> None:
    english = language("en")
    assert english.say("Saved %(when)s", when="today") == "Saved today"
    assert english.say("100 %") == "100 %"
    assert english.plural("%(count)s copy", "%(count)s copies", 1) == "1 copy"
    assert english.plural("%(count)s copy", "%(count)s copies", 1200) == "1,200 copies"
    assert language("zh").say("Articles") == "文章"
