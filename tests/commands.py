"""Commands of the archiver, run as a person runs them, and what an archive then holds."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from archiver.cli import main


def archiver(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; exit code, JSON rows, people's text."""
    done = subprocess.run(
        [sys.executable, "-m", "archiver", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()] if "--json" in arguments else []
    text = done.stderr.decode() if "--json" in arguments else done.stdout.decode() + done.stderr.decode()
    assert "Traceback" not in text
    return done.returncode, rows, text


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
