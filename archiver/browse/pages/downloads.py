"""What can be taken away of an article: evidence that proves itself, and its records as a WARC file."""

import asyncio
import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from archiver.browse.disk.intact import read_member
from archiver.browse.language import to_say
from archiver.browse.library import CATALOGUE, connect, library
from archiver.browse.render import NO_ARCHIVE, NOT_PUBLIC, Download, Problem, explain, is_public
from archiver.errors import ArchiverError, RecordError, UsageError
from archiver.model import Location
from archiver.prove.bundle import CAPTURE_BYTES, prove
from archiver.prove.subject import choose
from archiver.warc.stored import as_member

_BUSY = Problem(
    503,
    to_say("Another download is being made"),
    to_say("One is made at a time, so that this server stays quick."),
    to_say("Try again in a moment."),
)
ONE = threading.Lock()  # a download takes as much memory as the article's records have bytes


async def evidence(datasette: Any, request: Any) -> Any:
    """`/-/articles/<id>/evidence.zip`: as `archiver prove` writes it."""
    return await _answer(datasette, request, _bundle, "evidence.zip", "application/zip")


async def records(datasette: Any, request: Any) -> Any:
    """`/-/articles/<id>/records.warc.gz`: the stored members of an article, byte for byte, in their order."""
    return await _answer(datasette, request, _members, "records.warc.gz", "application/gzip")


_Make = Callable[[Path, sqlite3.Connection, str], BinaryIO]


async def _answer(datasette: Any, request: Any, make: _Make, name: str, media_type: str) -> Any:
    here = library(datasette)
    if here is None or is_public(datasette):
        return await explain(datasette, request, NOT_PUBLIC if here else NO_ARCHIVE)
    number, mutable = request.url_vars["id"], datasette.get_database(here.database).is_mutable
    try:
        made = await asyncio.to_thread(_made, here.root, mutable, make, number)
    except UsageError as error:
        return await explain(
            datasette, request, Problem(404, to_say("Nothing to download"), str(error), error.advice)
        )
    except RecordError as error:
        return await explain(datasette, request, Problem(500, to_say("Damaged"), str(error), error.advice))
    except ArchiverError as error:
        return await explain(
            datasette, request, Problem(500, to_say("That did not work"), str(error), error.advice)
        )
    if made is None:
        return await explain(datasette, request, _BUSY)
    return Download(made, f"article-{number}-{name}", media_type)


def _made(root: Path, mutable: bool, make: _Make, number: str) -> BinaryIO | None:
    """The file, open and without a name any more; None while another one is being made."""
    if not ONE.acquire(blocking=False):
        return None
    try:
        with closing(connect(root / CATALOGUE, mutable)) as db:
            return make(root, db, number)
    except OSError as error:
        raise ArchiverError(f"no room for a temporary file: {error.strerror or error}") from error
    finally:
        ONE.release()


def _bundle(root: Path, db: sqlite3.Connection, number: str) -> BinaryIO:
    with tempfile.TemporaryDirectory(prefix="archiver-") as folder:
        into = Path(folder) / "evidence.zip"
        prove(root, db, number, into)
        return into.open("rb")


_PLACES = """
SELECT path, offset, length, records.digest FROM records JOIN warcs ON warcs.id = warc_id
WHERE record_id IN (SELECT value FROM json_each(:wanted)) OR type = 'warcinfo' AND warc_id IN (
    SELECT warc_id FROM records WHERE record_id IN (SELECT value FROM json_each(:wanted)))
ORDER BY warc_id, offset
"""


def _members(root: Path, db: sqlite3.Connection, number: str) -> BinaryIO:
    """The members that evidence would have, sealed or not, each hashed as it is read. All are gzip."""
    chosen = choose(db, root, number)
    places = db.execute(_PLACES, {"wanted": json.dumps(sorted(chosen.records | chosen.originals))}).fetchall()
    if sum(length for _, _, length, _ in places) > CAPTURE_BYTES:
        raise UsageError(
            f"its records have more than {CAPTURE_BYTES} bytes", "Copy the WARC files themselves."
        )
    file = tempfile.TemporaryFile(prefix="archiver-")  # noqa: SIM115 - who sends it closes it
    try:
        for path, offset, length, committed in places:
            place = Location(file=path, offset=offset, length=length)
            file.write(as_member(read_member(root, place, committed)))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
