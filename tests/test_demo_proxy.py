"""The demo's picture proxy against what was measured of weserv (docs/demo.md), request by request."""

import base64
import contextlib
import gzip
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import demo_client
import imagehash
import pytest
from demo_client import Answer
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from archiver.demo import encoding, scenes
from archiver.demo.proxy import ImageProxy, RateLimit
from archiver.demo.server import LoopbackServer, Reply, Request
from archiver.demo.stories import FERRY, PICTURES, PROXY, STREET
from archiver.demo.transform import Refusal, transform
from archiver.demo.world import DemoWorld
from archiver.errors import UsageError

ORIGIN = "origin.example"
UNREACHABLE = "The hostname of the origin is unresolvable (DNS) or blocked by policy."
NO_PICTURE = "Invalid or unsupported image format. Is it a valid image?"


def ask(address: tuple[str, int], target: str, method: str = "GET", **fields: str) -> Answer:
    return demo_client.ask(address, PROXY, target, method, **fields)


def complaint(answer: Answer) -> str:
    said = json.loads(answer.body)
    assert list(said) == ["status", "code", "message"]
    assert said["status"] == "error"
    return said["message"]


def image(answer: Answer) -> Image.Image:
    return Image.open(io.BytesIO(answer.body))


def file_of(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def small(width: int = 300) -> Image.Image:
    return encoding.rendition(scenes.marsh(), width)


def animation() -> bytes:
    return file_of(small(), "GIF", save_all=True, append_images=[scenes.podium().resize((300, 200))])


def metadata() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "a description that must not come through"
    return file_of(small(), "JPEG", exif=exif, comment=b"a comment", icc_profile=profile())


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


PICTURE_FILES = {
    "/plain.jpg": encoding.jpeg(small()),
    "/metadata.jpg": metadata(),
    "/progressive.jpg": file_of(small(), "JPEG", progressive=True),
    "/grey.jpg": file_of(small().convert("L"), "JPEG"),
    "/cmyk.jpg": file_of(small().convert("CMYK"), "JPEG"),
    "/palette.png": file_of(small().quantize(64), "PNG"),
    "/clear.png": file_of(Image.new("RGBA", (40, 30), (255, 0, 0, 0)), "PNG", optimize=True),
    "/picture.webp": encoding.webp(small()),
    "/picture.avif": file_of(small(), "AVIF"),
    "/picture.tiff": file_of(small(), "TIFF"),
    "/picture.bmp": file_of(small(), "BMP"),
    "/animation.gif": animation(),
    "/a%20b/%E5%9B%BE.jpg?v=1&w=2": encoding.jpeg(small(200)),
    "/cut.jpg": encoding.jpeg(small())[:4000],
    "/text.html": b"<title>no picture</title>",
    "/empty.jpg": b"",
    "/head.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 60,
    "/corrupt.png": file_of(small(), "PNG")[:300],
    "/huge.png": file_of(Image.new("1", (9000, 9000)), "PNG"),
}


MOVED = {
    "/self": "/self",
    "/astray": "http://nowhere.example/x.jpg",
    "/hops/0": "/plain.jpg",
    **{f"/hops/{left}": f"/hops/{left - 1}" for left in range(1, 12)},
}


class Origin(LoopbackServer):
    """Pictures of every kind, every status, every kind of redirect, and silence."""

    def __init__(self) -> None:
        super().__init__()
        self.quiet = threading.Event()  # set: stop being silent

    def answer(self, request: Request) -> Reply:
        path = request.target
        if path in PICTURE_FILES:
            return Reply(200, PICTURE_FILES[path], "application/octet-stream", (("ETag", '"1"'),))
        if found := re.fullmatch(r"/status/(\d+)", path):
            return Reply(int(found[1]), b"", "text/plain")
        if found := re.fullmatch(r"/moved/(\d+)/(.*)", path):
            return moved(int(found[1]), f"/{found[2]}")
        if path in MOVED:
            return moved(302, MOVED[path])
        if path == "/coded.jpg":
            return Reply(
                200, gzip.compress(PICTURE_FILES["/plain.jpg"]), "image/jpeg", (("Content-Encoding", "gzip"),)
            )
        if path == "/silent.jpg":
            self.quiet.wait(20)
        return Reply(404, b"", "text/plain")


def moved(status: int, location: str) -> Reply:
    return Reply(status, b"", "text/plain", (("Location", location),))


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as running:
        yield running
        running.quiet.set()


@pytest.fixture(scope="module")
def proxy(origin: Origin) -> Iterator[ImageProxy]:
    origins = {ORIGIN: origin.address}
    with ImageProxy(origins, timeout=0.5) as running:
        origins[PROXY] = running.address
        yield running


def of(proxy: ImageProxy, path: str, more: str = "", method: str = "GET", **fields: str) -> Answer:
    return ask(proxy.address, f"/?url={ORIGIN}{path}{more}", method, **fields)


# --- what comes of a picture --------------------------------------------------------------------


def test_the_fields_of_a_success(proxy: ImageProxy) -> None:
    answer = of(proxy, "/metadata.jpg")
    assert answer.status == 200
    expected = {
        "Content-Type": "image/jpeg",
        "Content-Length": str(len(answer.body)),
        "Content-Disposition": "inline; filename=image.jpg",
        "Link": f'<http://{ORIGIN}/metadata.jpg>; rel="canonical"',
        "Cache-Control": "public, max-age=31536000",
        "X-Upstream-Response-Length": str(len(PICTURE_FILES["/metadata.jpg"])),
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "Timing-Allow-Origin": "*",
        "X-Images-Api": "5",
        "X-Cache-Status": "MISS",
    }
    assert {name: answer.fields[name] for name in expected} == expected
    assert answer.fields["Expires"]
    assert answer.fields["ETag"] is answer.fields["Last-Modified"] is None
    again = of(proxy, "/metadata.jpg", If_None_Match='"1"', Range="bytes=0-9")
    assert (again.status, again.body) == (200, answer.body)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in PICTURE_FILES
        if "." in path
        and not path.startswith(("/cut", "/text", "/empty", "/head", "/corrupt", "/huge", "/a%20b"))
    ],
)
def test_nothing_comes_out_as_it_went_in(proxy: ImageProxy, path: str) -> None:
    answer = of(proxy, path)
    assert answer.status == 200
    assert answer.body != PICTURE_FILES[path]
    with Image.open(io.BytesIO(PICTURE_FILES[path])) as before, image(answer) as after:
        expected = {"BMP": "PNG"}.get(before.format, before.format)
        assert (after.format, after.size, getattr(after, "n_frames", 1)) == (expected, before.size, 1)
        assert len(after.convert("RGB" if after.mode == "P" else after.mode).getbands()) >= 3
        assert not set(after.info) & {"exif", "icc_profile", "comment", "progressive", "xmp"}
        if before.getextrema() and path != "/clear.png":
            assert imagehash.phash(before.convert("RGB")) - imagehash.phash(after) <= 4


