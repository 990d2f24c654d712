"""Two peers of benchmarks/capture.py, run by the Python of .venv-peers.

requests with `warcio.capture_http`, in any number of threads; and aiohttp, which downloads without WARC.
"""

import argparse
import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIMEOUT = 60


def requests_warcio(urls: list[str], out: Path, connections: int) -> None:
    from warcio.capture_http import capture_http  # noqa: I001, PLC0415 - before requests, to patch it
    from warcio.warcwriter import WARCWriter  # noqa: PLC0415
    import requests  # noqa: PLC0415

    class Writer(WARCWriter):
        """The lock of capture_http is one thread's own: without this one records get mixed."""

        lock = threading.Lock()

        def write_request_response_pair(self, *arguments: object, **options: object) -> None:
            with self.lock:
                super().write_request_response_pair(*arguments, **options)

    def work(share: list[str]) -> None:
        with capture_http(writer), requests.Session() as session:  # it records its own thread alone
            session.trust_env = False
            for url in share:
                session.get(url, timeout=TIMEOUT).raise_for_status()

    with out.open("wb") as file, ThreadPoolExecutor(connections) as pool:
        writer = Writer(file, gzip=True)
        size = -(-len(urls) // connections)
        list(pool.map(work, [urls[first : first + size] for first in range(0, len(urls), size)]))


async def aiohttp_download(urls: list[str], out: Path, connections: int) -> None:
    import aiohttp  # noqa: PLC0415

    waiting = iter(urls)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    with out.open("wb") as file:
        async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:

            async def work() -> None:
                for url in waiting:
                    async with session.get(url) as answer:
                        file.write(await answer.read())

            await asyncio.gather(*(work() for _ in range(connections)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=["requests", "aiohttp"])
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--list", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    urls = given.list.read_text().split()
    if given.peer == "requests":
        requests_warcio(urls, given.out, given.connections)
    else:
        asyncio.run(aiohttp_download(urls, given.out, given.connections))


if __name__ == "__main__":
    sys.exit(main())
