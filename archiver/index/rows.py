"""Rows into the catalogue, one or many: plain SQL, since this is done for every record."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlite_utils import Database

# Of a row of `warcs`: whether it is a file of others, or ours. What is written here rests on ours alone.
IMPORTED, OURS = "path GLOB 'imports/*'", "path NOT GLOB 'imports/*'"


def insert(db: Database, table: str, **row: Any) -> int:
    """Insert a row; its id."""
    return int(db.execute(_sql(table, tuple(row)), list(row.values())).lastrowid or 0)


def insert_all(db: Database, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    listed = list(rows)
    if listed:
        db.conn.executemany(_sql(table, tuple(listed[0])), [list(row.values()) for row in listed])


def value(db: Database, sql: str, *parameters: Any) -> Any:
    """The first column of the first row; None when there is none."""
    row = db.execute(sql, list(parameters)).fetchone()
    return row[0] if row else None


@cache
def _sql(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of this package
