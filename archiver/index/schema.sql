-- The catalogue: derived from WARC by the one reader, disposable (docs/catalogue.md).
PRAGMA application_id = 0x41724376;  -- "ArCv"
PRAGMA user_version = 7;

-- One run of `archiver archive`; `ended` is NULL for one that was cut off, or goes on.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL,
    ended TEXT,
    interrupted INTEGER,
    complete INTEGER,
    sources TEXT NOT NULL,
    robots TEXT NOT NULL,
    outcomes TEXT NOT NULL,
    note_id TEXT
);

CREATE TABLE warcs (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    run_id INTEGER REFERENCES runs(id),
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);

-- One file of others that was taken in, when all notes on what it holds are there.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    given TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    digest TEXT NOT NULL,
    kind TEXT NOT NULL,
    stored TEXT NOT NULL,
    transcript TEXT NOT NULL,
    records INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    passed_over INTEGER NOT NULL,
    software TEXT NOT NULL,
    title TEXT NOT NULL,
    main_page TEXT NOT NULL,
    hashes TEXT,
    signature TEXT,
    signer TEXT NOT NULL,
    signed TEXT,
    proof TEXT,
    imported TEXT NOT NULL,
    note_id TEXT NOT NULL UNIQUE
);

CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    warc_id INTEGER NOT NULL REFERENCES warcs(id),
    number INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    digest TEXT NOT NULL,
    type TEXT NOT NULL,
    record_id TEXT NOT NULL,
    date TEXT NOT NULL,
    uri TEXT,
    refers_to TEXT,
    status INTEGER,
    mime TEXT,
    payload_digest TEXT,
    payload_bytes INTEGER,
    truncated TEXT,
    unreadable TEXT
);
CREATE INDEX records_by_record_id ON records(record_id);
CREATE INDEX records_by_uri ON records(uri, type);
CREATE INDEX records_by_payload ON records(payload_digest, type);
CREATE INDEX records_by_type ON records(type);
CREATE INDEX records_by_refers_to ON records(refers_to);

-- The payload digests that imported responses claim, as `algorithm:value`: what revisits of others name.
CREATE TABLE claimed_digests (
    claimed TEXT NOT NULL,
    record INTEGER NOT NULL REFERENCES records(id)
);
CREATE INDEX claimed_digests_by_claimed ON claimed_digests(claimed);

CREATE TABLE pictures (
    payload_digest TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    kind TEXT NOT NULL
);

-- Under each label that was committed with the picture, and the one of the libraries that made this row.
CREATE TABLE picture_hashes (
    payload_digest TEXT NOT NULL REFERENCES pictures(payload_digest),
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    quality INTEGER,
    PRIMARY KEY (payload_digest, label)
);
CREATE INDEX picture_hashes_by_value ON picture_hashes(value);

-- What a picture's file says of itself: EXIF, IPTC, XMP, its colour profile (docs/pictures.md).
CREATE TABLE picture_metadata (
    payload_digest TEXT NOT NULL REFERENCES pictures(payload_digest),
    number INTEGER NOT NULL,
    grp TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (payload_digest, number)
);
CREATE INDEX picture_metadata_by_name ON picture_metadata(name, grp);

-- The times among it.
CREATE TABLE picture_times (
    payload_digest TEXT NOT NULL REFERENCES pictures(payload_digest),
    clock TEXT NOT NULL,
    written TEXT NOT NULL,
    value TEXT
);
CREATE INDEX picture_times_by_picture ON picture_times(payload_digest);

CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    url TEXT,
    kind TEXT NOT NULL,
    given TEXT NOT NULL,
    language TEXT NOT NULL,
    authors TEXT NOT NULL,
    section TEXT NOT NULL,
    reader TEXT NOT NULL,
    archived TEXT NOT NULL,
    left_out TEXT NOT NULL,
    note_id TEXT NOT NULL UNIQUE,
    source_id TEXT NOT NULL
);
CREATE INDEX articles_by_url ON articles(url, kind);
CREATE INDEX articles_by_archived ON articles(archived);
CREATE INDEX articles_by_given ON articles(given);
CREATE INDEX articles_by_source ON articles(source_id);

CREATE TABLE listings (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    given TEXT NOT NULL,
    archived TEXT NOT NULL,
    left_out TEXT NOT NULL,
    note_id TEXT NOT NULL UNIQUE,
    source_id TEXT NOT NULL
);

CREATE INDEX listings_by_given ON listings(given);

