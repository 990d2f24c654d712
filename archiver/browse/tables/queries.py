"""Questions that people ask of an archive, ready to run: Datasette's stored ("canned") queries."""

from typing import NamedTuple


class Query(NamedTuple):
    """`sql` may have `:names`, for which Datasette shows fields."""

    title: str
    description: str
    sql: str


QUERIES = {
    "contradicting_times": Query(
        "Articles whose times contradict",
        "Claimed times of one article that lie more than a day apart, the widest first.",
        """
SELECT articles.id AS article_id, articles.title, min(times.value) AS earliest, max(times.value) AS latest,
       round(julianday(max(times.value)) - julianday(min(times.value)), 1) AS days
FROM times JOIN articles ON articles.id = times.article_id
WHERE times.picture IS NULL AND times.value IS NOT NULL
GROUP BY times.article_id HAVING days > 1 ORDER BY days DESC LIMIT 200""",
    ),
    "articles_with": Query(
        "Articles with some words",
        "As the search page finds them: any language, 上海 芯片 for both, a phrase in quotation marks.",
        """
SELECT id, title, archived FROM articles
WHERE id IN (SELECT rowid FROM article_words WHERE article_words MATCH search_query(:words))
  AND search_found(:words, (SELECT json_group_array(text) FROM passages WHERE article_id = articles.id))
ORDER BY id DESC LIMIT 20""",
    ),
    "hosts_that_fail": Query(
        "Hosts from which something is missing",
        "How many fetches of each came to nothing, the most first.",
        """
SELECT key AS host, sum(number) AS fetches, sum(number) FILTER (WHERE outcome <> 'whole') AS not_whole
FROM tallies WHERE of = 'fetches-by-host' GROUP BY key HAVING not_whole > 0
ORDER BY not_whole DESC LIMIT 200""",
    ),
    "captured_on": Query(
        "Everything captured on a day",
        "Records of one day (UTC), as 2026-11-23.",
        """
SELECT records.id, date, type, uri, status, payload_bytes, record_id FROM records
WHERE date >= :day AND date < date(:day, '+1 day') ORDER BY date LIMIT 1000""",
    ),
    "shared_pictures": Query(
        "Pictures used by several articles",
        "The same bytes in more than one article, the most used first.",
        """
SELECT fetches.payload_digest, count(DISTINCT article_pictures.article_id) AS articles, min(forms.url) AS url
FROM forms CROSS JOIN fetches ON fetches.id = forms.fetch_id AND fetches.outcome = 'whole'
CROSS JOIN article_pictures ON article_pictures.id = forms.article_picture_id
GROUP BY fetches.payload_digest HAVING articles > 1
ORDER BY articles DESC LIMIT 100""",
    ),
    "proxy_differs": Query(
        "Pictures that the proxy did not merely re-encode",
        "The proxy's copy beside the publisher's own, where the pixels say more than another encoding.",
        """
SELECT one.article_picture_id, a.payload_digest AS published, b.payload_digest AS proxied,
       picture_pairs.relation, picture_pairs.reason
FROM picture_pairs
JOIN fetches AS a ON a.payload_digest IN (picture_pairs.first, picture_pairs.second)
JOIN forms AS one ON one.fetch_id = a.id AND one.form = 'origin'
JOIN forms AS other ON other.article_picture_id = one.article_picture_id AND other.form = 'proxied'
JOIN fetches AS b ON b.id = other.fetch_id
    AND b.payload_digest IN (picture_pairs.first, picture_pairs.second)
    AND b.payload_digest <> a.payload_digest
WHERE picture_pairs.relation NOT IN ('same-pixels', 're-encoded') LIMIT 200""",
    ),
    "look_alikes": Query(
        "Pictures that are nearly the same",
        "Pairs which are linked and not merged: changed in places, edited, or taken a moment apart.",
        """
SELECT first, second, relation, blocks, reason FROM picture_pairs
WHERE relation IN ('locally-changed', 'edited-or-neighbouring') LIMIT 200""",
    ),
    "never_got": Query(
        "URLs that never came",
        "Asked for, perhaps more than once, and nothing whole has come.",
        """
SELECT url, count(*) AS tries, max(started) AS last, outcome, status, reason FROM failures
WHERE NOT EXISTS (SELECT 1 FROM fetches WHERE fetches.url = failures.url AND outcome = 'whole')
GROUP BY url ORDER BY last DESC LIMIT 500""",
    ),
    "gone_elsewhere": Query(
        "Pictures that only another archive had",
        "What neither the proxy nor the publisher served any more.",
        """
SELECT article_id, original, url AS memento_url, memento, payload_digest
FROM fetches WHERE form = 'memento' AND outcome = 'whole' ORDER BY id DESC LIMIT 200""",
    ),
    "changed_texts": Query(
        "Mirrors that differ from their page",
        "Paragraphs changed, missing or added in the mirror's text, the most first.",
        """
SELECT document_id, page_id, changed, missing, added, same FROM text_comparisons
WHERE changed + missing + added > 0 ORDER BY changed + missing + added DESC LIMIT 200""",
    ),
    "largest_records": Query(
        "The largest payloads",
        "What takes the room.",
        "SELECT id, uri, mime, payload_bytes, date FROM records ORDER BY payload_bytes DESC LIMIT 50",
    ),
    "camera_times": Query(
        "When pictures were taken, as their files say",
        "Anybody can write these: claims, not proofs.",
        """
SELECT payload_digest, clock, written, value FROM picture_times ORDER BY value DESC LIMIT 200""",
    ),
    "metadata_of_pictures": Query(
        "Pictures by what their files say",
        "Search the values of EXIF, IPTC and XMP entries of one name, as Artist, Copyright or Model.",
        """
SELECT payload_digest, grp, name, value FROM picture_metadata
WHERE name = :name AND value LIKE '%' || :words || '%' LIMIT 200""",
    ),
    "near_hash": Query(
        "Pictures near a pHash",
        "Within so many bits of 64 of a perceptual hash: for finding, never for proving.",
        """
SELECT payload_digest, value, hamming(value, :phash) AS bits FROM picture_hashes
WHERE label LIKE 'phash64/%' AND bits <= cast(:bits AS INTEGER) ORDER BY bits LIMIT 100""",
    ),
    "intact_records": Query(
        "Are a URL's records intact?",
        "Reads each stored member again and compares it with the digest it was archived with.",
        """
SELECT id, date, type, status, record_ok(record_id) AS intact, record_id FROM records
WHERE uri = :url ORDER BY date LIMIT 50""",
    ),
    "record_at": Query(
        "Which record lies at an offset?",
        "Of a WARC file, as 'warcs/….warc.gz'.",
        """
SELECT records.id, records.type, records.uri, records.offset, records.length, records.digest
FROM records JOIN warcs ON warcs.id = records.warc_id
WHERE warcs.path = :path AND records.offset <= cast(:offset AS INTEGER)
  AND records.offset + records.length > cast(:offset AS INTEGER)""",
    ),
    "versions": Query(
        "Articles that were captured more than once",
        "The same URL at different times, the most often first.",
        """
SELECT url, count(*) AS versions, min(archived) AS first, max(archived) AS last, max(id) AS article_id
FROM articles WHERE url IS NOT NULL GROUP BY url HAVING versions > 1 ORDER BY versions DESC LIMIT 200""",
    ),
}
