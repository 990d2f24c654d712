"""The YAML front matter of a Markdown file, as far as mirrors of news use it.

Read are the entries of the top-level mapping whose values are scalars or lists of scalars: plain and quoted
ones, folded and literal blocks, lists in brackets or one item a line (YAML 1.2.2 chapters 7 and 8). Anything
deeper is passed over, and nothing here can fail: a line that is no entry is no entry.
"""

import json
import re

ITEMS = 100  # of one list

_FRONT_MATTER = re.compile(r"\s*+---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"([A-Za-z_][\w-]{0,60}):(?:[ \t]++(.*)|[ \t]*+)\Z")
_ITEM = re.compile(r"[ \t]*+-[ \t]++(.*)\Z")
_SINGLE = re.compile(r"'((?:[^']|'')*+)'")
_COMMENT = re.compile(r"[ \t]#.*+", re.DOTALL)

Fields = dict[str, list[str]]


def front_matter(text: str) -> tuple[Fields, int]:
    """Name in lower case → its scalars, and where the front matter ends; the first of a name counts.

    Without front matter there are no fields and the end is 0.
    """
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, 0
    fields: Fields = {}
    for name, lines in _entries(found[1]):
        fields.setdefault(name, _values(lines))
    return fields, found.end()


def _entries(body: str) -> list[tuple[str, list[str]]]:
    """Each entry with the rest of its line and the lines that belong to it, comments left out."""
    entries: list[tuple[str, list[str]]] = []
    for line in body.split("\n"):
        if entry := _ENTRY.match(line):
            entries.append((entry[1].lower(), [entry[2] or ""]))
        elif entries and line[:1] in (" ", "\t", "-", ""):
            entries[-1][1].append(line)
    return entries


def _values(lines: list[str]) -> list[str]:
    first, *more = lines
    first = first.strip()
    if first[:1] in ("|", ">") and len(first) <= 3:
        folded = (" " if first[0] == ">" else "\n").join(line.strip() for line in more)
        return [folded.strip()]
    if not first or first.startswith("#"):
        items = [item[1] for line in more if (item := _ITEM.match(line))]
        if not items and more and not _ENTRY.match(more[0].strip()):
            items = [_joined(more)]
    elif first.startswith("["):
        items = _flow_items(_joined(lines)[1:])
    else:
        items = [_joined(lines)]
    scalars = (_scalar(item.strip()) for item in items[:ITEMS])
    return [scalar for scalar in scalars if scalar]


def _joined(lines: list[str]) -> str:
    return " ".join(stripped for line in lines if (stripped := line.strip()))


def _flow_items(text: str) -> list[str]:
    """What stands between commas, which quotes may hold, up to the closing bracket."""
    items: list[str] = []
    at = 0
    for found in re.finditer(r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^']|'')*+'|[^\"',\]]++|[\"',\]]", text):
        if found[0] in (",", "]"):
            items.append(text[at : found.start()])
            at = found.end()
        if found[0] == "]" or len(items) > ITEMS:
            return items
    return [*items, text[at:]]


def _scalar(value: str) -> str:
    """What a scalar says; nothing for what is no plain or quoted scalar."""
    if value[:1] == "'":
        single = _SINGLE.match(value)
        return single[1].replace("''", "'") if single else ""
    if value[:1] == '"':
        try:
            double, _ = json.JSONDecoder(strict=False).raw_decode(value)
        except ValueError:
            double = value[1:].rpartition('"')[0]  # an escape that JSON does not know: as written
        return str(double).encode("utf-8", "replace").decode()
    if value[:1] in tuple("[{>|&*!%@`#"):
        return ""
    return _COMMENT.sub("", value).strip()