CREATE TABLE links (
    listing_id INTEGER NOT NULL REFERENCES listings(id),
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    modified TEXT NOT NULL,
    PRIMARY KEY (listing_id, number)
);
CREATE INDEX links_by_url ON links(url);

CREATE TABLE unreadable_sources (
    id INTEGER PRIMARY KEY,
    given TEXT NOT NULL,
    reason TEXT NOT NULL,
    archived TEXT NOT NULL,
    note_id TEXT NOT NULL UNIQUE,
    source_id TEXT NOT NULL
);
CREATE INDEX unreadable_sources_by_source ON unreadable_sources(source_id);

CREATE TABLE blocks (
    article_id INTEGER NOT NULL REFERENCES articles(id),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    picture INTEGER,
    PRIMARY KEY (article_id, number)
);

CREATE TABLE times (
    article_id INTEGER NOT NULL REFERENCES articles(id),
    picture INTEGER,
    clock TEXT NOT NULL,
    written TEXT NOT NULL,
    value TEXT
);
CREATE INDEX times_by_article ON times(article_id);

CREATE TABLE fetches (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    host TEXT,
    purpose TEXT NOT NULL,
    outcome TEXT NOT NULL,
    started TEXT NOT NULL,
    run_id INTEGER REFERENCES runs(id),
    unchanged INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    retry REAL,
    article_id INTEGER REFERENCES articles(id),
    form TEXT,
    original TEXT,
    memento TEXT,
    referer TEXT,
    stage TEXT,
    reason TEXT NOT NULL,
    status INTEGER,
    response_id TEXT,
    payload_digest TEXT,
    imported INTEGER NOT NULL DEFAULT 0,
    note_id TEXT NOT NULL UNIQUE
);
CREATE INDEX fetches_by_url ON fetches(url, purpose, outcome);
CREATE INDEX fetches_by_response ON fetches(response_id);
CREATE INDEX fetches_by_run ON fetches(run_id, url, purpose);
CREATE INDEX fetches_by_outcome ON fetches(outcome);
CREATE INDEX fetches_by_article ON fetches(article_id);
CREATE INDEX fetches_by_host ON fetches(host, outcome);

-- Counted as rows come in, so that nobody has to scan them: how many there are `of` what.
CREATE TABLE tallies (
    of TEXT NOT NULL,
    key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (of, key, outcome)
);

CREATE TABLE hops (
    fetch_id INTEGER NOT NULL REFERENCES fetches(id),
    number INTEGER NOT NULL,
    url TEXT NOT NULL,
    attempt TEXT NOT NULL,
    status INTEGER,
    request_id TEXT,
    response_id TEXT,
    PRIMARY KEY (fetch_id, number)
);
CREATE INDEX hops_by_response ON hops(response_id);

CREATE TABLE article_pictures (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES articles(id),
    number INTEGER NOT NULL,
    written TEXT NOT NULL,
    url TEXT NOT NULL,
    place TEXT NOT NULL,
    part TEXT NOT NULL,
    alt TEXT NOT NULL,
    caption TEXT NOT NULL,
    unwanted TEXT NOT NULL,
    rendition_family TEXT,
    rendition_group TEXT,
    rendition_area TEXT,
    rendition_width INTEGER,
    rendition_height INTEGER,
    rendition_master TEXT,
    UNIQUE (article_id, number)
);
CREATE INDEX article_pictures_by_group ON article_pictures(rendition_group);

-- A mirror's text (of a document or of a feed's item) beside the newest captured page of the same
-- article: numbers of paragraphs.
CREATE TABLE text_comparisons (
    document_id INTEGER PRIMARY KEY REFERENCES articles(id),
    page_id INTEGER NOT NULL REFERENCES articles(id),
    same INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    added INTEGER NOT NULL
);
CREATE INDEX text_comparisons_by_page ON text_comparisons(page_id);

-- One row for each URL under which a picture of an article can be had; a pair of rows with the
-- same article_picture_id relates the proxy's copy to the publisher's own.
CREATE TABLE forms (
    id INTEGER PRIMARY KEY,
    article_picture_id INTEGER NOT NULL REFERENCES article_pictures(id),
    number INTEGER NOT NULL,
    form TEXT NOT NULL,
    proxy TEXT,
    url TEXT NOT NULL,
    fetch_id INTEGER REFERENCES fetches(id)
);
CREATE INDEX forms_by_url ON forms(url);
CREATE INDEX forms_by_picture ON forms(article_picture_id);
CREATE INDEX forms_by_fetch ON forms(fetch_id);

