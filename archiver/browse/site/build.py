"""A site of articles: lists by date and by month, and a page for each with its pictures and records.

index.html, pages/2.html …      articles, newest first
months.html, months/2023-11.html …
articles/12.html                an article: text, pictures in all forms, times, where it lies
pictures/…, small/…             by the SHA-256 of their bytes
records/12.warc.gz              an article's records as they are stored
about.html, style.css, icon.svg, manifest.json
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archiver.browse import words
from archiver.browse.data.article import Page, grouped, load_page
from archiver.browse.data.cards import make_cards
from archiver.browse.disk.custody import custody
from archiver.browse.language import Language, language
from archiver.browse.site.pages import Pages, icon, styles
from archiver.browse.site.shelf import Shelf
from archiver.errors import RecordError
from archiver.exporting.committed import Committed
from archiver.exporting.naming import DAY_CLAIMED
from archiver.exporting.output import Folder, new_folder
from archiver.exporting.result import Exported, Report
from archiver.manifest import manifest as commitment
from archiver.sandbox import Sandbox

LISTED = 48  # articles on a page
# In order; of several sources of one address the newest document, else page, stands for all in the lists.
_CHOSEN = (
    "CREATE TEMP TABLE site_articles (id INTEGER PRIMARY KEY, day TEXT NOT NULL, listed INTEGER NOT NULL)"
)
_CHOOSE = f"""
INSERT OR IGNORE INTO temp.site_articles SELECT id, coalesce(
    (SELECT min(coalesce(value, written)) FROM times WHERE article_id = articles.id AND picture IS NULL
     AND {DAY_CLAIMED}), archived), 1 FROM articles WHERE id = ?
"""  # noqa: S608 - of the project's own text
_UNLIST = """
UPDATE temp.site_articles SET listed = 0 WHERE EXISTS (SELECT 1 FROM articles AS this
    CROSS JOIN articles AS other ON other.url = this.url
    CROSS JOIN temp.site_articles AS chosen ON chosen.id = other.id
    WHERE this.id = temp.site_articles.id
    AND (other.kind < this.kind OR other.kind = this.kind AND other.id > this.id))
