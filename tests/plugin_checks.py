"""What the plugin does on every Datasette: run by a test here, as a program in the next one's environment.

`python plugin_checks.py ROOT FOLDER` prints Datasette's version when all is well; ROOT is an archive of
`browse_articles`.
"""

import asyncio
import html
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import datasette
from datasette.app import Datasette

from archiver.browse.library import library
from archiver.browse.server import build, close
from archiver.browse.tables.metadata import described, plain
from archiver.browse.tables.queries import QUERIES

BASE = "/archive/"
ONE = datasette.__version__.startswith("1")
QUERY = "/catalogue/-/query.json?_shape=array&" if ONE else "/catalogue.json?_shape=array&"
PICTURE = "SELECT substr(payload_digest, 8) AS digits, value FROM picture_hashes LIMIT 1"
ADDRESS = re.compile(r'(?:href|src|action)="(/[^"]*)"')

Get = Callable[..., Awaitable[Any]]


async def rows(get: Get, sql: str, **values: str) -> Any:
    query = "&".join(f"{name}={value}" for name, value in {"sql": sql, **values}.items())
    answer = await get(QUERY + query.replace(" ", "+"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def tables(get: Get, _: Any) -> None:
    """What tables.toml says of each table and column stands on its page; facets are listed by hand."""
    for name in ("articles", "failures"):
        page = html.unescape((await get(f"/catalogue/{name}")).text)
        about = described()[name]
        assert plain(about["about"])[:40] in page, name
        for column, meaning in about["columns"].items():
            assert plain(meaning)[:30] in page, (name, column)
    page = (await get("/catalogue")).text
    assert "The tables behind" in page
    assert f'href="{BASE}-/articles"' in page
    page = (await get("/catalogue/fetches")).text
    assert 'data-column="outcome"' in page or "facet-outcome" in page
    newest = [row["id"] for row in (await get("/catalogue/articles.json?_shape=array")).json()]
    assert newest == sorted(newest, reverse=True)


async def queries(get: Get, _: Any) -> None:
    page = (await get("/catalogue/-/queries" if ONE else "/catalogue")).text
    for name, query in QUERIES.items():
        names = "&".join(f"{each}=1" for each in sorted(set(re.findall(r":([a-z]+)", query.sql))))
        answer = await get(f"/catalogue/{name}.json?_shape=array&{names}")
        assert answer.status_code == 200, (name, answer.text)
        assert isinstance(answer.json(), list)
        assert name in page
    shown = (await get("/catalogue/intact_records?url=1")).text
    assert QUERIES["intact_records"].title in html.unescape(shown)


async def functions(get: Get, _: Any) -> None:
    (found,) = await rows(get, "select hamming('ff', '0f') as bits, hamming('f', 'ff') as none")
    assert found == {"bits": 4, "none": None}
    found = await rows(get, "select record_ok(record_id) as ok, count(*) as n from records group by 1")
    assert {each["ok"] for each in found} == {0, 1}  # one of them is damaged
    assert [each["n"] for each in found if each["ok"] == 0] == [1]
    (found,) = await rows(get, "select record_ok('nothing') as a, record_ok(NULL) as b, record_ok(5) as c")
    assert set(found.values()) == {None}


async def pages(get: Get, _: Any) -> None:
    for path in (
        "/",
        "/-/articles",
        "/-/articles/1",
        "/-/pictures",
        "/-/records/1",
        "/-/search?q=渡轮",
        "/-/captures",
    ):
        answer = await get(path)
        assert answer.status_code == 200, path
        outside = [each for each in ADDRESS.findall(answer.text) if not each.startswith(BASE)]
        assert outside == [], path
    for path in ("/catalogue", "/catalogue/articles", "/catalogue/pictures"):
        answer = await get(path)
        assert "script-src" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        outside = [each for each in ADDRESS.findall(answer.text) if not each.startswith(BASE)]
        assert outside == [], path
    assert f"{BASE}-/archive-style/tables.css" in answer.text


async def content(get: Get, _: Any) -> None:
    (one,) = await rows(get, PICTURE)
    whole = await get(f"/-/media/{one['digits']}")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "image/jpeg")
    again = await get(f"/-/media/{one['digits']}", headers={"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304
    part = await get(f"/-/media/{one['digits']}", headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, whole.content[:10])
    small = await get(f"/-/thumbnail/{one['digits']}")
    assert small.content[8:12] == b"WEBP"
    assert f"{BASE}-/thumbnail/" in (await get("/catalogue/pictures")).text


async def search_box(get: Get, _: Any) -> None:
    page = await get("/catalogue/articles?_search=渡轮")
    assert page.status_code == 200
    found = (await get("/catalogue/articles.json?_search=渡轮&_shape=array")).json()
    assert {row["id"] for row in found} == {1, 2}
    assert (await get("/catalogue/articles.json?_search=轮渡&_shape=array")).json() == []


async def csv(get: Get, _: Any) -> None:
    answer = await get("/catalogue/articles.csv")
    assert answer.status_code == 200
    assert "\x1b" not in answer.text
    assert len(answer.text.splitlines()) > 5


async def a_form(get: Get, instance: Any) -> None:
    """Another site's form writes nothing."""
    digits = [each["digits"] for each in await rows(get, PICTURE.replace("LIMIT 1", "GROUP BY 1 LIMIT 2"))]
    path = f"/-/pictures/{digits[0]}/against/{digits[1]}/mark"
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await instance.client.post(path, data={"said": "not-same", "reason": "x"}, headers=headers)
        assert answer.status_code == 403, headers
    assert (await rows(get, "select count(*) as n from picture_marks")) == [{"n": 0}]


CHECKS = (tables, queries, functions, pages, content, search_box, csv, a_form)


def public(root: Path) -> None:
    """`--public`: no SQL, no whole files, nothing of what Datasette says of itself."""
    served = build(root, public=True, names=["archive.example.org"])

    async def asked() -> None:
        await served.invoke_startup()
        shown = ("/", "/-/articles/1", "/-/records/1", "/catalogue/articles", "/catalogue/versions")
        shut = (
            *("/-/records/1/payload", "/-/records/1/member", "/-/articles/1/evidence.zip", "/catalogue.db"),
            *("/-/articles/1/records.warc.gz", "/catalogue/articles?_where=1", "/-/databases.json"),
            *(
                "/-/metadata.json",
                "/-/settings",
                "/-/threads.json",
                "/-/plugins.json",
                f"{QUERY}sql=select+1",
            ),
        )
        statuses = {200: (*shown, "/-/static/app.css"), 403: shut}
        for status, paths in statuses.items():
            for path in paths:
                answer = await served.client.get(path, headers={"Host": "archive.example.org"})
                assert answer.status_code == status, (path, answer.status_code)
                assert str(root) not in answer.text, path
        assert (await served.client.get("/", headers={"Host": "other.example.org"})).status_code == 421
        assert "download" not in (await served.client.get("/-/records/1")).text

    asyncio.run(asked())
    close(served)


def elsewhere(folder: Path) -> None:
    """Over a database that is no catalogue the plugin does nothing."""
    import sqlite3

    path = folder / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT)")
        other.execute("INSERT INTO articles VALUES (1, '=1+1 sha256:' || ?)", ("0" * 64,))
    other.close()
    instance = Datasette([str(path)])

    async def asked() -> None:
        await instance.invoke_startup()
        assert library(instance) is None
        answer = await instance.client.get("/other/articles.csv")
        assert "\r\n1,=1+1" in answer.text
        page = await instance.client.get("/other/articles")
        assert "content-security-policy" not in page.headers
        assert "archive" not in page.text

    asyncio.run(asked())
    close(instance)


def run(root: Path) -> None:
    served = build(root, base_url=BASE)

    async def asked() -> None:
        await served.invoke_startup()
        for check in CHECKS:
            await check(served.client.get, served)

    try:
        asyncio.run(asked())
    finally:
        close(served)
    public(root)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
    elsewhere(Path(sys.argv[2]))
    sys.stdout.write(datasette.__version__)