def test_transparency_stays_where_the_format_has_it(proxy: ImageProxy) -> None:
    assert image(of(proxy, "/clear.png")).getpixel((0, 0))[3] == 0
    assert image(of(proxy, "/clear.png", "&output=jpg")).mode == "RGB"


def test_orientation_is_applied_and_sizes_swap() -> None:
    with DemoWorld() as world:
        direct = world.site.answer(
            Request(
                "GET", PICTURES, f"/{STREET}_w1200.jpg", {"referer": "http://www.news.example/"}, secure=False
            )
        )
        made = transform(direct.body, {})
    with Image.open(io.BytesIO(direct.body)) as before, Image.open(io.BytesIO(made.body)) as after:
        assert (before.size, after.size) == ((1200, 800), (800, 1200))
        assert not after.getexif()
        assert imagehash.phash(after) - imagehash.phash(scenes.street()) <= 2


@pytest.mark.parametrize(
    ("more", "size"),
    [
        ("", (300, 200)),
        ("&w=150", (150, 100)),
        ("&h=50", (75, 50)),
        ("&width=150", (150, 100)),
        ("&w=600", (600, 400)),  # enlarges
        ("&w=600&we", (300, 200)),
        ("&w=600&we=1", (300, 200)),
        ("&w=600&t=fit", (300, 200)),
        ("&w=600&t=fitup", (600, 400)),
        ("&w=100&h=100", (100, 67)),
        ("&w=100&h=100&fit=outside", (150, 100)),
        ("&w=100&h=100&fit=cover", (100, 100)),
        ("&w=100&h=100&t=square", (100, 100)),
        ("&w=600&h=600&t=squaredown", (300, 200)),
        ("&w=100&h=100&fit=fill", (100, 100)),
        ("&w=100&h=100&fit=contain", (100, 100)),
        ("&w=100&dpr=2", (200, 133)),
        ("&w=50%25", (150, 100)),
        ("&w=50%", (150, 100)),
        ("&w=abc", (300, 200)),
        ("&w=-5", (300, 200)),
        ("&w=0", (300, 200)),
        ("&w=100&w=200", (100, 67)),
        ("&W=100", (100, 67)),
        ("&amp;w=100", (300, 200)),
        ("&nonsense=1", (300, 200)),
    ],
)
def test_sizes(proxy: ImageProxy, more: str, size: tuple[int, int]) -> None:
    assert image(of(proxy, "/plain.jpg", more)).size == size


