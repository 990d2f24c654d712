"""One spelling for each URL: what a browser would ask for."""

import re

import ada_url

from archiver.errors import UsageError

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 200  # characters of a bad URL that a message repeats


def canonical(url: str) -> str:
    """Return `url` as a browser would request it: the WHATWG URL Standard, without its fragment.

    That lower-cases scheme and host, adds the slash of an empty path, drops a default port, resolves
    dot segments, encodes what may not stand bare, and leaves every existing `%xx` and `+` as it is.
    Raises UsageError for what is no http(s) URL, and for one with a user name or password: they
    would end up in the archive.
    """
    try:
        parsed = ada_url.URL(_LONE_SURROGATE.sub("\ufffd", url))
    except ValueError as error:
        raise UsageError(f"not a URL: {_shown(url)}", "give an http:// or https:// URL") from error
    if parsed.protocol not in ("http:", "https:"):
        raise UsageError(
            f"not an http or https URL: {_shown(url)}", "only what HTTP can fetch can be archived"
        )
    if parsed.username or parsed.password:
        raise UsageError(
            f"the URL of {parsed.host} holds a user name or password",
            "give the URL without them: an archive is read by others",
        )
    return parsed.href.partition("#")[0]


def _shown(url: str) -> str:
    return repr(url if len(url) <= _SHOWN else url[:_SHOWN] + "…")
