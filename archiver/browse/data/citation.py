"""An article as one cites it: a line in the manner of APA 7, and an entry of biblatex."""

import re
from dataclasses import dataclass

from archiver.browse import words
from archiver.browse.language import Say

_SPECIAL = {character: f"\\{character}" for character in "%&#_${}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclass(frozen=True)
class Cited:
    """What a citation names. `published`: the earliest claimed day; `record`, `digest`: what was saved."""

    number: int
    title: str
    authors: tuple[str, ...]
    published: str
    host: str
    url: str
    saved: str
    record: str
    digest: str


def line(cited: Cited, say: Say) -> str:
    """`Lin Hai, & Chen Yi (2023-11-08). Title. host. URL Archived …, record urn:uuid:…, sha256:….`."""
    names = ", & ".join(filter(None, (", ".join(cited.authors[:-1]), *cited.authors[-1:])))
    day = cited.published or say("no date")
    title = cited.title.rstrip(".")
    head = f"{names} ({day}). {title}." if names else f"{title}. ({day})."
    saved = say(
        "Archived %(when)s, record %(record)s, %(digest)s.",
        when=words.clock_time(cited.saved),
        record=cited.record,
        digest=cited.digest,
    )
    return _flat(" ".join(filter(None, (head, cited.host and f"{cited.host}.", cited.url, saved))))


def entry(cited: Cited) -> str:
    """`@online{…}`: biblatex 3, section 2.1.1; as `date`, `urldate` ISO 8601-2."""
    fields = {
        "author": " and ".join(f"{{{_tex(author)}}}" for author in cited.authors),
        "title": f"{{{_tex(cited.title)}}}",
        "date": cited.published,
        "organization": _tex(cited.host),
        "url": re.sub(r"[{}\\\s]", lambda found: f"%{ord(found[0]):02X}", cited.url),
        "urldate": cited.saved[:10],
        "note": _tex(f"Archived {words.clock_time(cited.saved)}, record {cited.record}, {cited.digest}"),
    }
    lines = (f"  {name} = {{{_flat(value)}}},\n" for name, value in fields.items() if value)
    name = re.sub("[^a-z0-9]+", "-", cited.host.lower()).strip("-") or "article"
    return f"@online{{{name}-{cited.number},\n{''.join(lines)}}}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)
