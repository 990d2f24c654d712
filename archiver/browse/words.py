"""What the pages say: plain text out of hostile text, and codes of the catalogue as words."""

import ipaddress
import re
from urllib.parse import urlsplit

from archiver.claims.contradictions import moment_of

# C0 and C1 controls except tab and newline, and the characters that turn the reading direction
# (Unicode UAX 9, explicit formatting): in a title they can make a page say what it does not.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINK = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"\\]{1,4000}", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
_NAME = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(:[0-9]{1,5})?")

KINDS = {"document": "Mirror document", "page": "Page", "item": "Feed item"}
_FORMS = {
    "proxied": "As the image proxy served it",
    "origin": "As published",
    "rendition": "Larger rendition, guessed from the name",
}
_ASKED = {"proxied": "The image proxy", "memento": "The other archive"}
CLOCKS = {
    "comment": "Comment at the top of the document",
    "front-matter": "Front matter of the document",
    "front-matter-modified": "Front matter of the document, changes",
    "printed": "Printed above the text",
    "time-element": "<time> element",
    "meta": "<meta> element",
    "meta-modified": "<meta> element, modified",
    "json-ld-published": "JSON-LD data, published",
    "json-ld-modified": "JSON-LD data, modified",
    "feed-published": "Feed, published",
    "feed-updated": "Feed, updated",
    "feed-date": "Feed, a date that does not say of what",
    "htmldate": "Day found in the page's text",
    "guid": "Upload time in the picture's name (GUID)",
    "exif": "Camera's time in the picture's EXIF",
    "iptc": "Time in the picture's IPTC",
    "xmp": "Time in the picture's XMP",
}
_STAGES = {
    "address": "this address may not or cannot be asked",
    "dns": "the host's name was not found",
    "connect": "no connection to the host",
    "tls": "the secure connection failed",
    "proxy": "the network proxy failed",
    "request": "the request could not be sent",
    "response": "no understandable answer",
    "body": "the answer broke off",
    "redirect": "the redirects led nowhere",
}


def plain(text: object) -> str:
    """Text without characters that hide or turn other text; the WARC keeps it as it was."""
    return _UNSEEN.sub("", "" if text is None else str(text))


def link(url: str | None) -> str | None:
    """The URL when it is one that a page may link to; None for every other scheme."""
    return url if url and _LINK.fullmatch(url) and url == plain(url) else None


def host_name(host: str) -> str:
    """`[::1]:8001` → `::1`, `Localhost:8001` → `localhost`; "" for what is no host."""
    found = _NAME.fullmatch(host.strip())
    return found["host"].strip("[]").lower().rstrip(".") if found else ""


def is_address(host: str) -> bool:
    """Whether a host name is an IP address, which no name server can point elsewhere."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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


def size(count: int | None) -> str:
    """`48213` → `48,213 bytes`."""
    return "" if count is None else f"{count:,} byte{'' if count == 1 else 's'}"


def short(digest: str | None) -> str:
    """The first 12 digits of a digest: enough to see a difference, not to prove anything."""
    name, _, digits = plain(digest).partition(":")
    return f"{name}:{digits[:12]}…" if len(digits) > 12 else plain(digest)


def host_of(url: str | None) -> str:
    try:
        return plain(urlsplit(url or "").hostname)
    except ValueError:
        return ""


def form_name(form: str, url: str, memento: str | None) -> str:
    """What a copy is; `memento`: when another archive says that it made it."""
    if form != "memento":
        return _FORMS.get(form, plain(form))
    host = host_of(url) or "another archive"
    return (
        f"An archive's copy (of {clock_time(memento)}, from {host})"
        if memento
        else f"An archive's copy (from {host})"
    )


def missing(outcome: str, stage: str | None, status: int | None, reason: str, form: str) -> str:
    """Why a copy is not whole, as a sentence."""
    who = _ASKED.get(form, "The server")
    told = plain(reason).removeprefix(f"status {status}").strip(" ;.")
    why = f": {told}" if told else ""
    if outcome == "refused":
        hint = " That a proxy refuses does not mean that the picture is gone." if form == "proxied" else ""
        return f"{who} answered {status if status is not None else 'with a refusal'}{why}.{hint}"
    if outcome == "substituted":
        return f"{who} sent its default picture instead{why}."
    if outcome == "partial":
        return f"The answer was cut short{why}."
    return f"Not saved: {_STAGES.get(stage or '', plain(stage) or 'no answer')}{why}."