@pytest.mark.parametrize(
    ("more", "kind", "media_type", "name"),
    [
        ("&output=png", "PNG", "image/png", "image.png"),
        ("&output=webp", "WEBP", "image/webp", "image.webp"),
        ("&output=gif", "GIF", "image/gif", "image.gif"),
        ("&output=tiff", "TIFF", "image/tiff", "image.tiff"),
        ("&output=avif", "AVIF", "image/avif", "image.avif"),
        ("&output=jxl", "JPEG", "image/jpeg", "image.jpg"),
        ("&output=bmp", "JPEG", "image/jpeg", "image.jpg"),
        ("&filename=harbour7", "JPEG", "image/jpeg", "harbour7.jpg"),
        ("&filename=../x", "JPEG", "image/jpeg", "image.jpg"),
    ],
)
def test_outputs(proxy: ImageProxy, more: str, kind: str, media_type: str, name: str) -> None:
    answer = of(proxy, "/plain.jpg", more)
    assert image(answer).format == kind
    assert answer.fields["Content-Type"] == media_type
    assert answer.fields["Content-Disposition"] == f"inline; filename={name}"


def test_quality(proxy: ImageProxy) -> None:
    low, usual, high = (len(of(proxy, "/plain.jpg", more).body) for more in ("&q=20", "", "&q=95"))
    assert low < usual < high
    for same in ("&q=80", "&quality=80", "&q=200", "&q=x"):
        assert len(of(proxy, "/plain.jpg", same).body) == usual


def test_a_description_instead_of_the_picture(proxy: ImageProxy) -> None:
    answer = of(proxy, "/metadata.jpg", "&output=json&w=100")
    assert answer.fields["Content-Type"] == "application/json"
    said = json.loads(answer.body)
    assert (said["format"], said["width"], said["height"], said["hasProfile"]) == ("jpeg", 100, 67, True)


def test_base64_instead_of_bytes(proxy: ImageProxy) -> None:
    answer = of(proxy, "/plain.jpg", "&encoding=base64")
    assert (answer.fields["Content-Type"], answer.fields["Content-Disposition"]) == ("text/plain", None)
    assert base64.b64decode(answer.body.partition(b"base64,")[2]) == of(proxy, "/plain.jpg").body


@pytest.mark.parametrize(
    ("text", "days"), [("7d", 7), ("2w", 14), ("1y", 365), ("9y", 365), ("0d", 365), ("x", 365)]
)
def test_maxage(proxy: ImageProxy, text: str, days: int) -> None:
    answer = of(proxy, "/plain.jpg", f"&maxage={text}")
    assert answer.fields["Cache-Control"] == f"public, max-age={days * 86400}"


def test_a_cut_jpeg_is_passed_off_as_whole(proxy: ImageProxy) -> None:
    answer = of(proxy, "/cut.jpg")
    assert answer.status == 200
    last = image(answer).convert("L").crop((0, 190, 300, 200))
    assert last.getextrema() == (128, 128)


