"""The demo world at HTTP level: pictures, site, mirror documents, TLS, and a clean start and stop."""

import contextlib
import hashlib
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import imagehash
import pytest
import requests
import trustme
from demo_client import Answer, ask
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from archiver.addresses import Proxies, explain, upload_time
from archiver.demo import encoding, scenes
from archiver.demo.site import HotLinks, NewsSite
from archiver.demo.stories import (
    BRIDGE,
    FERRY,
    FOUNTAIN,
    NEWS,
    PICTURES,
    PLACEHOLDER,
    PROXY,
    SPEECH,
    STORIES,
    STREET,
    Photo,
    Story,
    upload_name,
)
from archiver.demo.world import DemoWorld
from archiver.errors import UsageError
from archiver.sources import is_mirror_document, read_document, read_page

SAMPLE = Path(__file__).parents[2] / "shared/samples/000_eb24c55ad338b572.txt"
SCENES = (
    scenes.harbour,
    scenes.street,
    scenes.reading_room,
    scenes.marsh,
    scenes.podium,
    scenes.route_map,
    scenes.placeholder,
)
GRAMMAR = re.compile(rb"<!--(\d+|NaN)-->\n\[([\s\S]*)\]\((\S+)\)\n------\n\n([^\n]*)\n")


def ask_url(world: DemoWorld, url: str, **fields: str) -> Answer:
    """Ask whichever server of the world has the URL's host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    server = world.proxy if host in world.proxy.hosts else world.site
    target = url.partition("://")[2].removeprefix(parts.netloc)
    return ask(server.address, host, target if target.startswith("/") else f"/{target}", **fields)


@pytest.fixture(scope="module")
def world() -> Iterator[DemoWorld]:
    with DemoWorld() as running:
        yield running


# --- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_is_the_same_each_time(scene: Any) -> None:
    assert scene.__wrapped__().tobytes() == scene().tobytes()
    assert scene().mode == "RGB"


def test_no_scene_looks_like_another() -> None:
    hashes = [imagehash.phash(scene()) for scene in SCENES]
    distances = [one - other for at, one in enumerate(hashes) for other in hashes[:at]]
    assert min(distances) >= 14


def test_a_rendition_looks_like_its_picture_and_a_crop_does_not_equal_it() -> None:
    whole = scenes.harbour()
    assert imagehash.phash(encoding.rendition(whole, 600)) - imagehash.phash(whole) <= 2
    part = encoding.crop(whole, 28, 30, 70)
    assert part.size == (840, 472)
    assert part.tobytes() == whole.crop((336, 240, 1176, 712)).tobytes()


def test_a_camera_file_has_what_cameras_write() -> None:
    taken = datetime(2015, 3, 14, 8, 52, 30, tzinfo=UTC)
    data = encoding.jpeg(scenes.street(), taken=taken, turned=True)
    assert data == encoding.jpeg(scenes.street(), taken=taken, turned=True)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (1200, 800)
        assert ImageOps.exif_transpose(image).size == (800, 1200)
        exif = image.getexif()
        assert exif[ExifTags.Base.Orientation] == 6
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2015:03:14 08:52:30"
        assert image.info["icc_profile"]


def test_turned_pixels_show_the_scene_upright() -> None:
    data = encoding.jpeg(scenes.street(), taken=datetime(2015, 1, 1, tzinfo=UTC), turned=True)
    with Image.open(io.BytesIO(data)) as image:
        shown = ImageOps.exif_transpose(image)
    assert imagehash.phash(shown) - imagehash.phash(scenes.street()) <= 2


@given(st.timedeltas(timedelta(), timedelta(days=5000)))
@settings(max_examples=50, deadline=None)
def test_a_pictures_name_tells_when_it_was_uploaded(since: timedelta) -> None:
    when = datetime(2010, 1, 2, tzinfo=UTC) + since
    claimed = upload_time(f"http://{PICTURES}/{upload_name(when)}_cx5_cy8_cw93_r1_w900.jpg")
    assert claimed
    assert datetime.fromisoformat(claimed.value) == when


def test_the_name_is_made_as_the_real_ones_are() -> None:
    """The sample's lead picture: this time gives its GUID, to the microsecond."""
    name = upload_name(datetime(2023, 11, 8, 18, 5, 7, 970_179, UTC))
    assert name.startswith("01000000-0a00-0242-15")
    assert name.endswith("-08dbe0853e12")


