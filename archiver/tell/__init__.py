"""Notes, findings and results → what a command tells: rows of JSON and people's lines."""

from typing import Any

import msgspec

from archiver.addresses import Address, upload_time
from archiver.capture.outcome import word
from archiver.claims.contradictions import clock_name, contradictions
from archiver.console import Output
from archiver.index.hashes import HashDrift
from archiver.index.pairs import pair_of_row, pair_words
from archiver.model import ArticleNote, FetchNote, Finding, ListingNote, Note, Rendition, UnreadableNote
from archiver.tell.checking import checked
from archiver.tell.ending import kept
from archiver.tell.found import found
from archiver.tell.pairs import comparison
from archiver.tell.stamps import timestamp
from archiver.tell.state import state
from archiver.tell.words import duration, many, one_line

__all__ = [
    "address",
    "article",
    "checked",
    "comparison",
    "drift_words",
    "finding_words",
    "found",
    "kept",
    "note",
    "state",
    "timestamp",
]


def note(out: Output, said: Note) -> None:
    """One thing that was read, fetched or failed, as it happens."""
    row = msgspec.to_builtins(said)
    match said:
        case ArticleNote():
            article = row.pop("article")
            against = contradictions(said.article.times)
            names = {key: article.get(key) for key in ("kind", "title", "url", "left_out")}
            out.row(row | names | {"contradictions": msgspec.to_builtins(against)})
            out.say(one_line(f"{said.article.kind:<11} {said.article.title}"))
            for each in against:
                out.say(f"times       {each.words}")
            _left_out(out, said.article.left_out)
        case ListingNote():
            listing = row.pop("listing")
            names = {key: listing.get(key) for key in ("kind", "title", "url", "left_out")}
            out.row(row | names | {"links": len(said.listing.links)})
            links = f"({len(said.listing.links)} links)"
            out.say(one_line(f"{said.listing.kind:<11} {said.listing.title or said.given}  {links}"))
            _left_out(out, said.listing.left_out)
        case FetchNote():
            out.row(row)
            if said.purpose != "robots" or _is_in_the_way(said):
                out.say(_fetch_words(said))
        case UnreadableNote():
            out.row(row)
            out.say(one_line(f"unreadable  {said.given}  ({said.reason})"))
        case _:
            out.row(row)


def _is_in_the_way(robots: FetchNote) -> bool:
    """A robots.txt that could not be had; of one that came, what it forbids is told."""
    return robots.outcome == "failed" or (bool(robots.hops) and (robots.hops[-1].status or 0) >= 500)


def _fetch_words(said: FetchNote) -> str:
    copy = f"  [an archive's copy of {said.memento}]" if said.memento else ""
    why = f"  ({said.reason})" if said.reason else ""
    again = f"  [again in {duration(said.retry)}]" if said.retry is not None else ""
    outcome = word(said.outcome, said.stage, unchanged=said.unchanged)
    what = "robots.txt  " if said.purpose == "robots" else ""
    return one_line(f"{outcome:<11} {what}{said.url}{copy}{why}{again}")


def _left_out(out: Output, reasons: tuple[str, ...]) -> None:
    for why in reasons:
        out.say(one_line(f"left out    {why}"))


def address(out: Output, meant: Address, rendition: Rendition | None) -> None:
    """What a URL means."""
    row = {"type": "address", **meant.row()}
    lines = [meant.url, f"    origin      {meant.origin or meant.reason}"]
    for wrapper in meant.via:
        asked = " ".join(f"{key}={value}" for key, value in wrapper.parameters.items())
        lines.append(f"    proxy       {wrapper.proxy}" + (f"  {asked}" if asked else ""))
    if rendition is not None:
        row["rendition"] = msgspec.to_builtins(rendition)
        lines += [f"    {key:<11} {value}" for key, value in row["rendition"].items() if key != "family"]
    if meant.origin and (time := upload_time(meant.origin)):
        row["uploaded"] = time.value
        lines.append(f"    uploaded    {time.value}, as its name says")
    out.row(row)
    out.text("\n".join(lines))


