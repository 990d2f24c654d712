"""What the pages say: plain text out of hostile text, and codes of the catalogue as words."""

import re
from urllib.parse import urlsplit

from archiver.browse.language import Say
from archiver.claims.contradictions import moment_of
from archiver.model import Relation

# C0 and C1 controls except tab and newline, and the characters that turn the reading direction
# (Unicode UAX 9, explicit formatting): in a title they can make a page say what it does not.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINK = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"\\]{1,4000}", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")


def plain(text: object) -> str:
    """Text without characters that hide or turn other text; the WARC keeps it as it was."""
    return _UNSEEN.sub("", "" if text is None else str(text))


def link(url: str | None) -> str | None:
    """The URL when it is one that a page may link to; None for every other scheme."""
    return url if url and _LINK.fullmatch(url) and url == plain(url) else None


def number_of(written: str | None) -> int | None:
    """A number as an address has it; None for what is none, or has more than 18 digits."""
    return int(written) if written and re.fullmatch("[0-9]{1,18}", written) else None


def language_of(text: str, stated: str) -> str:
    """A BCP 47 tag for `lang`: as stated, else from the script, so that fonts fit; "" if unknown."""
    if _TAG.fullmatch(stated):
        return stated
    if re.search("[\u3040-\u30ff]", text):
        return "ja"
    if re.search("[\uac00-\ud7af]", text):
        return "ko"
    return "zh" if re.search("[\u3400-\u9fff]", text) else ""


def clock_time(value: str | None) -> str:
    """`2023-11-08T18:25:56.500000Z` → `2023-11-08 18:25:56.5 UTC`."""
    text = plain(value)
    if not (moment_of(text) and text.endswith("Z")):
        return text
    whole, dot, fraction = text[11:-1].partition(".")
    return f"{text[:10]} {(whole + dot + fraction.rstrip('0')).rstrip('.')} UTC"


def size(count: int | None, plural: Say) -> str:
    """`48213` → `48,213 bytes`."""
    return "" if count is None else plural("%(count)s byte", "%(count)s bytes", count)


def short(digest: str | None) -> str:
    """The first 12 digits of a digest: enough to see a difference, not to prove anything."""
    name, _, digits = plain(digest).partition(":")
    return f"{name}:{digits[:12]}…" if len(digits) > 12 else plain(digest)


def host_of(url: str | None) -> str:
    try:
        return plain(urlsplit(url or "").hostname)
    except ValueError:
        return ""


def kind_name(kind: str, say: Say) -> str:
    """What kind of source an article was read from."""
    names = {"document": say("Mirror document"), "page": say("Page"), "item": say("Feed item")}
    return names.get(kind, plain(kind))


def clock_name(clock: str, say: Say) -> str:
    """Who claims a time."""
    names = {
        "comment": say("Comment at the top of the document"),
        "front-matter": say("Front matter of the document"),
        "front-matter-modified": say("Front matter of the document, changes"),
        "printed": say("Printed above the text"),
        "time-element": say("<time> element"),
        "meta": say("<meta> element"),
        "meta-modified": say("<meta> element, modified"),
        "json-ld-published": say("JSON-LD data, published"),
        "json-ld-modified": say("JSON-LD data, modified"),
        "feed-published": say("Feed, published"),
        "feed-updated": say("Feed, updated"),
        "feed-date": say("Feed, a date that does not say of what"),
        "htmldate": say("Day found in the page's text"),
        "guid": say("Upload time in the picture's name (GUID)"),
        "exif": say("Camera's time in the picture's EXIF"),
        "iptc": say("Time in the picture's IPTC"),
        "xmp": say("Time in the picture's XMP"),
    }
    return names.get(clock, plain(clock))


def form_name(form: str, url: str, memento: str | None, say: Say) -> str:
    """What a copy is; `memento`: when another archive says that it made it."""
    if form != "memento":
        names = {
            "proxied": say("As the image proxy served it"),
            "origin": say("As published"),
            "rendition": say("Larger rendition, guessed from the name"),
        }
        return names.get(form, plain(form))
    host = host_of(url) or say("another archive")
    if memento:
        return say("An archive's copy (of %(when)s, from %(host)s)", when=clock_time(memento), host=host)
    return say("An archive's copy (from %(host)s)", host=host)


def relation_name(relation: Relation, say: Say) -> str:
    """What two pictures have to do with each other."""
    return {
        "same-bytes": say("the same bytes"),
        "same-pixels": say("other bytes, and the same pixels"),
        "re-encoded": say("re-encoded or resized: the same picture, nowhere changed"),
        "cropped": say("cropped"),
        "overlapping": say("overlapping: each shows something that the other does not"),
        "overlaid": say("the same picture, with something laid over or a bar or border added"),
        "turned": say("the same picture, turned"),
        "locally-changed": say("LOCALLY CHANGED: the same picture, but not everywhere"),
        "edited-or-neighbouring": say("edited, or a neighbouring frame: not the same picture"),
        "different": say("different pictures"),
        "undecodable": say("cannot be compared"),
    }[relation]


def missing(outcome: str, stage: str | None, status: int | None, reason: str, form: str, say: Say) -> str:  # noqa: PLR0917
    """Why a copy is not whole, as a sentence."""
    asked = {"proxied": say("The image proxy"), "memento": say("The other archive")}
    who = asked.get(form, say("The server"))
    told = plain(reason).removeprefix(f"status {status}").strip(" ;.")
    why = f": {told}" if told else ""
    if outcome == "refused":
        hint = say("That a proxy refuses does not mean that the picture is gone.")
        what = str(status) if status is not None else say("with a refusal")
        answer = say("%(who)s answered %(what)s%(why)s.", who=who, what=what, why=why)
        return f"{answer} {hint}" if form == "proxied" else answer
    if outcome == "substituted":
        return say("%(who)s sent its default picture instead%(why)s.", who=who, why=why)
    if outcome == "partial":
        return say("The answer was cut short%(why)s.", why=why)
    return say("Not saved: %(what)s%(why)s.", what=_stage(stage, say), why=why)


def outcome_name(outcome: str | None, say: Say) -> str:
    """What came of a fetch."""
    names = {
        "whole": say("whole"),
        "partial": say("cut short"),
        "refused": say("refused"),
        "substituted": say("a default picture instead"),
        "failed": say("failed"),
        "skipped": say("not asked"),
    }
    return names.get(outcome or "", plain(outcome))


def _stage(stage: str | None, say: Say) -> str:
    names = {
        "address": say("this address may not or cannot be asked"),
        "dns": say("the host's name was not found"),
        "connect": say("no connection to the host"),
        "tls": say("the secure connection failed"),
        "proxy": say("the network proxy failed"),
        "request": say("the request could not be sent"),
        "response": say("no understandable answer"),
        "body": say("the answer broke off"),
        "redirect": say("the redirects led nowhere"),
        "robots": say("the host's robots.txt asks not to"),
        "dead": say("the host did not answer any more"),
        "deferred": say("the host was left for later"),
    }
    return names.get(stage or "", plain(stage) or say("no answer"))