"""
_MONTHS = """
SELECT substr(day, 1, 7) AS month, count(*) AS count FROM temp.site_articles
WHERE listed = 1 AND day GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-*' GROUP BY month ORDER BY month DESC
"""
_LIST = """
SELECT articles.* FROM temp.site_articles AS chosen CROSS JOIN articles USING (id)
WHERE listed = 1 AND day >= :month AND day < :month || '~'
ORDER BY day DESC, chosen.id DESC LIMIT :most OFFSET :skip
"""
_COUNT = "SELECT count(*) FROM temp.site_articles WHERE listed = 1 AND day >= :month AND day < :month || '~'"


@dataclass(frozen=True)
class Wishes:
    """How the site is made. `name`: what it is called; `records`: whether records are given away."""

    name: str = ""
    tag: str = "en"
    records: bool = True


def write_site(
    root: Path,
    db: sqlite3.Connection,
    articles: Iterable[int],
    into: Path,
    *,
    wishes: Wishes,
    report: Report,
) -> Exported:
    """Write a new folder. UsageError when `into` is there, StorageError, ManifestError."""
    with new_folder(into) as folder, Sandbox() as sandbox:
        committed, spoken = Committed(root), language(wishes.tag)
        shelf = Shelf(committed, db, folder, sandbox)
        name = wishes.name or words.plain(committed.root.name)
        pages = Pages(spoken, archive=name, origin=committed.manifest.origin)
        site = _Site(db, folder, shelf, pages, spoken=spoken, report=report, records=wishes.records)
        _choose(db, articles)
        site.articles(committed)
        site.lists()
        _about(folder, pages, committed, site.made)
        return site.made.filled(folder.files, folder.bytes)


def _choose(db: sqlite3.Connection, articles: Iterable[int]) -> None:
    db.execute("DROP TABLE IF EXISTS temp.site_articles")
    db.execute(_CHOSEN)
    db.executemany(_CHOOSE, ((number,) for number in articles))
    db.execute(_UNLIST)
    db.execute("CREATE INDEX temp.site_articles_by_day ON site_articles (listed, day DESC, id DESC)")


def _about(folder: Folder, pages: Pages, committed: Committed, made: Exported) -> None:
    manifest = committed.manifest
    folder.write("style.css", styles())
    folder.write("icon.svg", icon())
    folder.write(commitment.NAME, commitment.encode(manifest))
    folder.write(
        "about.html",
        pages.render(
            "site_about.html",
            "",
            tree=manifest.tree,
            made=made,
            when=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        ),
    )


class _Site:
    """Writes pages, and remembers which articles and pictures have one."""

    def __init__(
        self,
        db: sqlite3.Connection,
        folder: Folder,
        shelf: Shelf,
        pages: Pages,
        *,
        spoken: Language,
        report: Report,
        records: bool,
    ) -> None:
        self._db, self._folder, self._shelf, self._pages = db, folder, shelf, pages
        self._language, self._report, self._records = spoken, report, records
        self.made = Exported()

    def articles(self, committed: Committed) -> None:
        """A page for each that was chosen."""
        for (number,) in self._db.execute("SELECT id FROM temp.site_articles ORDER BY id"):
            page = load_page(self._db, number, self._language)
            if page is not None:
                self._article(committed, page)

    def _article(self, committed: Committed, page: Page) -> None:
        number = page.card.id
        wrong = self._shelf.put_pictures(page)
        records, count = "", 0
        if self._records:
            try:
                records, count = self._shelf.put_records(number)
            except RecordError as error:
                wrong.append(str(error))
        for reason in dict.fromkeys(wrong):
            self._problem(number, page.url, reason)
        self._shelf.small_of(page.card.lead)
        context = {
            "page": page,
            "card": page.card,
            "groups": grouped(page),
            "files": self._shelf.pictures,
            "damaged": self._shelf.damaged,
            "records": records,
            "count": count,
            "wrong": list(dict.fromkeys(wrong)),
            "custody": custody(committed.root, page.source.warc) if page.source else None,
            "related": [card for card in page.related if self._has(card.id)],
        }
        self._folder.write(
            f"articles/{number}.html", self._pages.render("site_article.html", "../", **context)
        )
        self.made.articles += 1
        self.made.pictures = len(self._shelf.pictures)

    def _has(self, number: int) -> bool:
        return (
            self._db.execute("SELECT 1 FROM temp.site_articles WHERE id = ?", (number,)).fetchone()
            is not None
        )

    def _problem(self, article: int, url: str, reason: str) -> None:
        problem = {"type": "damaged", "article": article, "url": url, "reason": reason}
        self.made.count(problem)
        self._report(problem)

    def lists(self) -> None:
        """All of them, each month of them, and the months."""
        self._lists("", "index.html", "pages/")
        months = self._db.execute(_MONTHS).fetchall()
        for month, _ in months:
            self._lists(month, f"months/{month}.html", f"months/{month}-")
        listed = [(month, count, f"months/{month}.html") for month, count in months]
        self._folder.write("months.html", self._pages.render("site_months.html", "", months=listed))

    def _lists(self, month: str, first: str, stem: str) -> None:
        """The pages of one list: the first by its name, the others by what theirs begin with."""
        (total,) = self._db.execute(_COUNT, {"month": month}).fetchone()
        last = max(1, -(-total // LISTED))
        names = {1: first} | {number: f"{stem}{number}.html" for number in range(2, last + 1)}
        for number, name in names.items():
            values = {"month": month, "most": LISTED, "skip": (number - 1) * LISTED}
            cards = make_cards(self._db, self._db.execute(_LIST, values).fetchall(), self._language.say)
            context = {
                "cards": cards,
                "total": total,
                "month": month,
                "newer": names.get(number - 1),
                "older": names.get(number + 1),
                "number": number,
                "last": last,
                "small": {card.lead: self._shelf.small_of(card.lead) for card in cards},
                "damaged": self._shelf.damaged,
            }
            up = "../" if "/" in name else ""
            self._folder.write(name, self._pages.render("site_articles.html", up, **context))
