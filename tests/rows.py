"""All that a catalogue says, to compare it with another."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any


def dump(path: Path, without: Collection[str] = ()) -> dict[str, list[Any]]:
    """Every row with its rowid by table, every word of every article, and the schema."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:

        def rows(sql: str) -> list[Any]:
            return connection.execute(sql).fetchall()

        schema = rows("SELECT type, name, sql FROM sqlite_master ORDER BY name")
        tables = rows("SELECT name, wr FROM pragma_table_list WHERE type = 'table'")
        kept = [(table, "*" if bare else "rowid, *") for table, bare in tables if table not in without]
        found = {table: rows(f"SELECT {columns} FROM {table}") for table, columns in kept}  # noqa: S608
        connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, article_words, instance)")
        return found | {"schema": schema, "words": rows("SELECT term, doc FROM words")}
