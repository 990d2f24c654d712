"""A crawl of a small news site as other programs write it: no notes, other digests, revisits, redirects."""

import base64
import hashlib
import json

import archives
import foreign_files as files

SITE = "http://news.example"
PROXIED = "https://images.weserv.nl/?url=news.example/two.jpg&w=96"
DATE = "2019-03-04T05:06:{:02d}Z"
TEXT = "The ferry sails again between the two banks of the bay, the harbour office says. " * 3
ARTICLE = f"""<!doctype html><html lang=en><head><title>The ferry sails again</title>
<meta property="article:published_time" content="2019-03-04T04:00:00Z"></head><body><article>
<h1>The ferry sails again</h1><p>{TEXT}</p><p><img src="/one.jpg" alt="The ferry"></p>
<p>{TEXT}</p><p><img src="{PROXIED}"></p><p><img src="/gone.jpg"></p><p><img src="/moved.jpg"></p>
</article></body></html>""".encode()
HOME = b"<!doctype html><title>News</title><ul><li><a href=/a>The ferry sails again</a></ul>"
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>http://news.example/</link>
<item><title>The ferry sails again</title><link>http://news.example/a</link></item></channel></rss>"""


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


class Crawl:
    """Records, a request before each answer, in the order in which they are added."""

    def __init__(self) -> None:
        self.records: list[bytes] = [
            self._of(1, "warcinfo", b"software: Crawler/3.2\r\n", Content_Type="application/warc-fields")
        ]

    def answer(
        self,
        path: str,
        body: bytes,
        mime: str,
        *,
        status: str = "200 OK",
        head: str = "",
        method: str = "GET",
        **fields: str,
    ) -> int:
        """Add a request and its response; the response's number."""
        number = len(self.records) + 1
        url = path if "://" in path else SITE + path
        request = f"{method} {url} HTTP/1.1\r\nHost: news.example\r\n\r\n".encode()
        told = {"WARC_Target_URI": f"<{url}>", "WARC_Date": DATE.format(number % 60)}
        kind = {"Content_Type": "application/http;msgtype=request"}
        self.records.append(self._of(number, "request", request, **told, **kind))
        length = "" if "ontent-Length" in head else f"Content-Length: {len(body)}\r\n"
        block = f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n{head}{length}\r\n".encode() + body
        asked = {"WARC_Concurrent_To": f"<{name(number)}>", "WARC_Payload_Digest": sha1(body)}
        self.records.append(self._of(number + 1, "response", block, **(told | asked | fields)))
        return number + 1

    def revisit(self, path: str, mime: str = "image/jpeg", **fields: str) -> int:
        """Add a revisit without a body; its number."""
        number = len(self.records) + 1
        told = {"WARC_Target_URI": SITE + path, "WARC_Date": DATE.format(number % 60)}
        profile = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
        block = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\n\r\n".encode()
        self.records.append(self._of(number, "revisit", block, **told, WARC_Profile=profile, **fields))
        return number

    @staticmethod
    def _of(number: int, kind: str, block: bytes, **fields: str) -> bytes:
        return files.record(block, number, WARC_Type=kind, **fields)


def name(number: int) -> str:
    """The record id of a record."""
    return f"urn:uuid:00000000-0000-4000-8000-{number:012x}"


def crawl() -> list[bytes]:
    """The records: pages, a feed, pictures in every state, a style sheet."""
    made, one, two = Crawl(), archives.jpeg(1), archives.jpeg(2)
    made.answer("/robots.txt", b"User-agent: *\nDisallow:\n", "text/plain")
    made.answer("/", HOME, "text/html")
    made.answer("/start", b"", "text/html", status="302 Found", head="Location: /a\r\n")
    page = made.answer("/a", ARTICLE, "text/html; charset=utf-8")
    made.answer("/feed", FEED, "application/rss+xml")
    made.answer("/site.css", b"p { color: black }", "text/css")
    made.answer("/one.jpg", one, "image/jpeg")
    made.answer("/two.jpg", two, "image/jpeg")
    made.answer(PROXIED, archives.jpeg(2), "image/jpeg")
    made.answer("/gone.jpg", b"<html>Not here</html>", "text/html", status="404 Not Found")
    made.answer("/moved.jpg", b"", "text/html", status="301 Moved", head="Location: one.jpg#top\r\n")
    made.answer("/cut.jpg", archives.jpeg(3)[:-99], "image/jpeg", WARC_Truncated="length")
    made.answer("/short.jpg", archives.jpeg(4)[:-99], "image/jpeg", head="Content-Length: 99999\r\n")
    made.revisit("/by-digest.jpg", WARC_Payload_Digest=sha1(one).lower().replace("sha1", "SHA1"))
    made.revisit("/by-digest-too.jpg", WARC_Payload_Digest=sha1(one))
    date = DATE.format((page - 1) % 60)
    made.revisit(
        "/a-again", mime="text/html", WARC_Refers_To_Target_URI=f"{SITE}/a", WARC_Refers_To_Date=date
    )
    made.revisit("/lost.jpg", WARC_Refers_To="<urn:uuid:no-such-record>")
    return made.records


def shapes() -> dict[str, bytes]:
    """The same crawl as files of every kind; of a WACZ the pages are named."""
    records = crawl()
    pages = '{"format": "json-pages-1.0", "id": "pages", "title": "All"}\n'
    pages += json.dumps({"url": f"{SITE}/a", "ts": "2019-03-04T05:06:09Z", "title": "The ferry"}) + "\n"
    pages += "no JSON\n" + json.dumps({"url": f"{SITE}/a-again"})
    said = {"profile": "data-package", "title": "A bay", "mainPageUrl": f"{SITE}/a", "wacz_version": "1.1.1"}
    stored = files.members(records)
    parts = {
        "archive/data.warc.gz": stored,
        "pages/pages.jsonl": pages.encode(),
        "datapackage.json": json.dumps(said).encode(),
    }
    return {
        "crawl.warc": b"".join(records),
        "crawl.warc.gz": stored,
        "stream.warc.gz": files.gz(*records),
        "crawl.wacz": files.wacz(parts, deflated=["pages/pages.jsonl"]),
        "deflated.wacz": files.wacz(parts, deflated=list(parts)),
    }
