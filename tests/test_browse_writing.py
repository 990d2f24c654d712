"""Pages while an archive is being written: nobody gets an error, and what is new appears."""

import http.client
import re
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest
from commands import archiver, query
from resume_site import FEED, Site
from wide import WIDE

LOADS, ITEMS = (1_000, 60) if WIDE else (100, 10)
PATHS = (
    *(
        "/",
        "/-/articles",
        "/-/articles/1",
        "/-/pictures",
        "/-/captures",
        "/-/timeline",
        "/-/checks",
        "/-/records/1",
    ),
    *(
        "/-/search?q=渡轮",
        "/catalogue/articles",
        "/catalogue/fetches.json",
        "/catalogue/records.csv",
        "/-/duplicates",
    ),
)


@pytest.mark.slow
def test_page_loads_while_articles_are_saved(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    with Site(items=ITEMS, pause=0.02) as site:
        flags = [*site.flags, "--into", str(root), "--delay", "0", "--retries", "0", "--json"]
        assert archiver("archive", "http://alpha.example/page/0.html", *flags)[0] in (0, 3)
        ((before,),) = query(root, "SELECT count(*) FROM articles")
        serve = [sys.executable, "-m", "archiver", "browse", str(root), "--port", "0"]
        write = [sys.executable, "-m", "archiver", "archive", FEED, *flags]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                told = re.search(r"http://127\.0\.0\.1:(\d+)/", server.stdout.readline())
                assert told is not None
                connection = http.client.HTTPConnection("127.0.0.1", int(told[1]), timeout=60)
                with subprocess.Popen(write, **quiet) as writer:
                    statuses, counts = load(connection, writer)
                    assert writer.wait(120) in (0, 3)
                assert set(statuses) == {200}
                assert len(statuses) >= LOADS
                assert len(set(counts)) > 2  # they came one after the other
                ((after,),) = query(root, "SELECT count(*) FROM articles")
                assert before < max(counts) <= after
                connection.close()
            finally:
                server.terminate()


def load(
    connection: http.client.HTTPConnection, writer: subprocess.Popen[bytes]
) -> tuple[list[int], list[int]]:
    """Statuses of all loads, at least as many as are wanted and until the writer has ended; articles seen."""
    statuses: list[int] = []
    counts: list[int] = []
    for path in cycle(PATHS):
        connection.request("GET", path.replace("渡轮", "%E6%B8%A1%E8%BD%AE"))
        answer = connection.getresponse()
        body = answer.read()
        statuses.append(answer.status)
        assert answer.status == 200, (path, body[-500:])
        if path == "/catalogue/articles":
            found = re.search(rb"([\d,]+) rows?\b", body)
            counts.append(int(found[1].replace(b",", b"")) if found else 0)
        if len(statuses) >= LOADS and writer.poll() is not None:
            return statuses, counts
    return statuses, counts
