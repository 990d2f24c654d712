"""Commands of the archiver, run as a person runs them, and what an archive then holds."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from forked import Forks

from archiver.cli import main


@cache
def _forks() -> Forks:
    return Forks()


def close() -> None:
    """End what commands were forked from."""
    if _forks.cache_info().currsize:
        with _forks():
            _forks.cache_clear()


def archiver(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    """Run the command in a process of its own; exit code, JSON rows, people's text."""
    return _read(arguments, *_forks().run(*arguments, stdin=stdin))


def started(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    """The same as a person runs it, with all that takes: Python is started and loads what is needed."""
    done = subprocess.run(
        [sys.executable, "-m", "archiver", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return _read(arguments, done.returncode, done.stdout, done.stderr)


def _read(
    arguments: tuple[str, ...], code: int, out: bytes, err: bytes
) -> tuple[int, list[dict[str, Any]], str]:
    rows = [json.loads(line) for line in out.decode().splitlines()] if "--json" in arguments else []
    text = err.decode() if "--json" in arguments else out.decode() + err.decode()
    assert "Traceback" not in text
    return code, rows, text


def within(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """The same in this process, which is quicker; what it starts is real all the same."""
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    rows = [json.loads(line) for line in done.stdout.splitlines()] if "--json" in arguments else []
    return done.exit_code, rows, done.stderr if "--json" in arguments else done.stdout + done.stderr


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(root / "catalogue.db")) as connection:
        return connection.execute(sql).fetchall()


def records(root: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(root.glob("warcs/*.records.jsonl"))
        for line in path.read_text().splitlines()
    ]