-- A person's word on two pictures; the newest on a pair counts. `first` is the smaller digest.
CREATE TABLE picture_marks (
    id INTEGER PRIMARY KEY,
    first TEXT NOT NULL,
    second TEXT NOT NULL,
    said TEXT NOT NULL,
    reason TEXT NOT NULL,
    made TEXT NOT NULL,
    note_id TEXT NOT NULL UNIQUE
);
CREATE INDEX picture_marks_by_pair ON picture_marks(first, second);
CREATE INDEX picture_marks_by_second ON picture_marks(second);

-- From here to `picture_clusters`: what comparing pictures gave. `verify` does not compare these rows,
-- for they rest on floating-point arithmetic (docs/pictures.md).
CREATE TABLE compared_pictures (
    id INTEGER PRIMARY KEY,
    payload_digest TEXT NOT NULL UNIQUE,
    pixels TEXT,
    represented_by TEXT,
    reason TEXT NOT NULL,
    label TEXT NOT NULL
);
CREATE INDEX compared_pictures_by_pixels ON compared_pictures(pixels);

-- How far the pairs that the catalogue itself suggests have been compared: one row.
CREATE TABLE compared_forms (
    fetches INTEGER NOT NULL,
    forms INTEGER NOT NULL
);

CREATE TABLE picture_pairs (
    first TEXT NOT NULL,
    second TEXT NOT NULL,
    relation TEXT NOT NULL,
    whole TEXT NOT NULL,
    box TEXT,
    boxes TEXT NOT NULL,
    turn TEXT NOT NULL,
    degrees REAL NOT NULL,
    distance INTEGER,
    inliers INTEGER,
    blocks REAL,
    affine TEXT NOT NULL,
    reason TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (first, second)
) WITHOUT ROWID;
CREATE INDEX picture_pairs_by_second ON picture_pairs(second);
CREATE INDEX picture_pairs_by_relation ON picture_pairs(relation);

CREATE TABLE picture_clusters (
    payload_digest TEXT PRIMARY KEY,
    cluster TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX picture_clusters_by_cluster ON picture_clusters(cluster);

-- The words of each article: see index/words.py and index/search.py. Contentless, so rows are only added.
CREATE VIRTUAL TABLE article_words USING fts5(
    words, content = '', columnsize = 0, detail = none, tokenize = 'ascii'
);

-- What of an article is searched: what its reader sees of it.
CREATE VIEW passages AS
SELECT id AS article_id, 'title' AS place, NULL AS number, title AS text FROM articles
UNION ALL SELECT article_id, 'text', number, text FROM blocks WHERE text <> ''
UNION ALL SELECT article_id, 'caption', number, caption FROM article_pictures
    WHERE part = 'article' AND unwanted = '' AND caption <> ''
UNION ALL SELECT article_id, 'alt', number, alt FROM article_pictures
    WHERE part = 'article' AND unwanted = '' AND alt <> ''
UNION ALL SELECT id, 'authors', NULL, authors FROM articles WHERE authors <> ''
UNION ALL SELECT id, 'section', NULL, section FROM articles WHERE section <> '';

CREATE VIEW duplicates AS
SELECT payload_digest, count(*) AS copies, count(DISTINCT uri) AS urls, min(date) AS first_date,
       max(payload_bytes) AS bytes, group_concat(DISTINCT uri) AS uris
FROM records
WHERE type = 'revisit' AND truncated = 'length'  -- a body came and was left out
   OR type = 'response' AND status = 200 AND payload_bytes > 0 AND truncated IS NULL
GROUP BY payload_digest HAVING count(*) > 1;

-- All that claims a time: the sources, and the pictures that came when a reference was asked for.
-- A guessed rendition is nobody's reference.
CREATE VIEW claimed_times AS
SELECT article_id, picture, rowid AS number, clock, written, value FROM times
UNION ALL
SELECT DISTINCT article_pictures.article_id, article_pictures.number, NULL,
       picture_times.clock, picture_times.written, picture_times.value
FROM article_pictures JOIN forms ON forms.article_picture_id = article_pictures.id
JOIN fetches ON fetches.id = forms.fetch_id JOIN picture_times USING (payload_digest)
WHERE forms.form <> 'rendition' AND fetches.outcome = 'whole';

CREATE VIEW failures AS
SELECT id, url, outcome, status, stage, reason, started, article_id FROM fetches
WHERE outcome <> 'whole' AND retry IS NULL AND purpose <> 'robots'
  AND form IS NOT 'rendition'  -- nobody referred to a guess
  AND NOT imported;  -- others asked for it
