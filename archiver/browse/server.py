"""`archiver browse`: Datasette with the plugin, over one archive, on this machine."""

import contextlib
import re
import socket
import sqlite3
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette, DatasetteClient
from datasette.database import Database
from datasette.plugins import pm

from archiver.browse import plugin
from archiver.browse.hosts import host_name, is_loopback
from archiver.browse.library import APPLICATION_ID, CATALOGUE, NAME, application_id, connect, library
from archiver.errors import NotAnArchive, UsageError

_BASE = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")


class _Catalogue(Database):
    """Opened to read, whoever asks; a folder's name may hold `%`, `?` and `#`."""

    def connect(self, write: bool = False) -> sqlite3.Connection:  # noqa: ARG002 - Datasette's signature
        connection = connect(Path(self.path), self.is_mutable)
        known = "_all_connections" if hasattr(self, "_all_connections") else "_all_file_connections"
        getattr(self, known).append(connection)  # closed with the database; Datasette 1 calls it otherwise
        return connection

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        # What goes wrong is answered in words; Datasette prints it, too, and what its own pages ask in vain.
        theirs: Any = super()
        return await theirs.execute(*arguments, **options | {"log_sql_errors": False})


def build(
    root: Path,
    *,
    host: str = "127.0.0.1",
    names: Sequence[str] = (),
    base_url: str = "/",
    public: bool = False,
) -> Datasette:
    """A Datasette over the archive in `root`; `close` it.

    `names`: by which host names it may be asked, beside those of `host` (through a reverse proxy).
    `base_url`: the path under which it lies there. `public`: for strangers: no SQL, no whole files, no marks.
    SQL by visitors and marks are off, too, with any `names` and on any `host` but this machine's loopback.
    Raises NotAnArchive without a catalogue, UsageError for what is no name or path.
    """
    allowed = [host_name(name) for name in names]
    if not all(allowed):
        raise UsageError("--allow-host takes a host's name, as archive.example.org")
    if not _BASE.fullmatch(base_url):
        raise UsageError("--base-url takes a path that begins and ends with a slash, as /archive/")
    alone = is_loopback(host) and not names and not public
    path = root.resolve() / CATALOGUE
    mutable = _mutable(path)
    if not pm.is_registered(plugin):
        pm.register(plugin, NAME)
    datasette = Datasette(
        [],
        settings={
            "allow_download": False,
            "base_url": base_url,
            "default_allow_sql": alone,
            "default_page_size": 20,
            "sql_time_limit_ms": 1000,
            "suggest_facets": False,
            "truncate_cells_html": 300,
        },
        metadata={
            "plugins": {
                NAME: {
                    "start": "archive",
                    "allowed_hosts": ["localhost", host_name(host), *allowed],
                    "public": public,
                    "writable": alone,
                }
            }
        },
    )
    datasette.remove_database("_memory")
    catalogue: type[Any] = _Catalogue
    datasette.add_database(catalogue(datasette, str(path), is_mutable=mutable))
    datasette.client = DatasetteClient(datasette)  # the first one was made before the plugin saw a catalogue
    return datasette


def close(datasette: Datasette) -> None:
    """Give back what `build` and serving took: threads, connections, the child process."""
    here = library(datasette)
    if here:
        here.close()
    if datasette.executor:
        datasette.executor.shutdown()
    for database in datasette.databases.values():
        database.close()


def serve(
    root: Path,
    host: str,
    port: int,
    open_browser: bool,
    ready: Callable[[str], None] | None = None,
    *,
    names: Sequence[str] = (),
    base_url: str = "/",
    public: bool = False,
) -> None:
    """Serve until Ctrl-C. `port` 0 takes a free one. `ready` is called with the URL once it answers.

    Raises NotAnArchive, and UsageError when the address cannot be taken.
    """
    datasette = build(root, host=host, names=names, base_url=base_url, public=public)
    try:
        with _listen(host, port) as listener:
            number = listener.getsockname()[1]
            url = f"http://{f'[{host}]' if ':' in host else host}:{number}{base_url}"
            if ready:
                ready(url)
            if open_browser:
                webbrowser.open(url)
            config = uvicorn.Config(datasette.app(), log_level="warning", access_log=False, lifespan="on")
            with contextlib.suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listener])
    finally:
        close(datasette)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket: who connects from now on is answered as soon as the server runs."""
    try:
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host} port {port}: {reason}", "Try '--port 0'.") from error
    # Else each further answer on a connection waits 40 ms: asyncio does this only where protocols are named.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _mutable(path: Path) -> bool:
    """Whether the catalogue can be opened as one that may grow."""
    if not path.is_file():
        raise NotAnArchive(
            f"{path.parent}: no {CATALOGUE} here", "Run 'archiver rebuild' if this is an archive."
        )
    mutable = application_id(path, mutable=True) is not None
    if application_id(path, mutable) != APPLICATION_ID:
        raise NotAnArchive(f"{path}: not a catalogue of the archiver", "Run 'archiver rebuild'.")
    return mutable
