"""A mirrored article and a world that serves it: real hosts' names, servers on loopback, TLS of our own."""

import re
import ssl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from archiver.capture.wire.fetch import Network
from archiver.config import Settings
from archiver.demo import encoding, scenes
from archiver.demo.world import DemoWorld
from archiver.keep import keep

SAMPLE = Path(__file__).parents[2] / "shared/samples/000_eb24c55ad338b572.txt"
NEWS, PICTURES, PROXY = "www.voachinese.com", "gdb.voanews.com", "images.weserv.nl"
COPIES = "archive.example"  # another archive
LEAD = "01000000-0a00-0242-1524-08dbe0853e12_cx5_cy8_cw93_r1_s_w900.jpg"
INNER = "01000000-c0a8-0242-3605-08dbe0853df5_w900.jpg"
URL = f"https://{NEWS}/a/a-meeting-on-the-river-20231108/7346943.html"
LEAD_URL, INNER_URL = f"https://{PROXY}?url={PICTURES}/{LEAD}", f"https://{PROXY}?url={PICTURES}/{INNER}"
GREY = "color: #999;"
DOCUMENT = f"""<!--1699468744000-->
[两岸代表在河边会谈，谈到[航道](与渡轮)]({URL})
------

<div><i>Wed, 08 Nov 2023 18:25:56 GMT</i></div><img src="{LEAD_URL}" width="100%">\
<div><small style="{GREY}">会谈现场。（2023年11月8日）</small></div>\
<p>第一段。<br /><br />第二段，谈渡轮。</p>\
<div ><img  src="{INNER_URL}" alt="会谈现场。" border="0"/><div><small style="{GREY}">\
会谈现场。</small></div></div><p>第三段。</p><a href="/a/7317251.html"></a><p>第四段。</p>
""".encode()


@dataclass(frozen=True)
class Mirror:
    """A running world, the document's file, and the command line's network flags."""

    world: DemoWorld
    document: Path
    url: str
    flags: tuple[str, ...]


def picture_names(document: bytes) -> list[str]:
    return [name.decode() for name in re.findall(rf"{PICTURES}/([^\"]+)".encode(), document)]


@contextmanager
def mirrored(
    folder: Path, document: bytes = DOCUMENT, pictures: tuple[bytes, ...] | None = None
) -> Iterator[Mirror]:
    """Serve the article's page and its two pictures from their own hosts, and the proxy before them.

    `pictures`: the JPEG files, in the document's order, in place of two painted scenes.
    """
    pictures = pictures or tuple(encoding.jpeg(scene()) for scene in (scenes.podium, scenes.harbour))
    authority = trustme.CA()
    contexts = {}
    for host in (NEWS, PROXY):
        contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(contexts[host])
    found = re.search(rb"\]\((https://\S+)\)\n------", document)
    url = found[1].decode() if found else URL
    cacert = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(cacert))
    path = folder / "000_mirrored.txt"
    path.write_bytes(document)
    with DemoWorld(
        picture_hosts=(NEWS, PICTURES, COPIES), proxy_hosts=(PROXY,), ssl_contexts=contexts
    ) as world:
        page = (
            '<html lang="zh"><head><meta content="河边会谈" property="og:title"></head><body><article>'
            '<time pubdate datetime="2023-11-08T18:25:56&#x2B;00:00"></time><p>第一段。</p><p>第二段。</p>'
            "</article></body></html>"
        )
        world.site.add(NEWS, url.partition(NEWS)[2], page.encode(), "text/html; charset=utf-8")
        for name, picture in zip(picture_names(document), pictures, strict=True):
            world.site.add(PICTURES, f"/{name}", picture, "image/jpeg")
        flags = [flag for target in world.connect_to for flag in ("--connect-to", target)]
        yield Mirror(world, path, url, (*flags, "--cacert", str(cacert)))


def save_twice(mirror: Mirror, root: Path) -> None:
    """Archive the document two times: the second time nothing has changed."""
    network = Network(connect_to=tuple(mirror.flags[1:-2:2]), cacert=mirror.flags[-1])
    for _ in range(2):
        keep(root, [str(mirror.document)], network, Settings(), report=lambda _: None, say=lambda _: None)


def gzip_members(path: Path) -> list[bytes]:
    """The records of a WARC file, uncompressed, split by gzip itself."""
    data, records = path.read_bytes(), []
    while data:
        inflate = zlib.decompressobj(31)
        records.append(inflate.decompress(data))
        data = inflate.unused_data
    return records
