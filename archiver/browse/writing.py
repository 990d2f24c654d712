"""Who may write through a page, and how: by a form, in a browser on the machine where the server listens."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archiver.browse.hosts import host_name, is_loopback
from archiver.browse.language import to_say
from archiver.browse.library import settings
from archiver.browse.render import Problem
from archiver.errors import StorageError
from archiver.model import MarkNote

_CLOSED = Problem(
    403,
    to_say("Nothing can be written here"),
    to_say("This server only shows the archive."),
    to_say("Run 'archiver duplicates --not-same A B --reason TEXT' on the machine where it lies."),
)
_FOREIGN = Problem(
    403,
    to_say("Not from this page"),
    to_say("The request did not come from a page of this server, so nothing was written."),
)


def refusal(datasette: Any, request: Any, *, form: bool = False) -> Problem | None:
    """Why a request may not write; None when it may. `form`: whether a page may show a form at all.

    Beside Datasette's own protection, which lets a request without a cookie pass: a browser says with
    `Sec-Fetch-Site` or `Origin` (Fetch, "Sec-Fetch-*" and "Origin" headers) which site sent a form.
    What says neither is refused; whoever has a shell has the command.
    """
    if settings(datasette).get("writable") is not True or not _local(request):
        return _CLOSED
    if form:
        return None
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None:
        return _FOREIGN
    if site is not None and site != "same-origin":
        return _FOREIGN
    return _FOREIGN if origin is not None and not _own(origin, request.headers.get("host", "")) else None


def _local(request: Any) -> bool:
    """Whether this machine's own name was asked: no other host, whatever name or address leads here."""
    return is_loopback(host_name(request.headers.get("host", "")))


def _own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def record(root: Path, note: MarkNote) -> tuple[list[str], str]:
    """Write and seal a person's word: what was said on the way, and the WARC file. Raises ArchiverError.

    In a process of its own: writing reads the catalogue as a plain file, too, and closing that would drop the
    locks by which SQLite keeps others from the catalogue that this process reads
    (sqlite.org/howtocorrupt.html, section 2.2).
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            return process.submit(_record, root, note).result()
        except BrokenProcessPool as error:
            raise StorageError(
                f"{root}: the process that wrote it was stopped", "The next command heals what it left."
            ) from error


def _record(root: Path, note: MarkNote) -> tuple[list[str], str]:
    from archiver import upkeep  # noqa: PLC0415 - what writes is loaded when somebody writes

    told: list[str] = []
    sealed, healed = upkeep.mark(root, note, told.append)
    return [*told, *healed], sealed.path
