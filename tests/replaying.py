"""Replay by other people's tools: pywb, and ReplayWeb.page (npm `replaywebpage`) in Chromium."""

import contextlib
import html
import json
import os
import re
import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

PEERS = Path(__file__).parents[1] / ".venv-peers/bin"
# Where `make peers` unpacks it; who has it elsewhere says so.
PACKAGE = Path(os.environ.get("REPLAYWEBPAGE") or PEERS.parent / "replaywebpage/package")
_INDEX = """<!doctype html><meta charset="utf-8"><title>replay</title>
<style>html, body, replay-web-page {{ height: 100%; margin: 0; display: block }}</style>
<replay-web-page source="/the.wacz" url="{url}" ts="{ts}" replayBase="/replay/" embed="default">
</replay-web-page><script src="/replay/ui.js"></script>"""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@contextlib.contextmanager
def pywb(folder: Path, files: list[Path], index: str = "") -> Iterator[str]:
    """Replay on loopback, by pywb's own index or by another."""
    for command in (["init", "news"], ["add", "news", *map(str, files)]):
        subprocess.run([PEERS / "wb-manager", *command], cwd=folder, check=True, capture_output=True)
    if index:
        (folder / "collections/news/indexes/index.cdxj").write_text(index)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serving = subprocess.Popen(
        [PEERS / "wayback", "-b", "127.0.0.1", "-p", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(240):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/news"
    finally:
        serving.terminate()
        serving.wait(20)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *rest: Any, files: dict[str, bytes]) -> None:
        self._files = files
        super().__init__(*rest)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        data = self._files.get(path)
        if data is None:
            self.send_error(404)
            return
        start, end, asked = 0, len(data), _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked and asked[1]:
            start, end = int(asked[1]), min(end, int(asked[2] or end) + 1)
        elif asked:
            start = max(0, end - int(asked[2]))
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", self.guess_type(path if path != "/" else "/index.html"))
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[start:end])

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


def listed(wacz: Path) -> list[dict[str, Any]]:
    """The pages of a WACZ."""
    with zipfile.ZipFile(wacz) as file:
        rows = [json.loads(line) for line in file.read("pages/pages.jsonl").splitlines()]
    return rows[1:]


@contextlib.contextmanager
def serving(wacz: Path, page: dict[str, Any]) -> Iterator[str]:
    """The URL of a page that embeds the replay of a page of the WACZ."""
    digits = re.sub(r"\D", "", page["ts"])
    files = {f"/replay/{name}": (PACKAGE / name).read_bytes() for name in ("ui.js", "sw.js")}
    files["/the.wacz"] = wacz.read_bytes()
    files["/"] = _INDEX.format(url=html.escape(page["url"]), ts=quote(digits)).encode()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A browser that goes away is no error."""

    with Server(("127.0.0.1", 0), partial(_Handler, files=files)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def drawn(page: Any, text: str, images: int, seconds: float = 60) -> list[dict[str, Any]]:
    """Wait until the replayed frame has the text and so many pictures that are drawn; what it has of them."""
    found: list[dict[str, Any]] = []
    for _ in range(int(seconds * 5)):
        for frame in page.frames:
            if "/w/" not in frame.url and "mp_/" not in frame.url:
                continue
            try:
                there = frame.evaluate("document.body ? document.body.innerText : ''")
                found = frame.evaluate(
                    "[...document.images].map(i => ({src: i.src, width: i.naturalWidth, whole: i.complete}))"
                )
            except Exception:  # noqa: BLE001, S112 - the frame is being replaced
                continue
            if text in there and sum(each["width"] > 0 for each in found) >= images:
                return found
        page.wait_for_timeout(200)
    raise AssertionError(f"{text!r} and {images} pictures were not shown: {found}")
