"""Two forms of one picture: which entries of metadata the second has kept, lost, changed or been given."""

from collections.abc import Iterable, Sequence

from archiver.model import Noun
from archiver.pictures.metadata.tags import Tag

_NAMED = 6  # subjects of what is lost
# What an entry is about, by what its name begins with: the first that fits, in the order of telling.
_SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("camera", ("Make", "Model", "Lens", "BodySerial", "CameraOwner", "MakerNote", "UniqueCameraModel")),
    (
        "time taken",
        ("DateTimeOriginal", "DateTimeDigitized", "DateCreated", "TimeCreated", "DigitalCreation"),
    ),
    ("place", ("GPS", "City", "Sub-location", "Location", "Province", "State", "Country")),
    ("creator", ("Artist", "By-line", "creator", "Creator", "Photographer", "XPAuthor", "CaptionWriter")),
    (
        "copyright notice",
        ("Copyright", "rights", "UsageTerms", "WebStatement", "Marked", "license", "Licens"),
    ),
    ("credit and source", ("Credit", "Source")),
    ("caption", ("ImageDescription", "Caption", "description", "Headline", "title", "ObjectName", "XPTitle")),
    ("keywords", ("Keywords", "subject", "XPKeywords", "Subject")),
)
_GROUPS = {"C2PA": "Content Credentials", "ICC": "colour profile"}


class Change(Noun, frozen=True):
    """An entry that both have, with other values; several values of one name have line feeds between them."""

    group: str
    name: str
    before: str
    after: str


class Ledger(Noun, frozen=True):
    """Entries by name: one that stands several times counts once, with all its values."""

    kept: int = 0
    removed: tuple[Tag, ...] = ()
    changed: tuple[Change, ...] = ()
    added: tuple[Tag, ...] = ()


def ledger(before: Sequence[Tag], after: Sequence[Tag]) -> Ledger:
    """What became of the metadata of `before` in `after`. What could not be read in either does not count."""
    old, new = by_name(before), by_name(after)
    both = [key for key in old if key in new]
    return Ledger(
        kept=sum(old[key] == new[key] for key in both),
        removed=tuple(_tag(key, old[key]) for key in old if key not in new),
        changed=tuple(
            Change(group=key[0], name=key[1], before=old[key], after=new[key])
            for key in both
            if old[key] != new[key]
        ),
        added=tuple(_tag(key, new[key]) for key in new if key not in old),
    )


def ledger_words(found: Ledger) -> str:
    """`The proxy's copy has lost: camera, time taken (12 entries).`; "" where there is nothing to tell."""
    said = []
    if found.removed:
        subjects = _subjects(found.removed)
        named = ", ".join(subjects[:_NAMED]) + (" and more" if len(subjects) > _NAMED else "")
        said.append(f"has lost: {named} ({_entries(len(found.removed))})")
    if found.changed:
        said.append(f"has {_entries(len(found.changed))} changed")
    if found.added:
        said.append(f"has {_entries(len(found.added))} that the publisher's copy has not")
    if found.kept and not said:
        return f"The proxy's copy has kept all metadata ({_entries(found.kept)})."
    return f"The proxy's copy {'; it '.join(said)}." if said else ""


def _subjects(tags: Iterable[Tag]) -> list[str]:
    found = {_subject(tag) for tag in tags}
    order = [*(name for name, _ in _SUBJECTS), *_GROUPS.values(), _OTHERS]
    return [name for name in order if name in found]


_OTHERS = "technical data"


def _subject(tag: Tag) -> str:
    if tag.group in _GROUPS:
        return _GROUPS[tag.group]
    return next((name for name, beginnings in _SUBJECTS if tag.name.startswith(beginnings)), _OTHERS)


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def by_name(tags: Iterable[Tag]) -> dict[tuple[str, str], str]:
    """Group and name → value, several with line feeds between them; without what could not be read."""
    found: dict[tuple[str, str], str] = {}
    for tag in tags:
        key = tag.group, tag.name
        if tag.group != "File":
            found[key] = f"{found[key]}\n{tag.value}" if key in found else tag.value
    return found


def _tag(key: tuple[str, str], value: str) -> Tag:
    return Tag(group=key[0], name=key[1], value=value)
