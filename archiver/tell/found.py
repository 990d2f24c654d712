"""What a search found → rows of JSON and people's lines."""

from typing import Any

from archiver.console import Output
from archiver.search import Found, Hit, Parts
from archiver.tell.words import many, one_line

_FACTS = ("id", "kind", "title", "url", "given", "language", "archived", "others")


def found(out: Output, what: Found) -> None:
    """Each article with its passages, then how many there are."""
    for hit in what.hits:
        _hit(out, hit)
    out.row({"type": "summary", "articles": len(what.hits), "older": what.older})
    more = f" There are older ones: --before {what.older}." if what.older else ""
    out.say(f"{many(len(what.hits), 'article')}.{more}")


def _hit(out: Output, hit: Hit) -> None:
    passages = [{"place": each.place, "number": each.number, **_text(each.parts)} for each in hit.passages]
    facts = {name: getattr(hit, name) for name in _FACTS}
    out.row({"type": "hit", **facts, "title_marks": _text(hit.title_parts)["marks"], "passages": passages})
    out.parts(hit.title_parts or (("(no title)", False),))
    out.text(one_line(f"    {hit.url or hit.given}"))
    also = f", and {many(len(hit.others), 'older source')} of it" if hit.others else ""
    out.text(one_line(f"    {hit.kind} {hit.id}, saved {hit.archived[:10]}{also}"))
    for each in hit.passages:
        what = "" if each.place == "text" else f"{each.place}: "
        out.parts((("    " + what, False), *each.parts))


def _text(parts: Parts) -> dict[str, Any]:
    """The text, and from where to where in it stands what was looked for."""
    text, marks = "", []
    for part, marked in parts:
        if marked:
            marks.append([len(text), len(text) + len(part)])
        text += part
    return {"text": text, "marks": marks}
