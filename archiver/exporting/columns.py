"""The tables that are exported: their columns, and the queries over the chosen articles (`temp.chosen`)."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """`type`: text, time (RFC 3339, UTC), count, flag, or list (in the catalogue one item a line)."""

    name: str
    type: Literal["text", "time", "count", "flag", "list"]
    sql: str
    description: str


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    columns: tuple[Column, ...]
    source: str  # from FROM on

    def rows(self, db: sqlite3.Connection) -> Iterable[sqlite3.Row]:
        """One by one, however many there are."""
        columns = ", ".join(f"{column.sql} AS {column.name}" for column in self.columns)
        return db.execute(f"SELECT {columns} {self.source}")


_TEXT = """(SELECT group_concat(text, char(10)) FROM
 (SELECT text FROM blocks WHERE article_id = articles.id AND text <> '' ORDER BY number))"""
_PLACED = """
LEFT JOIN records ON records.id = (SELECT min(id) FROM records WHERE record_id = {})
LEFT JOIN warcs ON warcs.id = records.warc_id
"""
_WHERE = (
    Column("record_id", "text", "records.record_id", "WARC-Record-ID of the answer"),
    Column("record_type", "text", "records.type", "`response`; `revisit` where another record has the bytes"),
    Column("record_date", "time", "records.date", "WARC-Date of that record"),
    Column("record_digest", "text", "records.digest", "SHA-256 of the stored record: a leaf of the tree"),
    Column("warc", "text", "warcs.path", "the archive's file that holds the record"),
    Column("offset", "count", "records.offset", "where in that file the stored record begins, in bytes"),
    Column("length", "count", "records.length", "stored bytes of the record"),
)

ARTICLES = Table(
    "articles",
    "Every source that was read as an article",
    (
        Column("article", "count", "articles.id", "number of the article in this archive"),
        Column("kind", "text", "articles.kind", "`document`, `page` or `item` (of a feed)"),
        Column("title", "text", "articles.title", "as the source has it"),
        Column("url", "text", "articles.url", "of the article; empty where the source names none"),
        Column("given", "text", "articles.given", "what was typed to have it saved"),
        Column("language", "text", "articles.language", "as the source states it"),
        Column("authors", "list", "articles.authors", "as the source names them, one a line"),
        Column("section", "text", "articles.section", "as the source names it"),
        Column(
            "earliest",
            "time",
            "(SELECT min(value) FROM times WHERE article_id = articles.id AND picture IS NULL)",
            "the earliest time that the source claims",
        ),
        Column("archived", "time", "articles.archived", "when the source was read"),
        Column(
            "pictures",
            "count",
            "(SELECT count(*) FROM article_pictures WHERE article_id = articles.id AND part = 'article'"
            " AND unwanted = '')",
            "how many pictures belong to the article",
        ),
        Column(
            "saved",
            "count",
            "(SELECT count(DISTINCT article_pictures.id) FROM article_pictures"
            " JOIN forms ON article_picture_id = article_pictures.id JOIN fetches ON fetches.id = fetch_id"
            " JOIN pictures USING (payload_digest) WHERE article_pictures.article_id = articles.id"
            " AND part = 'article' AND unwanted = '' AND outcome = 'whole')",
            "how many of them came in at least one form",
        ),
        Column("text", "text", _TEXT, "paragraphs, headings and the rest, one after the other"),
        Column("note_id", "text", "articles.note_id", "WARC-Record-ID of what was read in the source"),
        *_WHERE,
    ),
    "FROM temp.chosen JOIN articles USING (id)"
    + _PLACED.format("articles.source_id")
    + "ORDER BY articles.id",
)

PICTURES = Table(
    "pictures",
    "Every form of every picture that an article refers to",
    (
        Column("article", "count", "article_pictures.article_id", "number of the article"),
        Column(
            "picture",
            "count",
            "article_pictures.number + 1",
            "its place in the article, from 1",
        ),
        Column("part", "text", "article_pictures.part", "`article`; `page` for menus and teasers around it"),
        Column("place", "text", "article_pictures.place", "element and attribute in which it stood"),
        Column("written", "text", "article_pictures.written", "the address as it stood there"),
        Column("alt", "text", "article_pictures.alt", "alternative text"),
        Column("caption", "text", "article_pictures.caption", "caption"),
        Column("unwanted", "text", "article_pictures.unwanted", "why it is not fetched: a pixel, an icon"),
        Column("form", "text", "forms.form", "`proxied`, `origin`, `rendition` or `memento`"),
        Column("proxy", "text", "forms.proxy", "which image proxy served it"),
        Column("url", "text", "forms.url", "of this form"),
        Column(
            "outcome",
            "text",
            "fetches.outcome",
            "what came of asking ([formats](formats.md)); empty: never asked for",
        ),
        Column("status", "count", "fetches.status", "HTTP status of the last answer"),
        Column("reason", "text", "fetches.reason", "why it is not whole"),
        Column("memento", "time", "fetches.memento", "when another archive says it captured its copy"),
        Column("format", "text", "pictures.format", "by its bytes; empty for what cannot be decoded"),
        Column("width", "count", "pictures.width", "pixels"),
        Column("height", "count", "pictures.height", "pixels"),
        Column("bytes", "count", "records.payload_bytes", "of the picture as it came"),
        Column("payload_digest", "text", "fetches.payload_digest", "SHA-256 of the picture as it came"),
        Column(
            "cluster",
            "text",
            "(SELECT cluster FROM picture_clusters WHERE payload_digest = fetches.payload_digest)",
            "the same for all pictures that are one photograph",
        ),
        *_WHERE,
    ),
    "FROM temp.chosen JOIN article_pictures ON article_pictures.article_id = chosen.id"
    " LEFT JOIN forms ON forms.article_picture_id = article_pictures.id"
    " LEFT JOIN fetches ON fetches.id = forms.fetch_id"
    " LEFT JOIN pictures ON pictures.payload_digest = fetches.payload_digest"
    + _PLACED.format("fetches.response_id")
    + "ORDER BY article_pictures.article_id, article_pictures.number, forms.number",
)

CAPTURES = Table(
    "captures",
    "Every request for those articles and their pictures, failures too",
    (
        Column("fetch", "count", "fetches.id", "number of the fetch in this archive"),
        Column("url", "text", "fetches.url", "what was asked for"),
        Column("purpose", "text", "fetches.purpose", "`page` or `picture`"),
        Column(
            "outcome",
            "text",
            "fetches.outcome",
            "what came of it ([formats](formats.md))",
        ),
        Column("started", "time", "fetches.started", "when it was asked for"),
        Column("article", "count", "fetches.article_id", "the article that wanted it first"),
        Column("form", "text", "fetches.form", "of a picture: which form"),
        Column("status", "count", "fetches.status", "HTTP status of the last answer"),
        Column("stage", "text", "fetches.stage", "where it broke, when no answer came"),
        Column("reason", "text", "fetches.reason", "why it is not whole"),
        Column("unchanged", "flag", "fetches.unchanged", "the same bytes as the time before"),
        Column("payload_digest", "text", "fetches.payload_digest", "SHA-256 of what came"),
        *_WHERE,
    ),
    "FROM (SELECT fetches.id FROM temp.chosen JOIN fetches ON fetches.article_id = chosen.id"
    " UNION SELECT fetch_id FROM temp.chosen JOIN article_pictures ON article_pictures.article_id = chosen.id"
    " JOIN forms ON forms.article_picture_id = article_pictures.id WHERE fetch_id IS NOT NULL"
    " UNION SELECT fetches.id FROM temp.chosen JOIN articles ON articles.id = chosen.id"
    " JOIN fetches ON fetches.response_id = articles.source_id) AS wanted"
    " JOIN fetches ON fetches.id = wanted.id" + _PLACED.format("fetches.response_id") + "ORDER BY fetches.id",
)

TABLES = (ARTICLES, PICTURES, CAPTURES)
