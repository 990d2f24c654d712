"""How quickly the pages of `archiver browse` come, beside a table page of Datasette's, of one catalogue.

The archive is made by `large_archive.py`, or given. One server in a process of its own is asked over
loopback; a round asks for every page once, in turn, so that what else the machine does meets all alike. A
page that does not answer 200 ends the run. Over 2 times the table page is marked.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from large_archive import make
from rounds import ARCHIVER

TABLE = "table page of Datasette"
TIMES = 2.0


@dataclass
class Page:
    """`paths`: of several such pages, one for each round. `seconds` of each time one was asked for."""

    name: str
    paths: list[str]
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def late(self) -> float:
        """The 95th percentile."""
        return statistics.quantiles(self.seconds, n=20)[-1]


def pages(catalogue: Path, rounds: int) -> Iterator[Page]:
    """The pages, over things that are in the archive, from its beginning to its end: others in each round."""
    with closing(sqlite3.connect(f"{catalogue.as_uri()}?mode=ro", uri=True)) as db:

        def some(sql: str, *values: str) -> list[Any]:
            found = [value for (value,) in db.execute(sql, values)]
            return found[:: max(1, len(found) // (rounds + 1))]

        articles, records = some("SELECT id FROM articles"), some("SELECT id FROM records")
        titles = "SELECT title FROM articles WHERE language = ?"
        chinese, english = some(titles, "zh"), some(titles, "en")
        several = some("SELECT min(id) FROM articles GROUP BY url HAVING count(*) > 1")
        pictures = some("SELECT substr(payload_digest, 8) FROM pictures")
    yield Page(TABLE, ["/catalogue/articles"])
    yield Page("the same without facets", ["/catalogue/articles?_nofacet=1"])
    yield Page("start", ["/-/archive"])
    yield Page("articles", ["/-/articles"])
    yield Page("article", [f"/-/articles/{each}" for each in articles])
    yield Page("versions", [f"/-/articles/{each}/versions" for each in several])
    yield Page("wall of pictures", ["/-/pictures"])
    yield Page("picture", [f"/-/pictures/{each}" for each in pictures])
    yield Page("look-alikes", ["/-/duplicates"])
    yield Page("captures", ["/-/captures"])
    yield Page("record", [f"/-/records/{each}" for each in records])
    yield Page("timeline", ["/-/timeline"])
    yield Page("checks", ["/-/checks"])
    for count in (1, 2, 4):
        many = "character" if count == 1 else "characters"
        yield Page(
            f"search, {count} Chinese {many}", [f"/-/search?q={quote(each[:count])}" for each in chinese]
        )
    yield Page("search, an English word", [f"/-/search?q={quote(each.split()[0])}" for each in english])


@contextmanager
def serving(root: Path) -> Iterator[str]:
    command = [str(ARCHIVER / "archiver"), "browse", str(root), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            sys.exit("the server has no pipe")
        try:
            yield json.loads(server.stdout.readline())["url"].rstrip("/")
        finally:
            server.terminate()


def measure(url: str, asked: list[Page], rounds: int) -> None:
    with requests.Session() as session:
        for number in range(rounds + 1):
            for page in asked:
                path = page.paths[number % len(page.paths)]
                begun = time.perf_counter()
                answer = session.get(url + path, timeout=120)
                seconds = time.perf_counter() - begun
                if answer.status_code != 200:
                    sys.exit(f"{path}: {answer.status_code}")
                if number:  # the first time fills the caches of all alike
                    page.seconds.append(seconds)


def report(asked: list[Page]) -> None:
    table = asked[0]
    print(f"{'page':<28}{'median ms':>11}{'95 % ms':>10}{'ratio':>8}")
    for page in asked:
        ratio = page.median / table.median
        mark = "  over" if ratio > TIMES else ""
        print(f"{page.name:<28}{page.median * 1e3:>11.1f}{page.late * 1e3:>10.1f}{ratio:>8.2f}{mark}")


def sizes(catalogue: Path) -> None:
    """Bytes of the catalogue and of its index of words, for each article."""
    with closing(sqlite3.connect(f"{catalogue.as_uri()}?mode=ro", uri=True)) as db:
        (articles,) = db.execute("SELECT count(*) FROM articles").fetchone()
        (fetches,) = db.execute("SELECT count(*) FROM fetches").fetchone()
        (words,) = db.execute(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE 'article_words%'"
        ).fetchone()
    whole = catalogue.stat().st_size
    print(
        f"{articles:,} articles, {fetches:,} captures; catalogue {whole / articles / 1e3:.1f} kB an article,"
    )
    print(f"of it {words / articles / 1e3:.1f} kB for its index of words")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, help="one that is there; else one is made for this run")
    parser.add_argument("--articles", type=int, default=100_000, help="in the one that is made")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = given.archive or Path(scratch, "archive")
        if given.archive is None:
            make(root, given.articles)
        catalogue = root.resolve() / "catalogue.db"
        found = list(pages(catalogue, given.rounds))
        sizes(catalogue)
        with serving(root) as url:
            measure(url, found, given.rounds)
        report(found)