# --- the site -----------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_article_page_says_what_the_story_is(world: DemoWorld, story: Story) -> None:
    answer = ask_url(world, story.url)
    assert answer.status == 200
    page = read_page(answer.body, url=story.url, content_type=answer.fields["Content-Type"])
    assert page["title"] == story.title
    assert page["language"] == story.language
    claimed = {time["value"] for time in page["times"]}
    assert {
        story.published.isoformat().replace("+00:00", "Z"),
        story.modified.isoformat().replace("+00:00", "Z"),
    } <= claimed
    shown = [urljoin(story.url, photo.shown) for photo in story.photos]
    found = {reference["url"]: reference for reference in page["references"]}
    assert set(shown) <= set(found)
    for url, photo in zip(shown, story.photos, strict=True):
        assert found[url]["caption"] == photo.caption
    paragraphs = [piece for piece in story.body if isinstance(piece, str)]
    assert 4 <= len(paragraphs) <= 6
    assert set(paragraphs) <= {block.get("text") for block in page["blocks"]}


def test_every_link_of_the_home_page_leads_to_a_page_and_so_does_every_link_there(world: DemoWorld) -> None:
    seen, todo = set(), {f"http://{NEWS}/"}
    while todo:
        url = todo.pop()
        seen.add(url)
        answer = ask_url(world, url)
        assert (url, answer.status) == (url, 200)
        todo |= {urljoin(url, link) for link in re.findall(r'href="([^"]+)"', answer.body.decode())} - seen
    assert {story.url for story in STORIES} <= seen


@pytest.mark.parametrize(
    ("name", "referer", "status"),
    [
        (f"{STREET}_w1200.jpg", None, 403),
        (f"{STREET}_w1200.jpg", "http://mirror.example/1", 403),
        (f"{STREET}_w1200.jpg", f"http://{NEWS}.evil.example/", 403),
        (f"{STREET}_w1200.jpg", "http://[", 403),
        (f"{STREET}_w1200.jpg", f"http://{NEWS}/a/7400002.html", 200),
        (f"{SPEECH}_w1200.jpg", None, 200),
        (f"{SPEECH}_w1200.jpg", f"http://{NEWS}/a/7400002.html", 403),
        (f"{FERRY}_w1200.jpg", "http://mirror.example/1", 200),
        (f"{BRIDGE}_w900.jpg", f"http://{NEWS}/", 404),
        (f"{FOUNTAIN}_w900.jpg", None, 404),
    ],
)
def test_who_gets_a_picture(world: DemoWorld, name: str, referer: str | None, status: int) -> None:
    fields = {"Referer": referer} if referer else {}
    assert ask(world.site.address, PICTURES, f"/{name}", **fields).status == status


@pytest.mark.parametrize(
    ("host", "target", "method", "status"),
    [
        (NEWS, "/nothing", "GET", 404),
        (NEWS, "/?page=2", "GET", 404),
        (NEWS.upper(), "/", "GET", 200),
        (f"{NEWS}:80", "/", "GET", 200),
        ("elsewhere.example", "/", "GET", 421),
        (NEWS, "/", "POST", 405),
        (NEWS, "/", "HEAD", 200),
    ],
)
def test_virtual_hosts_and_methods(
    world: DemoWorld, host: str, target: str, method: str, status: int
) -> None:
    answer = ask(world.site.address, host, target, method)
    assert answer.status == status
    assert (method == "HEAD") == (answer.body == b"")


