"""Which fields a record must have and shall not have, and their values (WARC/1.1 sections 5.2 to 5.22)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from archiver.lint import forms
from archiver.lint.head import Head, Said, shown

TYPES = (
    b"warcinfo",
    b"response",
    b"resource",
    b"request",
    b"metadata",
    b"revisit",
    b"conversion",
    b"continuation",
)
_REASONS = (b"length", b"time", b"disconnect", b"unspecified")
_PROFILES = tuple(
    b"http://netpreserve.org/warc/%b/revisit/%b" % (version, kind)
    for version in (b"1.0", b"1.1")
    for kind in (b"identical-payload-digest", b"server-not-modified")
)
IDENTICAL = b"/revisit/identical-payload-digest"
_EVERY = frozenset(TYPES)
_NOBODY: frozenset[bytes] = frozenset()
_TARGETED = _EVERY - {b"warcinfo", b"metadata"}
_NOT_REVISIT = _EVERY - {b"revisit"}
_NO_EVENT = frozenset({b"warcinfo", b"conversion", b"continuation"})
_NO_PAYLOAD = frozenset({b"warcinfo", b"metadata"})


@dataclass(frozen=True, slots=True)
class _Field:
    """`key` begins its codes: KEY-form, KEY-missing, KEY-forbidden.

    `fine`: a quicker test, of a value of which nothing is to be said where the field may stand; else `form`.
    """

    key: str
    form: Callable[[bytes], bool]
    required: frozenset[bytes] = _NOBODY
    forbidden: frozenset[bytes] = _NOBODY
    fine: Callable[[bytes], bool] | None = None


def _date(value: bytes) -> bool:
    return forms.is_date(value, False)


@lru_cache(4096)
def _ordinary_date(value: bytes) -> bool:
    return forms.is_date(value, True) and value == value.upper()


def _never(_: bytes) -> bool:
    return False


def _anything(value: bytes) -> bool:
    return bool(value)


_FIELDS: dict[bytes, _Field] = {
    b"warc-type": _Field("type", forms.is_token, _EVERY),
    b"warc-record-id": _Field("id", forms.is_id, _EVERY),
    b"warc-date": _Field("date", _date, _EVERY, fine=_ordinary_date),
    b"content-length": _Field("length", forms.is_number, _EVERY),
    b"content-type": _Field("media-type", forms.is_media_type),
    b"warc-concurrent-to": _Field("concurrent", forms.is_id, forbidden=_NO_EVENT, fine=_never),
    b"warc-payload-digest": _Field("payload", lambda _: True, forbidden=_NO_PAYLOAD),
    b"warc-ip-address": _Field(
        "ip",
        lambda value: forms.canonical_ip(value) is not None,
        forbidden=_NO_EVENT,
        fine=lambda value: forms.canonical_ip(value) == value,
    ),
    b"warc-refers-to": _Field(
        "refers",
        forms.is_id,
        forbidden=frozenset({b"warcinfo", b"response", b"resource", b"request", b"continuation"}),
    ),
    b"warc-refers-to-target-uri": _Field("refers-uri", forms.is_uri, forbidden=_NOT_REVISIT),
    b"warc-refers-to-date": _Field("refers-date", _date, forbidden=_NOT_REVISIT),
    b"warc-target-uri": _Field("uri", forms.is_uri, _TARGETED, frozenset({b"warcinfo"})),
    b"warc-truncated": _Field("truncated", forms.is_token, fine=_REASONS.__contains__),
    b"warc-warcinfo-id": _Field("warcinfo-id", forms.is_id, forbidden=frozenset({b"warcinfo"})),
    b"warc-filename": _Field("filename", _anything, forbidden=_EVERY - {b"warcinfo"}),
    b"warc-profile": _Field("profile", forms.is_uri, frozenset({b"revisit"}), fine=_never),
    b"warc-identified-payload-type": _Field("identified", forms.is_media_type, forbidden=_NO_PAYLOAD),
    b"warc-segment-number": _Field("segment", forms.is_number, frozenset({b"continuation"}), fine=_never),
    b"warc-segment-origin-id": _Field(
        "origin", forms.is_id, frozenset({b"continuation"}), _EVERY - {b"continuation"}
    ),
    b"warc-segment-total-length": _Field("total", forms.is_number, forbidden=_EVERY - {b"continuation"}),
}
NAMES = {
    name: name.decode().title().replace("Warc", "WARC").replace("Ip-", "IP-").replace("Uri", "URI")
    for name in _FIELDS
}
NAMES |= {
    name: written.removesuffix("Id") + "ID" for name, written in NAMES.items() if written.endswith("-Id")
}
_ONLY_1_1 = (b"warc-refers-to-target-uri", b"warc-refers-to-date")
_BRACKETED = (b"warc-target-uri", b"warc-profile")
_REQUIRED = {kind: {name for name, each in _FIELDS.items() if kind in each.required} for kind in TYPES}
_REQUIRED_OF_ALL = {name for name, each in _FIELDS.items() if each.required == _EVERY}


def judge_fields(head: Head) -> None:
    """Every rule of one field by itself."""
    kind, said = head.kind, head.said
    required = _REQUIRED.get(kind, _REQUIRED_OF_ALL)
    if not head.fields.keys() >= required:
        for name, rule in _FIELDS.items():
            if name in required and name not in head.fields:
                said.append((f"{rule.key}-missing", f"no {NAMES[name]}"))
    for name, value in head.fields.items():
        found = _FIELDS.get(name)
        if found is None or (kind not in found.forbidden and (found.fine or found.form)(value)):
            continue
        if not (head.first and name in _ONLY_1_1):
            _judge(found, name, value, head)
    if kind and kind not in _EVERY and forms.is_token(kind):
        said.append(("type-unknown", f"WARC-Type {shown(kind)}"))


def _judge(rule: _Field, name: bytes, value: bytes, head: Head) -> None:
    kind, said = head.kind, head.said
    if kind in rule.forbidden:
        said.append((f"{rule.key}-forbidden", f"{NAMES[name]} on a {kind.decode()} record"))
    if name in _BRACKETED and value[:1] == b"<" and value[-1:] == b">":
        if not head.first:  # its grammar has them, its examples do not
            said.append(("uri-brackets", f"{NAMES[name]} {shown(value)}"))
        value = head.fields[name] = value[1:-1]
    if rule.key in _MORE:
        _MORE[rule.key](value, head, kind, said)
    values = head.concurrent if rule.key == "concurrent" else (value,)
    for each in values:
        if not rule.form(each):
            said.append((f"{rule.key}-form", f"{NAMES[name]} {shown(each)}"))


def _judge_date(value: bytes, head: Head, _: bytes, said: Said) -> None:
    if head.first and _date(value) and not forms.is_date(value, True):
        said.append(("date-form", f"WARC-Date {shown(value)} is not YYYY-MM-DDThh:mm:ssZ"))
    elif value != value.upper() and _date(value):
        said.append(("date-case", f"WARC-Date {shown(value)}"))


def _judge_ip(value: bytes, _: Head, __: bytes, said: Said) -> None:
    written = forms.canonical_ip(value)
    if written is not None and written != value:
        said.append(("ip-not-canonical", f"WARC-IP-Address {shown(value)} is {written.decode()}"))


def _judge_truncated(value: bytes, _: Head, __: bytes, said: Said) -> None:
    if forms.is_token(value) and value.lower() not in _REASONS:
        said.append(("truncated-unknown", f"WARC-Truncated {shown(value)}"))


def _judge_profile(value: bytes, _: Head, kind: bytes, said: Said) -> None:
    if kind in _NOT_REVISIT:
        said.append(("profile-undefined", f"WARC-Profile on a {kind.decode()} record"))
    elif forms.is_uri(value) and value not in _PROFILES:
        said.append(("profile-unknown", f"WARC-Profile {shown(value)}"))


def _judge_segment(value: bytes, _: Head, kind: bytes, said: Said) -> None:
    if forms.is_number(value):
        wrong = _is_first(value) or not value.strip(b"0") if kind == b"continuation" else not _is_first(value)
        if wrong:
            said.append(("segment-number", f"WARC-Segment-Number {shown(value)} on a {kind.decode()} record"))
        elif kind in (b"warcinfo", b"request", b"metadata", b"revisit"):
            said.append(("segment-discouraged", f"a segmented {kind.decode()} record"))


def _is_first(value: bytes) -> bool:
    return value.lstrip(b"0") == b"1"


_MORE: dict[str, Callable[[bytes, Head, bytes, Said], None]] = {
    "date": _judge_date,
    "ip": _judge_ip,
    "truncated": _judge_truncated,
    "profile": _judge_profile,
    "segment": _judge_segment,
}
