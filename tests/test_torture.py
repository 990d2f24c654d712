"""One run over everything that servers can do wrong: no hang, no traceback, and a label on everything."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from commands import archiver, query
from torture_bodies import pictures
from torture_server import DOMAIN, Behaviour, Torture

pytestmark = pytest.mark.slow

MEMORY_BYTES = 400 << 20  # of the largest process of the run; measured: 250 MiB
CPU_SECONDS = 120  # measured: 22
LIMITS = """[manners]
patience = 5

[limits]
connect_seconds = 3
first_byte_seconds = 3
read_seconds = 3
slow_bytes = 200
slow_seconds = 3
bytes = 4194304
"""
OPTIONS = ("--max-time", "5", "--retries", "0", "--parallel", "24", "--max-pages", "50")

# Between the test and the command: what the kernel counts as a child's memory begins with its parent's.
STARTER = """
import json, resource, subprocess, sys

code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([used.ru_maxrss, used.ru_utime + used.ru_stime], file)
sys.exit(code)
"""


@dataclass
class Run:
    """What came of the one run."""

    root: Path
    urls: dict[str, Behaviour]
    code: int
    text: str
    seconds: float
    cpu: float
    memory: int
    rows: list[dict[str, Any]] = field(default_factory=list)

    def last_words(self, url: str, purpose: str = "page") -> list[dict[str, Any]]:
        return [
            row
            for row in self.rows
            if row["type"] == "fetch"
            and (row["url"], row["purpose"]) == (url, purpose)
            and row.get("retry") is None
        ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA, pem: str) -> Run:
    folder = tmp_path_factory.mktemp("torture")
    root, given = folder / "archive", folder / "list.txt"
    root.mkdir()
    (root / "archiver.toml").write_text(LIMITS)
    with Torture(authority) as torture:
        urls = torture.urls
        given.write_text("".join(f"{url}\n" for url in urls))
        command = [sys.executable, "-m", "archiver", "archive", str(given), "--into", str(root), "--json"]
        starter = [sys.executable, "-c", STARTER, str(folder / "cost")]
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            began = time.monotonic()
            process = subprocess.Popen(
                [*starter, *command, *OPTIONS, "--cacert", pem, *torture.options],
                stdout=out,
                stderr=err,
            )
            stopper = threading.Timer(400, process.kill)
            stopper.start()
            code = process.wait()
            stopper.cancel()
    memory, cpu = json.loads((folder / "cost").read_text())
    rows = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
    return Run(
        root=root,
        urls=urls,
        code=code,
        text=(folder / "err").read_text(),
        seconds=time.monotonic() - began,
        cpu=cpu,
        memory=memory << 10,
        rows=rows,
    )


def test_it_ends_as_it_should(run: Run) -> None:
    assert len(run.urls) >= 150
    assert "Traceback" not in run.text
    assert run.code == 3, run.text[-3000:]
    assert run.rows[-1]["type"] == "summary"
    assert run.rows[-1]["exit_code"] == 3


def test_every_url_has_one_last_word_and_it_is_true(run: Run) -> None:
    wrong = []
    for url, behaviour in run.urls.items():
        found = [
            (row["outcome"], f"{row.get('stage')}: {row.get('reason')}"[:300]) for row in run.last_words(url)
        ]
        right = len(found) == 1 and found[0][0] == behaviour.outcome and behaviour.words in found[0][1]
        labelled = found and (found[0][0] == "whole" or found[0][1] not in ("None: None", "None: "))
        if not right or not labelled:
            wrong.append((url, behaviour.outcome, behaviour.words, found))
    assert wrong == []


def test_every_picture_is_kept_whatever_it_does(run: Run) -> None:
    outcomes = {
        name: [row["outcome"] for row in run.last_words(f"http://pictures.{DOMAIN}/{name}", "picture")]
        for name in pictures()
    }
    assert outcomes.pop("html-called-png") == ["whole"]  # the server says that it is one
    assert outcomes.pop("empty") == ["whole"]
    assert set(map(tuple, outcomes.values())) == {("whole",)}
    decoded = dict(
        query(
            run.root,
            "SELECT r.uri, p.width FROM records r JOIN pictures p ON p.payload_digest = r.payload_digest"
            " WHERE r.type = 'response'",
        )
    )
    assert decoded[f"http://pictures.{DOMAIN}/whole"] == 640
    assert f"http://pictures.{DOMAIN}/png-bomb" not in decoded
    assert f"http://pictures.{DOMAIN}/gif-bomb" not in decoded


def test_the_catalogue_says_the_same(run: Run) -> None:
    said = Counter((row["url"], row["purpose"], row["outcome"]) for row in run.rows if row["type"] == "fetch")
    assert said == Counter(query(run.root, "SELECT url, purpose, outcome FROM fetches"))


def test_verify_finds_nothing(run: Run) -> None:
    code, rows, text = archiver("verify", "--deep", str(run.root), "--json")
    assert [row for row in rows if row["type"] == "finding"] == []
    assert code == 0, text


def test_it_costs_little(run: Run) -> None:
    figures = {"MiB": run.memory >> 20, "CPU s": round(run.cpu), "s": round(run.seconds)}
    assert run.memory < MEMORY_BYTES, figures
    assert run.cpu < CPU_SECONDS, figures
