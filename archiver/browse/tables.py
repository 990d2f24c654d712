"""What Datasette's own pages say about the catalogue: titles, descriptions, order, facets."""

from typing import Any

from markupsafe import Markup

_SIZE = 20  # rows a page: thumbnails are tall
_TABLES: dict[str, dict[str, Any]] = {
    "articles": {
        "title": "Articles",
        "description": "Each source that was read as an article: a mirror document, a page or a feed's item.",
        "sort_desc": "id",
        "label_column": "title",
        "fts_table": "article_words",
        "fts_pk": "id",
    },
    "passages": {
        "title": "Passages",
        "description": "What of each article is searched."
        " article_words MATCH search_query('…') finds articles.",
    },
    "listings": {
        "title": "Listings",
        "description": "Each source that names others: a feed, a sitemap, OPML, a list, or a section page.",
        "sort_desc": "id",
        "label_column": "title",
    },
    "links": {"title": "Links of listings", "description": "What the listings name, in their order."},
    "text_comparisons": {
        "title": "Comparisons of texts",
        "description": "A mirror's text beside the captured page's: how many paragraphs of the page are the"
        " same, changed or missing there, and how many are added.",
    },
    "article_pictures": {
        "title": "Pictures of articles",
        "description": "Each picture as an article refers to it: as written, as a browser resolves it,"
        " and where it stood.",
    },
    "forms": {
        "title": "Forms of pictures",
        "description": "Each URL under which a picture can be had. Rows with the same article_picture_id"
        " relate the proxy's copy to the publisher's own.",
    },
    "fetches": {
        "title": "Fetches",
        "description": "Each URL that was asked for, and what came of it.",
        "facets": ["outcome"],
        "sort_desc": "id",
    },
    "runs": {
        "title": "Runs",
        "description": "Each run of the archive command: when, how it ended, and what came of its URLs.",
        "sort_desc": "id",
        "label_column": "started",
    },
    "hops": {
        "title": "Hops",
        "description": "Each request on the way from a URL to its last answer.",
    },
    "pictures": {
        "title": "Pictures",
        "description": "Each picture once, by the SHA-256 of its bytes.",
    },
    "picture_pairs": {
        "title": "Pairs of pictures",
        "description": "How two pictures are related, by their pixels, and what that rests on.",
        "facets": ["relation"],
    },
    "picture_clusters": {
        "title": "Clusters of pictures",
        "description": "Which pictures are one photograph: those with the same cluster.",
    },
    "picture_marks": {
        "title": "Marks on pictures",
        "description": "Where a person says that two pictures are not the same, or takes that back.",
        "sort_desc": "id",
    },
    "compared_pictures": {
        "title": "Compared pictures",
        "description": "Each picture that has been compared with those before it, or why it could not be.",
    },
    "records": {
        "title": "Records",
        "description": "Each WARC record, and where it lies: file, offset and length of its gzip member.",
        "facets": ["type"],
        "sort": "id",
    },
    "unreadable_sources": {
        "title": "Unreadable sources",
        "description": "Each source that is kept, but could not be read as an article, and why.",
    },
    "times": {
        "title": "Claimed times",
        "description": "Each time that somebody claims, with its clock, as written and as understood.",
    },
    "picture_hashes": {
        "title": "Hashes of pictures",
        "description": "Perceptual hashes, under each label: for finding, never for proving."
        " hamming(a, b) counts the bits in which two of them differ.",
        "facets": ["label"],
    },
    "blocks": {"title": "Text", "description": "The text of articles in reading order."},
    "warcs": {"title": "WARC files", "description": "The files of this archive.", "label_column": "path"},
    "duplicates": {"title": "Duplicates", "description": "Equal bytes that came from several requests."},
    "failures": {
        "title": "Failures",
        "description": "Every fetch that did not end in a whole answer.",
        "sort_desc": "id",
    },
}


def metadata(database: str, articles: str) -> dict[str, Any]:
    """Datasette metadata for the catalogue; `articles` is the address of our own list."""
    words = Markup('The tables behind <a href="{}">the articles</a>, derived from the WARC files.').format(
        articles
    )
    tables = {name: {"size": _SIZE, **about} for name, about in _TABLES.items()}
    about = {"title": "Catalogue", "description_html": str(words), "tables": tables}
    return {"title": "News archive", "databases": {database: about}}
