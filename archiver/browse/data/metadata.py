"""What an article's pictures say of themselves, as plain data for the templates."""

import sqlite3
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.language import Language
from archiver.index.metadata import metadata_of
from archiver.pictures.metadata.ledger import Ledger, by_name, ledger, ledger_words

SHOWN = 100  # entries
_CHARACTERS = 300  # of a value


@dataclass(frozen=True)
class Said:
    """A sentence, and rows of name, what the publisher's copy says, what the proxy's copy says.

    Where there is one copy alone, the third cells are None.
    """

    sentence: str
    rows: tuple[tuple[str, str, str | None], ...]
    more: int  # rows beyond those


def load_said(
    db: sqlite3.Connection, origin: str | None, proxied: str | None, language: Language
) -> Said | None:
    """Of the copies with these payload digests; None where neither says anything."""
    before, after = metadata_of(db, origin), metadata_of(db, proxied)
    if not (before or after):
        return None
    if origin and proxied:
        old, new = by_name(before), by_name(after)
        rows = [(key, old.get(key, ""), new.get(key, "")) for key in {**old, **new}]
        unread = language.say("What the files say of themselves could not be read.")
        sentence = _kept(ledger(before, after), language) or unread
        told = [(_name(key), _value(one), _value(other)) for key, one, other in rows]
        return Said(sentence, tuple(told[:SHOWN]), max(len(told) - SHOWN, 0))
    said = by_name([*before, *after])
    single = [(_name(key), _value(value), None) for key, value in said.items()]
    sentence = language.plural(
        "What the file says of itself: %(count)s entry.",
        "What the file says of itself: %(count)s entries.",
        len(said),
    )
    return Said(sentence, tuple(single[:SHOWN]), max(len(single) - SHOWN, 0))


def _kept(found: Ledger, language: Language) -> str:
    """In English as `archiver show` says it; else in numbers."""
    if language.tag == "en" or not ledger_words(found):
        return ledger_words(found)
    return language.say(
        "Entries in the proxy's copy: %(kept)s kept, %(changed)s changed, %(lost)s lost, %(new)s new.",
        kept=found.kept,
        changed=len(found.changed),
        lost=len(found.removed),
        new=len(found.added),
    )


def _name(key: tuple[str, str]) -> str:
    return words.plain(f"{key[0]}:{key[1]}")


def _value(value: str) -> str:
    text = words.plain(value)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"
