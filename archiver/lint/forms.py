"""The forms of values in WARC headers (WARC/1.1 section 4 and 5), as tests of bytes."""

import re
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address

_TOKEN_BYTES = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x7f])*"'
_MEDIA_TYPE = re.compile(  # with the white space of erratum 38
    _TOKEN + rb"/" + _TOKEN + rb"(?:[ \t]*;[ \t]*" + _TOKEN + rb"=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))*"
)
_UNRESERVED = rb"A-Za-z0-9\-._~!$&'()*+,;="
_PERCENT = rb"++|%[0-9A-Fa-f]{2})*+"  # nothing is tried twice: what follows begins with none of these
_URI = re.compile(  # RFC 3986 appendix A; an IP literal only by its brackets
    rb"[A-Za-z][A-Za-z0-9+.\-]*+:"
    rb"(?://(?:(?:[" + _UNRESERVED + rb":]" + _PERCENT + rb"@)?"
    rb"(?:\[[0-9A-Za-z:.]+\]|(?:[" + _UNRESERVED + rb"]" + _PERCENT + rb")(?::[0-9]*)?(?=[/?#]|\Z))?"
    rb"(?:[" + _UNRESERVED + rb":@/]" + _PERCENT + rb"(?:\?(?:[" + _UNRESERVED + rb":@/?]" + _PERCENT + rb")?"
    rb"(?:#(?:[" + _UNRESERVED + rb":@/?]" + _PERCENT + rb")?"
)
_DATE = re.compile(  # https://www.w3.org/TR/NOTE-datetime, in UTC
    rb"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:[Zz]|[+-]00:00))?)?)?"
)
_DATE_1_0 = re.compile(rb"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d[Zz]")


def is_token(value: bytes) -> bool:
    return bool(value) and not value.translate(None, _TOKEN_BYTES)


def is_number(value: bytes) -> bool:
    return value.isdigit()  # of bytes: ASCII digits only


@lru_cache(1024)
def is_media_type(value: bytes) -> bool:
    return _MEDIA_TYPE.fullmatch(value) is not None


def is_uri(value: bytes) -> bool:
    """Whether it is a URI with a scheme, properly escaped (RFC 3986 section 3)."""
    return _URI.fullmatch(value) is not None


def is_id(value: bytes) -> bool:
    """`<URI>`."""
    return value[:1] == b"<" and value[-1:] == b">" and is_uri(value[1:-1])


@lru_cache(4096)
def is_date(value: bytes, seconds_only: bool) -> bool:
    """A UTC time; `seconds_only`: of the one form that WARC/1.0 has."""
    found = _DATE.fullmatch(value)
    if found is None or (seconds_only and not _DATE_1_0.fullmatch(value)):
        return False
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        datetime(year, month or 1, day or 1, hour, minute, min(second, 59))  # noqa: DTZ001 - only whether it is one
    except ValueError:
        return False
    return second <= 60


@lru_cache(4096)
def canonical_ip(value: bytes) -> bytes | None:
    """The address as RFC 5952 writes it; None for what is no numeric address."""
    try:
        return str(ip_address(value.decode("ascii"))).encode()
    except ValueError:
        return None