def test_what_is_added_is_served_byte_for_byte_and_only_under_a_known_host() -> None:
    body = bytes(range(256))
    with NewsSite(["Extra.Example"]) as site:
        site.add(
            "extra.example",
            "/x?y=1",
            body,
            "image/jpeg",
            fields=(("X-Test", "1"),),
            hot_links=HotLinks(("a.example",)),
        )
        answer = ask(site.address, "extra.example", "/x?y=1")
        assert (answer.status, answer.body, answer.fields["X-Test"]) == (200, body, "1")
        assert ask(site.address, "extra.example", "/x?y=1", Referer="http://b.example/").status == 403
        with pytest.raises(UsageError, match=r"other\.example"):
            site.add("other.example", "/", b"", "text/plain")


# --- mirror documents ---------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_mirror_document_keeps_the_grammar(world: DemoWorld, story: Story) -> None:
    data = world.documents[story.name]
    found = GRAMMAR.fullmatch(data)
    assert found
    assert is_mirror_document(data)
    article = read_document(data)
    assert (article["title"], article["url"]) == (story.title, story.url)
    clocks = {time["clock"]: time.get("value") for time in article["times"]}
    fed = story.fed.isoformat().replace("+00:00", "Z") if story.fed else None
    assert clocks["comment"] == fed
    assert clocks["printed"] == story.published.isoformat().replace("+00:00", "Z")
    assert [reference.get("caption") for reference in article["references"]] == [
        photo.caption for photo in story.photos
    ]


def test_the_documents_hold_every_kind_of_reference(world: DemoWorld) -> None:
    assert {name.split(".")[1] for name in world.documents} == {"zh", "en"}
    written = b"".join(world.documents.values())
    assert b'src="http://images.weserv.example?url=pictures.news.example/0' in written  # no slash, no scheme
    assert b"&default=" in written
    assert b"&amp;url=" in written
    assert b"<!--NaN-->" in written
    for name in (STREET, SPEECH, BRIDGE, FOUNTAIN):
        assert name.encode() in written
    addresses = [explain(url, Proxies(world.instances)) for url in mirrored(world)]
    assert {address.proxy for address in addresses} == {"weserv", None}
    assert all(address.origin for address in addresses)


def mirrored(world: DemoWorld) -> list[str]:
    """Every picture of every document, as a browser would ask for it."""
    articles = [read_document(data) for data in world.documents.values()]
    return [reference["url"] for article in articles for reference in article["references"]]


def test_each_picture_of_the_documents_can_be_had_or_is_known_not_to_be(world: DemoWorld) -> None:
    outcomes = {}
    for url in mirrored(world):
        address = explain(url, Proxies(world.instances))
        proxied = ask_url(world, address.via[0].url).status if address.via else None
        own = ask_url(world, address.origin or "", Referer=f"http://{NEWS}/a/1.html").status
        name = re.search(r"[^/]*\.\w+$", address.origin or "")
        outcomes[name[0].partition("_w")[0] if name else ""] = (proxied, own)
    assert outcomes[STREET] == (404, 200)  # the proxy sends no Referer
    assert outcomes[SPEECH] == (200, 403)  # until asked without one
    assert outcomes[BRIDGE] == (404, 404)
    assert outcomes[FOUNTAIN] == (302, 404)
    assert outcomes["ferry-route.png"] == (None, 200)
    assert outcomes[FERRY] == (200, 200)


def test_a_gone_picture_leads_to_the_placeholder(world: DemoWorld) -> None:
    url = next(url for url in mirrored(world) if "default=" in url)
    answer = ask_url(world, url)
    assert answer.fields["Location"] == f"http://{PICTURES}/{PLACEHOLDER}"
    assert ask_url(world, answer.fields["Location"]).fields["Content-Type"] == "image/png"


def test_photos_stand_where_the_text_has_them() -> None:
    for story in STORIES:
        assert [piece for piece in story.body if isinstance(piece, Photo)] == list(story.photos)


# --- the world as a whole -----------------------------------------------------------------------


