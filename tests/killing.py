"""Runs of the real command that are killed, and what must hold of the archive and of the site after each."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from forked import Forked, Forks
from resume_site import REPEATED, Site, sources

from archiver import journal
from archiver.archive import Archive
from archiver.digests import file_digest
from archiver.index import catalogue
from archiver.manifest import recordlist
from archiver.model import Finding
from archiver.sandbox import Sandbox
from archiver.verify import Verification

COMMAND = str(Path(sys.executable).with_name("archiver"))
PEERS = Path(__file__).parents[1] / ".venv-peers/bin"
Rows = list[dict[str, Any]]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def read(process: subprocess.Popen[str] | Forked, fetches: int | None = None) -> Rows:
    """What a command says up to so many fetches, or all; a line that a kill cut short says nothing."""
    assert process.stdout
    said: Rows = []
    while fetches is None or sum(row["type"] == "fetch" for row in said) < fetches:
        line = process.stdout.readline()
        if not line.endswith("\n"):
            break
        said.append(json.loads(line))
    return said


def record_ids(said: Rows) -> set[str]:
    """The records that the acknowledged fetches name."""
    keys = ("request", "response", "certificates")
    return {hop[key] for row in said for hop in row.get("hops", ()) for key in keys if hop.get(key)}


def last_words(said: Rows) -> set[str]:
    """The URLs, with those that they redirect to, of which the run has nothing more to ask."""
    final = [row for row in said if row["type"] == "fetch" and row.get("retry") is None]
    asked = [row for row in final if row["outcome"] != "skipped" and row["purpose"] != "robots"]
    return {row["url"] for row in asked} | {hop["url"] for row in asked for hop in row.get("hops", ())}


def listed_ids(root: Path) -> set[str]:
    lists = [root / warc.list.path for warc in Archive(root).manifest().warcs]
    return {entry.id for path in lists for entry in recordlist.read(path)}


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(root / catalogue.NAME)) as connection:
        return connection.execute(sql).fetchall()


def heal(root: Path, sandbox: Sandbox) -> None:
    """What `archiver rebuild` does, with a sandbox that is open already."""
    archive = Archive(root)
    with archive.lock("rebuild"):
        archive.heal()
        catalogue.rebuild(root, [warc.path for warc in archive.manifest().warcs], sandbox)


def findings(root: Path, sandbox: Sandbox | None) -> list[Finding]:
    """What the check says; with a sandbox, that of --deep."""
    return list(Verification(root, thorough=sandbox is not None, sandbox=sandbox).findings())


def sealed_files(root: Path) -> dict[str, str]:
    """By name, the digest of each file in warcs/ that is not being written."""
    return {path.name: file_digest(path)[1] for path in root.glob("warcs/*") if path.suffix != ".open"}


def words(root: Path) -> set[tuple[str, str]]:
    """Each URL with a last word on it."""
    return set(
        query(
            root,
            "SELECT url, outcome FROM fetches WHERE retry IS NULL AND outcome <> 'skipped'"
            " AND purpose <> 'robots'",
        )
    )


_FASTWARC = """
import sys
from fastwarc.cli import main

for path in sys.argv[1:]:
    try:
        main(["check", path])
    except SystemExit as end:
        if end.code:
            sys.exit(f"{path}: {end.code}")
"""


def peers_accept(root: Path) -> None:
    """Other people's tools find nothing wrong in the sealed files, where they are installed."""
    warcs = sorted(root.glob("warcs/*.warc.gz"))
    for command in (["warcio", "check"], ["python", "-c", _FASTWARC]) if PEERS.exists() else ():
        done = subprocess.run(
            [PEERS / command[0], *command[1:], *warcs], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)


