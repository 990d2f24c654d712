"""Articles, their pictures' forms and the captures as tables: CSV for spreadsheets, JSON Lines for others.

CSV is RFC 4180 in UTF-8 with a byte order mark, by which spreadsheets know it. A spreadsheet takes a cell
that begins with `=`, `+`, `-`, `@` or white space before those for a formula: such a text, and one that
begins with an apostrophe, gets an apostrophe before it, so that taking one away again gives the text back.
`datapackage.json` tells what the columns are (Data Package 1.0, Tabular Data Resource).
"""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from archiver.exporting.columns import TABLES, Table
from archiver.exporting.output import new_folder
from archiver.exporting.result import Exported

Kind = Literal["csv", "jsonl"]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ROWS = 500  # that are written at once
# Also the wide forms, which spreadsheets in East Asian languages take for the same (OWASP, "CSV Injection").
_FORMULA = re.compile(r"['\t\r\n]|\s*[=+\-@＝＋－＠]")
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # a terminal takes some for commands
_MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}
_TYPES = {"text": "string", "time": "string", "count": "integer", "flag": "boolean", "list": "array"}


def write_tables(db: sqlite3.Connection, articles: Iterable[int], kind: Kind, into: Path) -> Exported:
    """Write a new folder with a file for each table. UsageError when it is there, StorageError."""
    choose_articles(db, articles)
    write = _csv if kind == "csv" else _jsonl
    made = Exported()
    with new_folder(into) as folder:
        for table in TABLES:
            rows = _counted(table.rows(db), made, table.name)
            folder.write(f"{table.name}.{kind}", write(table, rows))
        folder.write("datapackage.json", _package(kind))
    return made.filled(folder.files, folder.bytes)


def choose_articles(db: sqlite3.Connection, articles: Iterable[int]) -> None:
    """Put the articles' numbers where the tables' queries find them: on disk if they are many."""
    db.execute("DROP TABLE IF EXISTS temp.chosen")
    db.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)")
    db.executemany("INSERT OR IGNORE INTO chosen VALUES (?)", ((number,) for number in articles))


def _counted(rows: Iterable[sqlite3.Row], made: Exported, table: str) -> Iterator[sqlite3.Row]:
    made.rows[table] = 0
    for row in rows:
        made.rows[table] += 1
        yield row


def _csv(table: Table, rows: Iterable[sqlite3.Row]) -> Iterator[bytes]:
    page = io.StringIO(newline="")
    out = csv.writer(page, lineterminator="\r\n")
    yield BYTE_ORDER_MARK
    out.writerow(column.name for column in table.columns)
    for number, row in enumerate(rows, 1):
        out.writerow(cell(value, column.type) for value, column in zip(row, table.columns, strict=True))
        if number % _ROWS == 0:
            yield _taken(page)
    yield _taken(page)


def _taken(page: io.StringIO) -> bytes:
    text = page.getvalue()
    page.seek(0)
    page.truncate()
    return text.encode("utf-8", "replace")


def cell(value: Any, kind: str) -> str:
    """A value as a spreadsheet may have it: nothing in it is a formula."""
    if value is None:
        return ""
    if kind == "flag":
        return "true" if value else "false"
    if kind == "count":
        return str(int(value)) if isinstance(value, int) else ""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))
    return f"'{text}" if _FORMULA.match(text) else text


def _jsonl(table: Table, rows: Iterable[sqlite3.Row]) -> Iterator[bytes]:
    for row in rows:
        values = {
            column.name: _value(value, column.type) for value, column in zip(row, table.columns, strict=True)
        }
        yield json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _value(value: Any, kind: str) -> Any:
    if kind == "flag" and value is not None:
        return bool(value)
    return value.splitlines() if kind == "list" and isinstance(value, str) else value


def _package(kind: Kind) -> bytes:
    """What the files are and what their columns say."""
    types = _TYPES | ({"list": "string"} if kind == "csv" else {})
    resources = [
        {
            "name": table.name,
            "title": table.title,
            "path": f"{table.name}.{kind}",
            "format": kind,
            "mediatype": _MEDIA_TYPES[kind],
            "encoding": "utf-8",
            **({"profile": "tabular-data-resource"} if kind == "csv" else {}),
            "schema": {
                "fields": [
                    {"name": each.name, "type": types[each.type], "description": each.description}
                    for each in table.columns
                ]
            },
        }
        for table in TABLES
    ]
    package = {"name": "archive", "profile": "data-package", "resources": resources}
    return json.dumps(package, indent=2, ensure_ascii=False).encode() + b"\n"
