"""How wrappers write a URL within their own: undone exactly once, bytes that are no text kept as escapes."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

_ENCODED = re.compile(r"https?%3a", re.IGNORECASE)
_BARE = re.compile(rb"[\x00-\x20\x7f]")
_NOT_TEXT = re.compile(rb"[\x80-\xff]")
_BASE64 = str.maketrans({"-": "+", "_": "/", "/": None, "=": None, "\n": None})


def percent(written: str) -> str:
    """Undo one layer of percent-encoding (RFC 3986 section 2.1); `+` and bad escapes stay."""
    return _text(unquote_to_bytes(written))


def either(written: str) -> str:
    """Undo percent-encoding where its own `://` is written in it; else the text is the URL as it is."""
    if _ENCODED.match(written) or ("/" not in written and "%2f" in written.lower()):
        return percent(written)
    return written


def form(written: str) -> str:
    """Undo the encoding of HTML forms (WHATWG URL Standard, section 5): `+` is a space."""
    return percent(written.replace("+", " "))


def base64url(written: str) -> str:
    """Undo base64 of either alphabet (RFC 4648), padded or not; `/` only splits it, as imgproxy does.

    Raises ValueError.
    """
    digits = unquote_to_bytes(written).decode("ascii").translate(_BASE64)
    return _text(base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True))


def hexadecimal(written: str) -> str:
    """Undo hexadecimal; ValueError for other digits."""
    return _text(binascii.unhexlify(written))


def _text(raw: bytes) -> str:
    """Return the URL that these bytes are; what may not stand bare in one, and is no UTF-8, as `%XX`."""
    raw = _BARE.sub(_escape, raw.strip())
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _NOT_TEXT.sub(_escape, raw).decode("ascii")


def _escape(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


CODINGS: Final[dict[str, Callable[[str], str]]] = {
    "": str,
    "percent": percent,
    "either": either,
    "form": form,
    "base64": base64url,
    "hex": hexadecimal,
}