class Chain:
    """One archive through many kills: the same command again and again."""

    def __init__(self, command: list[str], site: Site, seed: int, *, sandbox: Sandbox, forks: Forks) -> None:
        """`command`: `archive` with its arguments, the folder last."""
        self.root, self._site, self._sandbox, self._forks = Path(command[-1]), site, sandbox, forks
        self._command = [*command, "--json", *site.flags]
        self._seed, self._dice = seed, random.Random(seed)
        self.kills = self.ended = 0  # ended: runs, as their records note it
        self.acknowledged: set[str] = set()  # record ids
        self.done: set[str] = set()  # URLs of which the run that is going on has said its last word
        self._sealed: dict[str, str] = {}

    def step(self) -> None:
        """Run, kill at some moment, and check."""
        before = len(self._site.asked)
        said, code = self._killed()
        self._site.settle()
        asked = [url for url in self._site.log(before) if not url.endswith("/robots.txt")]
        where = f"kill {self.kills}, seed {self._seed}"
        again = self.done & set(asked)
        assert not again, f"{where}: acknowledged and asked again: {sorted(again)}"
        twice = [
            url for url, count in Counter(asked).items() if count > 1 and url.split("/")[3] not in REPEATED
        ]
        assert not twice, f"{where}: asked twice in one run: {twice}"
        self.acknowledged |= record_ids(said)
        self.done |= last_words(said)
        self._over(code, self._check())

    def _killed(self) -> tuple[Rows, int]:
        """What a run said until it was killed after some lines or some time, and how it ended."""
        with self._forks.start(*self._command) as process:
            said = []
            if self._dice.random() < 0.7:
                said = read(process, self._dice.randrange(1, 7))
                time.sleep(self._dice.random() / 30)
            else:
                time.sleep(self._dice.uniform(0, 1))
            process.kill()
            said += read(process)
            errors = process.stderr.read()
        assert "Traceback" not in errors, errors
        code = process.returncode
        assert code in (-signal.SIGKILL, 0, 3), errors
        self.kills += code == -signal.SIGKILL
        return said, code

    def _check(self) -> int:
        """Heal, in place or in a copy, so that half of the archives are healed by the next run.

        How many runs came to their end, by their records.
        """
        if not (self.root / "manifest.json").exists():
            assert not self.acknowledged
            return 0
        damage = [each for each in findings(self.root, None) if each.verdict != "unverifiable"]
        assert not damage, damage
        here = self.root
        if self._dice.random() < 0.5:
            here = Path(shutil.copytree(self.root, self.root.with_name(f"copy-{self.kills}")))
        heal(here, self._sandbox)
        assert not findings(here, self._sandbox)
        lost = self.acknowledged - listed_ids(here)
        assert not lost, lost
        ((ends,),) = query(here, "SELECT count(*) FROM runs WHERE interrupted = 0")
        fresh = sealed_files(here)
        for name, sealed in self._sealed.items():
            assert fresh[name] == sealed, name
        if here != self.root:
            shutil.rmtree(here)
        self._sealed = sealed_files(self.root)
        return int(ends)

    def _over(self, code: int, ends: int) -> None:
        """Whether the run came to its end: then the next is another, which may ask for everything anew."""
        if ends > self.ended:
            assert ends == self.ended + 1
            self.ended, self.done = ends, set()
            return
        assert code == -signal.SIGKILL
        assert not self.done or (self.root / journal.NAME).exists(), "forgotten, and it had not ended"

    def finish(self) -> None:
        """The same command once more, as a person starts it, to its end."""
        before = len(self._site.asked)
        with start(*self._command) as process:
            said = read(process)
        again = self.done & set(self._site.log(before))
        assert not again, again
        self.acknowledged |= record_ids(said)
        ended = self.ended
        self._over(process.returncode, self._check())
        assert self.ended == ended + 1
        peers_accept(self.root)


def killed_many_times(folder: Path, seed: int, kills: int, options: list[str]) -> None:
    """So many kills in one archive. After each, nothing acknowledged is lost, damaged or asked for again."""
    with Site() as site, Sandbox() as sandbox, Forks() as forks:
        given = sources(folder / "given", 6)
        command = ["archive", *given, *options, "--into", str(folder / "archive")]
        chain = Chain(command, site, seed, sandbox=sandbox, forks=forks)
        while chain.kills < kills:
            chain.step()
        chain.finish()
        with start("archive", *given, "--into", str(folder / "whole"), *options, *site.flags) as whole:
            whole.communicate()
        assert whole.returncode == 3
        assert words(chain.root) == words(folder / "whole")