def test_requests_are_logged_in_order_and_no_client_field_reaches_the_origin() -> None:
    with DemoWorld() as world:
        url = f"http://{PROXY}/?url={PICTURES}/{FERRY}_w600.jpg"
        ask_url(world, url, Referer="http://mirror.example/7", User_Agent="reader/1", Cookie="a=b")
        fetched, asked = world.requests
    assert (asked.host, asked.path, asked.referer, asked.user_agent, asked.status) == (
        PROXY,
        f"/?url={PICTURES}/{FERRY}_w600.jpg",
        "http://mirror.example/7",
        "reader/1",
        200,
    )
    assert (fetched.host, fetched.path, fetched.referer) == (PICTURES, f"/{FERRY}_w600.jpg", None)
    assert fetched.user_agent
    assert "ImageFetcher" in fetched.user_agent


def test_requests_the_library_gets_on_with_both_servers(world: DemoWorld) -> None:
    with requests.Session() as session:
        session.trust_env = False
        for server, host in ((world.site, NEWS), (world.proxy, PROXY), (world.site, NEWS)):
            address, port = server.address
            answer = session.get(f"http://{address}:{port}/", headers={"Host": host}, timeout=10)
            assert (answer.status_code, "<title>" in answer.text) == (200, True)


def test_connect_to_names_each_host_once_for_each_port_it_has() -> None:
    authority = trustme.CA()
    with DemoWorld(
        proxy_hosts=["images.weserv.nl"], ssl_contexts=certified(authority, "images.weserv.nl")
    ) as world:
        site, proxy = world.site.address[1], world.proxy.address[1]
        assert set(world.connect_to) == {
            f"{NEWS}:80:127.0.0.1:{site}",
            f"{PICTURES}:80:127.0.0.1:{site}",
            f"{PROXY}:80:127.0.0.1:{proxy}",
            f"images.weserv.nl:80:127.0.0.1:{proxy}",
            f"images.weserv.nl:443:127.0.0.1:{proxy}",
        }
        assert len(world.connect_to) == 5
        assert world.instances == (PROXY, "images.weserv.nl")
    assert DemoWorld().connect_to == ()


def certified(authority: trustme.CA, *hosts: str) -> dict[str, ssl.SSLContext]:
    contexts = {}
    for host in hosts:
        contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(contexts[host])
    return contexts


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_each_host_shows_its_own_certificate_and_others_are_refused() -> None:
    authority = trustme.CA()
    trust = trusting(authority)
    with DemoWorld(ssl_contexts=certified(authority, NEWS, PICTURES)) as world:
        for host, target in ((NEWS, "/"), (PICTURES, f"/{FERRY}_w600.jpg")):
            assert ask(world.site.address, host, target, tls=trust).status == 200
            assert ask(world.site.address, host, target).status == 200  # the same port, in clear
        with pytest.raises(ssl.SSLError):
            ask(world.site.address, "elsewhere.example", "/", tls=trust)
        assert [seen.secure for seen in world.requests] == [True, False, True, False]


def test_a_world_without_certificates_hangs_up_on_tls(world: DemoWorld) -> None:
    with pytest.raises(OSError):
        ask(world.site.address, NEWS, "/", tls=ssl.create_default_context())