def article(out: Output, shown: dict[str, Any]) -> None:
    """What the archive holds of one article."""
    out.row(shown)
    lines = [f"{shown['kind']} {shown['id']}: {shown['title']}"]
    lines += [f"    {key:<11} {shown[key]}" for key in ("url", "section", "language") if shown[key]]
    lines += [f"    author      {author}" for author in shown["authors"]]
    for time in shown["times"]:
        lines.append(f"    time        {time['clock']}: {time['written']}  = {time.get('value', 'no time')}")
    lines += [f"    times       {each['words']}" for each in shown["contradictions"]]
    for picture in shown["pictures"]:
        lines += _picture_words(picture)
    if shown["text"]:
        lines += _text_words(shown["text"])
    out.text("\n".join(map(one_line, lines)))


def drift_words(drift: HashDrift) -> str:
    """By how much hashes that were made anew differ from those that were committed."""
    moved = f"{drift.moved:,} of them differ" if drift.moved else "none of them differs"
    far = f" by up to {many(drift.bits, 'bit')}" if drift.moved else ""
    anew = f"Hashes of {many(drift.pictures, 'picture')} were made anew under {drift.label}"
    return one_line(f"{anew}: {moved} from {drift.beside}{far}.")


def _picture_words(picture: dict[str, Any]) -> list[str]:
    lines = [f"    picture {picture['number'] + 1}   {picture['url']}"]
    if picture["unwanted"]:
        return [*lines, f"        not fetched: {picture['unwanted']}"]
    if rendition := picture["rendition"]:
        size = "x".join(str(rendition[side]) for side in ("width", "height") if rendition[side])
        claims = [rendition["area"] and f"crop {rendition['area']}", size and f"size {size}"]
        said = ", ".join(claim for claim in claims if claim)
        lines.append(f"        group {rendition['group']}" + (f": {said}" if said else ""))
    lines += map(_claimed_words, picture["times"])
    for form in picture["forms"]:
        what = "an archive's copy" if form["form"] == "memento" else form["form"]
        size = f" {form['format']} {form['width']}x{form['height']}" if form["format"] else ""
        why = f" ({form['reason']})" if form["reason"] else ""
        lines.append(f"        {what}: {form['outcome'] or 'never asked for'}{size}{why}  {form['url']}")
    if picture["ledger"] and picture["ledger"]["words"]:
        lines.append(f"        metadata: {picture['ledger']['words']}")
    lines += [f"        pixels: {_pair_words(pair, picture['forms'])}" for pair in picture["pairs"]]
    return lines


def _claimed_words(time: dict[str, Any]) -> str:
    if time["clock"] == "guid":
        return f"        uploaded {time['value']}, as its name says"
    value = time.get("value") or "no one moment: it names no time zone"
    return f"        {clock_name(time['clock'])} {time['written']}  = {value}"


def _pair_words(pair: dict[str, Any], forms: list[dict[str, Any]]) -> str:
    called = {form["payload_digest"]: f"the {form['form']} one" for form in reversed(forms)}
    return pair_words(pair_of_row(pair), called[pair["first"]], called[pair["second"]])


def _text_words(text: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{text[kind]} {kind}" for kind in ("same", "changed", "missing", "added"))
    lines = [f"    text        against page {text['page']}, paragraphs: {counts}"]
    for passage in text["passages"]:
        elsewhere = ", but it stands elsewhere" if passage.get("moved") else ""
        lines.append(f"        {passage['kind']}{elsewhere}")
        for side in ("mirror", "page"):
            lines += [f"            {side}: {line}" for line in passage.get(side, "").split("\n") if line]
    return lines


def finding_words(finding: Finding) -> str:
    place = finding.file
    if finding.record is not None:
        place += f" record {finding.record}"
    if finding.offset is not None:
        place += f" at {finding.offset}"
    lines = [f"{finding.verdict.upper()} {place}: {finding.message} [{finding.code}]"]
    lines += [
        f"    {name}: {value}" for name in ("uri", "expected", "found") if (value := getattr(finding, name))
    ]
    if finding.advice:
        lines.append(f"    next: {finding.advice}")
    return "\n".join(lines)