# --- which URL ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "link"),
    [
        (f"/foo/bar?URL={ORIGIN}/plain.jpg", "/plain.jpg"),
        (f"/?w=9&url={ORIGIN}/plain.jpg&url=nowhere.example/2", "/plain.jpg"),
        (f"/?url=http%3A%2F%2F{ORIGIN}%2Fplain.jpg", "/plain.jpg"),
        (f"/?url={ORIGIN}/plain.jpg%23part", "/plain.jpg"),
        (f"/?url=HTTP://{ORIGIN}/plain.jpg", "/plain.jpg"),
        (f"/?url={ORIGIN}/a%20b/图.jpg?v=1%26w=2", "/a%20b/%E5%9B%BE.jpg?v=1&w=2"),
    ],
)
def test_the_url_grammar_is_the_servers(proxy: ImageProxy, target: str, link: str) -> None:
    raw = target.encode()
    with socket.create_connection(proxy.address, 20) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n" % raw)
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 200 ")
    assert f'\r\nLink: <http://{ORIGIN}{link}>; rel="canonical"\r\n'.encode() in received


@pytest.mark.parametrize(
    "target", ["/", "/quota", f"/?amp;url={ORIGIN}/plain.jpg", f"/?w=1&amp;url={ORIGIN}/plain.jpg"]
)
def test_without_a_url_there_is_a_home_page(proxy: ImageProxy, target: str) -> None:
    answer = ask(proxy.address, target)
    assert (answer.status, answer.fields["Content-Type"], answer.fields["Link"]) == (200, "text/html", None)


@pytest.mark.parametrize(
    ("target", "status"),
    [(f"?url={ORIGIN}/plain.jpg", 400), (f"/?url={ORIGIN}/{'x' * 9000}", 414)],
)
def test_targets_that_the_front_refuses(proxy: ImageProxy, target: str, status: int) -> None:
    answer = ask(proxy.address, target)
    assert (answer.status, answer.fields["Content-Type"]) == (status, "text/html")


def test_a_nested_proxy_is_asked_through_itself(proxy: ImageProxy) -> None:
    answer = ask(proxy.address, f"/?w=50&url={PROXY}/%3Furl={ORIGIN}/plain.jpg%26w=100")
    assert image(answer).size == (50, 34)
    assert answer.fields["Link"] == f'<http://{PROXY}/?url={ORIGIN}/plain.jpg&w=100>; rel="canonical"'


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/moved/301/plain.jpg", "/plain.jpg"),
        ("/moved/308/plain.jpg", "/plain.jpg"),
        ("/moved/302/plain.jpg", "/moved/302/plain.jpg"),
        ("/moved/301/moved/302/moved/301/plain.jpg", "/moved/302/moved/301/plain.jpg"),
        ("/hops/8", "/hops/8"),
    ],
)
def test_the_link_follows_permanent_redirects_only(proxy: ImageProxy, path: str, link: str) -> None:
    answer = of(proxy, path)
    assert (answer.status, answer.fields["Link"]) == (200, f'<http://{ORIGIN}{link}>; rel="canonical"')


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "message"),
    [
        *(
            (f"{ORIGIN}/status/{code}", 404, f"The requested URL returned error: {code}")
            for code in (204, 206, 403, 404, 410, 429, 500, 503)
        ),
        ("nowhere.example/a.jpg", 404, UNREACHABLE),
        (f"{ORIGIN}/text.html", 404, NO_PICTURE),
        (f"{ORIGIN}/empty.jpg", 404, NO_PICTURE),
        (f"{ORIGIN}/coded.jpg", 404, NO_PICTURE),
        (f"{ORIGIN}/head.png", 404, NO_PICTURE),
        (f"{ORIGIN}/corrupt.png", 404, "Image not readable. Is it a valid image?"),
        (f"{ORIGIN}/silent.jpg", 404, "The requested URL timed out."),
        (f"{ORIGIN}/hops/9", 404, "Will not follow more than 10 redirects"),
        (f"{ORIGIN}/self", 404, "Will not follow a redirection to itself"),
        (f"{ORIGIN}/astray", 404, "The requested URL returned error: 302"),
        (
            f"{ORIGIN}/huge.png",
            404,
            "Input image exceeds pixel limit. Width x height should be less than 71000000",
        ),
        (
            f"{ORIGIN}/plain.jpg&w=99999",
            404,
            "Output image exceeds pixel limit. Width x height should be less than 71000000",
        ),
        ("ftp://origin.example/a.jpg", 400, "Unable to parse URI"),
        ("a@origin.example/a.jpg", 400, "Unable to parse URI"),
        (f"{ORIGIN}:99999/a.jpg", 400, "Unable to parse URI"),
        ("x.y", 400, "Unable to parse URI"),
        ("127.0.0.1/a.jpg", 400, "IP address blocked by policy"),
        ("[::1]/a.jpg", 400, "IP address blocked by policy"),
    ],
)
def test_errors(proxy: ImageProxy, value: str, status: int, message: str) -> None:
    answer = ask(proxy.address, f"/?url={value}")
    assert (answer.status, answer.fields["Content-Type"], complaint(answer)) == (
        status,
        "application/json",
        message,
    )
    assert json.loads(answer.body)["code"] == status
    assert answer.fields["Link"] is answer.fields["X-Cache-Status"] is answer.fields["Cache-Control"] is None