def test_the_proxy_goes_to_an_https_origin_over_tls() -> None:
    with DemoWorld(ssl_contexts=certified(trustme.CA(), PICTURES)) as world:
        answer = ask(world.proxy.address, PROXY, f"/?url=ssl:{PICTURES}/{FERRY}_w600.jpg")
        assert answer.status == 200
        assert answer.fields["Link"] == f'<https://{PICTURES}/{FERRY}_w600.jpg>; rel="canonical"'
        assert world.requests[0].secure


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample document is not in this checkout")
def test_the_real_sample_is_served_under_its_own_hosts() -> None:
    article = read_document(SAMPLE.read_bytes())
    addresses = [explain(reference["url"]) for reference in article["references"]]
    authority = trustme.CA()
    page, pictures = urlsplit(article["url"]), urlsplit(addresses[0].origin).hostname
    contexts = certified(authority, "images.weserv.nl", page.hostname)
    with DemoWorld(
        picture_hosts=[pictures, page.hostname], proxy_hosts=["images.weserv.nl"], ssl_contexts=contexts
    ) as world:
        world.site.add(page.hostname, page.path, b"<title>page</title>", "text/html")
        for address, scene in zip(addresses, (scenes.podium, scenes.street), strict=True):
            world.site.add(pictures, urlsplit(address.origin).path, encoding.jpeg(scene()), "image/jpeg")
        trust = trusting(authority)
        assert ask(world.site.address, page.hostname, page.path, tls=trust).status == 200
        for address in addresses:
            proxy = urlsplit(address.via[0].url)
            proxied = ask(world.proxy.address, proxy.hostname, f"/?{proxy.query}", tls=trust)
            own = ask_url(world, address.origin)
            assert (proxied.status, own.status) == (200, 200)
            assert proxied.fields["Link"] == f'<{address.origin}>; rel="canonical"'
            assert hashlib.sha256(proxied.body).digest() != hashlib.sha256(own.body).digest()
            with Image.open(io.BytesIO(proxied.body)) as one, Image.open(io.BytesIO(own.body)) as other:
                assert imagehash.phash(one) - imagehash.phash(other) <= 4


# --- starting and stopping ----------------------------------------------------------------------


def test_stopping_waits_for_no_client_and_leaves_nothing_behind() -> None:
    before = threading.active_count()
    authority = trustme.CA()
    world = DemoWorld(ssl_contexts=certified(authority, NEWS))
    with world:
        site, proxy = world.site.address, world.proxy.address
        idle = [socket.create_connection(address) for address in (site, proxy, site, site)]
        idle[0].sendall(b"GET / HTTP/1.1\r\nHost: www.news.example\r\n\r\n")  # kept alive after the answer
        assert idle[0].recv(12) == b"HTTP/1.1 200"
        idle[1].sendall(b"GET /?url=")  # a request that never ends
        idle[2].sendall(b"\x16\x03\x01\x02")  # a handshake that never ends
        idle.append(trusting(authority).wrap_socket(socket.create_connection(site), server_hostname=NEWS))
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert threading.active_count() == before
    for connection in idle:
        connection.close()
    for address in (site, proxy):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
    with pytest.raises(UsageError):
        _ = world.site.address


def test_a_world_can_be_entered_again() -> None:
    world = DemoWorld()
    for _ in range(2):
        with world:
            assert ask(world.proxy.address, PROXY, f"/?url={PICTURES}/{FERRY}_w600.jpg").status == 200


def test_an_error_inside_still_closes_everything() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), DemoWorld():
        _ = 1 / 0
    assert threading.active_count() == before


def test_one_connection_carries_many_requests(world: DemoWorld) -> None:
    with contextlib.closing(HTTPConnection(*world.site.address, timeout=10)) as connection:
        for method, target, status in (
            ("GET", "/", 200),
            ("HEAD", "/", 200),
            ("POST", "/", 405),
            ("GET", "/x", 404),
        ):
            connection.request(
                method, target, body=b"a=1" if method == "POST" else None, headers={"Host": NEWS}
            )
            sock = connection.sock
            with connection.getresponse() as response:
                response.read()
            assert (response.status, connection.sock) == (status, sock)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_no_bytes_stop_a_server(world: DemoWorld, sent: bytes) -> None:
    for server in (world.site, world.proxy):
        with (
            socket.create_connection(server.address, 10) as connection,
            contextlib.suppress(OSError),  # it may hang up on what is no HTTP (then ENOTCONN)
        ):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    assert ask(world.site.address, NEWS, "/").status == 200


def test_eight_threads_at_once_get_what_one_gets(world: DemoWorld) -> None:
    target = f"/?w=120&url={PICTURES}/{FERRY}_w600.jpg"
    expected = ask(world.proxy.address, PROXY, target, Pragma="x").body
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(world.proxy.address, PROXY, target), range(32)))
    assert {answer.body for answer in answers} == {expected}
