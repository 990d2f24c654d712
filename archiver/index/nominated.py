"""Pairs of pictures that the catalogue itself suggests, whatever they look like.

The forms of one picture (a proxy's copy and the publisher's own); pictures that stand beside each other in an
article; pictures whose names say that they are renditions of one. Of URLs that were captured several times,
each capture is held against the newest of the other URL that came before it. So what is suggested once stays
suggested as the archive grows.
"""

from collections.abc import Iterator

from sqlite_utils import Database

from archiver.index.rows import insert, value

BESIDE = 3  # places in an article, or among the pictures of one rendition group
_NEW = """
SELECT DISTINCT article_picture_id, 0 FROM forms JOIN fetches ON fetches.url = forms.url
WHERE fetches.id > :fetches AND fetches.id <= :last_fetch AND purpose = 'picture' AND outcome = 'whole'
  AND forms.id <= :forms
UNION SELECT DISTINCT article_picture_id, 1 FROM forms WHERE id > :forms AND id <= :last_form
ORDER BY 1
"""
_SELF = "SELECT id FROM article_pictures WHERE id = :id"
_ARTICLE = f"""
SELECT other.id FROM article_pictures AS one JOIN article_pictures AS other
    ON other.article_id = one.article_id
    AND other.number BETWEEN one.number - {BESIDE} AND one.number + {BESIDE}
WHERE one.id = :id AND other.id <> :id AND one.part = 'article' AND other.part = 'article'
"""  # noqa: S608 - our own number
_GROUP = f"""
WITH one AS (SELECT id, rendition_group FROM article_pictures WHERE id = :id AND rendition_group <> '')
SELECT * FROM (SELECT other.id FROM article_pictures AS other JOIN one USING (rendition_group)
               WHERE other.id < one.id ORDER BY other.id DESC LIMIT {BESIDE})
UNION SELECT * FROM (SELECT other.id FROM article_pictures AS other JOIN one USING (rendition_group)
               WHERE other.id > one.id ORDER BY other.id LIMIT {BESIDE})
"""  # noqa: S608
_CAPTURED = """
SELECT DISTINCT one.payload_digest, (
    SELECT other.payload_digest FROM fetches AS other
    WHERE other.url = :other AND other.purpose = 'picture' AND other.outcome = 'whole' AND other.id <= one.id
    ORDER BY other.id DESC LIMIT 1)
FROM fetches AS one
WHERE one.url = :one AND one.purpose = 'picture' AND one.outcome = 'whole' AND one.id > :since
"""


class Nominated:
    """The pairs that came up since the last time."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._fetches: int = value(db, "SELECT fetches FROM compared_forms") or 0
        self._forms: int = value(db, "SELECT forms FROM compared_forms") or 0
        self._last_fetch = value(db, "SELECT coalesce(max(id), 0) FROM fetches")
        self._last_form = value(db, "SELECT coalesce(max(id), 0) FROM forms")

    def pairs(self) -> Iterator[tuple[str, str, bool]]:
        """Payload digests of two pictures; whether they are forms of the same one."""
        since = {
            "fetches": self._fetches,
            "forms": self._forms,
            "last_fetch": self._last_fetch,
            "last_form": self._last_form,
        }
        for picture, is_new in self._db.execute(_NEW, since).fetchall():
            for query, same in ((_SELF, True), (_ARTICLE, False), (_GROUP, False)):
                for (other,) in self._db.execute(query, {"id": picture}).fetchall():
                    yield from ((one, two, same) for one, two in self._pairs(picture, other, bool(is_new)))

    def _pairs(self, picture: int, other: int, is_new: bool) -> Iterator[tuple[str, str]]:
        """What came of the forms of two pictures of articles, in both directions."""
        since = 0 if is_new else self._fetches
        for one in self._urls(picture):
            for two in self._urls(other):
                if one != two:
                    yield from self._captured(one, two, since)
                    yield from self._captured(two, one, since)

    def _captured(self, one: str, two: str, since: int) -> Iterator[tuple[str, str]]:
        found = self._db.execute(_CAPTURED, {"one": one, "other": two, "since": since}).fetchall()
        yield from ((left, right) for left, right in found if left and right and left != right)

    def _urls(self, picture: int) -> list[str]:
        sql = "SELECT DISTINCT url FROM forms WHERE article_picture_id = ? AND id <= ? ORDER BY number"
        return [row[0] for row in self._db.execute(sql, [picture, self._last_form])]

    def done(self) -> None:
        """All have been compared."""
        if (self._fetches, self._forms) != (self._last_fetch, self._last_form):
            with self._db.atomic():
                self._db.execute("DELETE FROM compared_forms")
                insert(self._db, "compared_forms", fetches=self._last_fetch, forms=self._last_form)