def test_a_body_shorter_than_promised_is_called_unresolvable() -> None:
    def cut(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + PICTURE_FILES["/plain.jpg"][:500]
            )

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        ImageProxy({ORIGIN: listener.getsockname()}) as proxy,
    ):
        thread = threading.Thread(target=cut, args=(listener,))
        thread.start()
        answer = ask(proxy.address, f"/?url={ORIGIN}/plain.jpg")
        thread.join()
    assert (answer.status, complaint(answer)) == (404, UNREACHABLE)


@pytest.mark.parametrize(
    ("more", "location"),
    [
        ("&default=pictures.example/none.png", "http://pictures.example/none.png"),
        ("&default=https%3A%2F%2Fpictures.example/none.png", "https://pictures.example/none.png"),
        ("&default=/local.png", "http://local.png/"),
        ("&errorredirect=pictures.example/none.png", "http://pictures.example/none.png"),
        ("&default=1", f"http://{ORIGIN}/status/404"),
        (f"&default={PROXY}/%3Furl=a.example/b.jpg", f"http://{PROXY}/?url=a.example/b.jpg"),
    ],
)
def test_a_default_turns_an_error_into_a_redirect_that_still_says_it(
    proxy: ImageProxy, more: str, location: str
) -> None:
    answer = of(proxy, "/status/404", more)
    assert (answer.status, answer.fields["Location"]) == (302, location)
    assert complaint(answer) == "The requested URL returned error: 404"
    assert answer.fields["Cache-Control"] is None


def test_a_default_that_helps_nobody(proxy: ImageProxy) -> None:
    assert of(proxy, "/self", "&default=1").status == 404
    assert of(proxy, "/status/404", "&default=ftp://x/").status == 404
    assert of(proxy, "/plain.jpg", "&default=a.example/b.png").status == 200


# --- the front ----------------------------------------------------------------------------------


def test_methods(proxy: ImageProxy) -> None:
    whole = of(proxy, "/plain.jpg")
    head = of(proxy, "/plain.jpg", method="HEAD")
    assert (head.status, head.body, head.fields["Content-Length"]) == (200, b"", str(len(whole.body)))
    for method in ("POST", "OPTIONS"):
        answer = of(proxy, "/plain.jpg", method=method)
        assert (answer.status, answer.fields["Content-Type"]) == (405, "text/html")


def test_an_answer_is_kept_from_its_second_miss_on(proxy: ImageProxy) -> None:
    states = [of(proxy, "/plain.jpg", "&cache=1").fields["X-Cache-Status"] for _ in range(4)]
    assert states == ["MISS", "MISS", "HIT", "HIT"]
    assert of(proxy, "/plain.jpg", "&cache=1", Pragma="x").fields["X-Cache-Status"] == "BYPASS"
    assert of(proxy, "/plain.jpg", "&cache=1", Cache_Control="no-cache").fields["X-Cache-Status"] == "HIT"
    assert of(proxy, "/plain.jpg", "&cache=1", method="HEAD").fields["X-Cache-Status"] == "MISS"


def test_text_is_compressed_and_chunked_on_request_and_pictures_never(proxy: ImageProxy) -> None:
    plain, coded = of(proxy, "/status/404"), of(proxy, "/status/404", Accept_Encoding="gzip, br")
    assert plain.fields.get_all("Vary") == coded.fields.get_all("Vary") == ["Accept-Encoding"] * 2
    assert (coded.fields["Content-Encoding"], coded.fields["Transfer-Encoding"]) == ("gzip", "chunked")
    assert gzip.decompress(coded.body) == plain.body
    picture = of(proxy, "/plain.jpg", Accept_Encoding="gzip, br")
    assert picture.fields["Content-Encoding"] is picture.fields["Transfer-Encoding"] is None


def test_too_many_requests() -> None:
    with DemoWorld(limit=RateLimit(3, seconds=600)) as world:
        target = f"/?url={PICTURES}/{FERRY}_w600.jpg"
        statuses = [ask(world.proxy.address, target).status for _ in range(5)]
        late = ask(world.proxy.address, f"{target}&w=9")
        ask(world.proxy.address, "/2")
    assert statuses == [200] * 5  # from the third on out of the cache, which costs nothing
    assert late.status == 200
    with DemoWorld(limit=RateLimit(2, seconds=600, retry_after=0)) as world:
        answers = [ask(world.proxy.address, f"{target}&w={width}") for width in (10, 20, 30)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    fields = answers[-1].fields
    assert fields["Content-Type"] == "text/html"
    assert (fields["X-RateLimit-Limit"], fields["X-RateLimit-Remaining"], fields["Retry-After"]) == (
        "2",
        "0",
        "0",
    )
    assert 0 < int(fields["X-RateLimit-Reset"]) <= 600


def test_a_new_window_begins_when_the_old_one_is_over() -> None:
    with DemoWorld(limit=RateLimit(1, seconds=1)) as world:
        target = f"/?url={PICTURES}/{FERRY}_w600.jpg&w=9"
        assert [ask(world.proxy.address, f"{target}&a={n}").status for n in range(2)] == [200, 429]
        wait = ask(world.proxy.address, f"{target}&a=3").fields["Retry-After"]
        assert wait == "1"
        threading.Event().wait(1.05)
        assert ask(world.proxy.address, f"{target}&a=4").status == 200


def test_only_loopback_may_be_an_origin() -> None:
    proxy = ImageProxy({ORIGIN: ("192.0.2.1", 80)})
    with pytest.raises(UsageError, match="no loopback"):
        proxy.answer(Request("GET", PROXY, f"/?url={ORIGIN}/a.jpg", {}, secure=False))


# --- hostile input ------------------------------------------------------------------------------


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=60),
    st.sampled_from(
        ["", f"url={ORIGIN}", "url=", f"url={ORIGIN}/plain.jpg&", "default=", f"url={ORIGIN}/self&default="]
    ),
)
@settings(max_examples=150, deadline=None)
def test_any_target_gets_an_answer(proxy: ImageProxy, text: str, before: str) -> None:
    reply = proxy.answer(Request("GET", PROXY, f"/?{before}{text.replace(' ', '')}", {}, secure=False))
    assert reply.status in (200, 302, 400, 404)


@given(st.sampled_from(sorted(PICTURE_FILES)), st.integers(0, 20_000), st.binary(max_size=8))
@settings(max_examples=80, deadline=None)
def test_damaged_pictures_end_in_a_picture_or_a_refusal(path: str, at: int, put: bytes) -> None:
    data = PICTURE_FILES[path]
    at %= len(data) + 1
    with contextlib.suppress(Refusal):
        made = transform(data[:at] + put + data[at + len(put) :], {"w": "20"})
        with Image.open(io.BytesIO(made.body)) as image:
            assert image.width == 20
