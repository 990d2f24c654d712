import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.addresses import Address, Proxies, canonical, explain, upload_time
from archiver.errors import UsageError

SAMPLE = Path(__file__).parents[2] / "shared" / "samples" / "000_eb24c55ad338b572.txt"

ANY_TEXT = st.text() | st.text(alphabet="htps:/?&=#%.@[]\\url wesrvn.imag\u3002é\ud800\0;", max_size=80)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://images.weserv.nl?url=x", "https://images.weserv.nl/?url=x"),
        ("HTTP://Example.ORG:80/A", "http://example.org/A"),
        ("https://example.org:443", "https://example.org/"),
        ("http://example.org:8080", "http://example.org:8080/"),
        ("http://h/a#b", "http://h/a"),
        ("http://h/?#b", "http://h/?"),
        ("http://h/a+b?c+d=%2b%2B%c3%A9", "http://h/a+b?c+d=%2b%2B%c3%A9"),
        ("http://h/100%.jpg?%zz", "http://h/100%.jpg?%zz"),
        ("http://h/a/../b/%2e/c//d", "http://h/b/c//d"),
        (" \thttp://h/a b\n", "http://h/a%20b"),
        ("http://bücher.example/é", "http://xn--bcher-kva.example/%C3%A9"),
        ("http://[::1]:8780/a", "http://[::1]:8780/a"),
        ("http://h/\ud800", "http://h/%EF%BF%BD"),
    ],
)
def test_canonical_is_what_a_browser_asks_for(url: str, expected: str) -> None:
    assert canonical(url) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h/a.jpg",
        "//h/a.jpg",
        "ftp://h/a",
        "javascript:1",
        "data:image/png,x",
        "http://",
        "http://h:65536/",
    ],
)
def test_canonical_refuses_what_http_cannot_fetch(url: str) -> None:
    with pytest.raises(UsageError):
        canonical(url)


@pytest.mark.parametrize("url", ["http://user@h/", "http://user:secret@h/", "http://:secret@h/"])
def test_canonical_refuses_passwords_and_does_not_repeat_them(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        canonical(url)
    assert "secret" not in str(caught.value)
    assert caught.value.advice
    assert "secret" not in explain(url).reason


@given(ANY_TEXT)
def test_canonical_is_idempotent_or_refuses(text: str) -> None:
    for url in (text, "http://h/" + text):
        try:
            once = canonical(url)
        except UsageError:
            continue
        assert canonical(once) == once
        assert "#" not in once
        assert once.isascii()


@given(ANY_TEXT)
def test_explain_takes_any_text(text: str) -> None:
    for written in (text, "https://wsrv.nl/?" + text, "https://wsrv.nl/?url=" + text, "//" + text):
        address = explain(written, Proxies(("img.example.org:8080",)))
        assert address.url == written
        assert (address.origin is None) == bool(address.reason)
        assert (address.proxy is None) == (not address.via)
        assert {"url", "origin", "proxy", "parameters"} <= address.row().keys()
        for wrapped in address.via:
            assert canonical(wrapped.url) == wrapped.url
        if address.origin is not None:
            assert re.fullmatch(r"https?://[!-~]+/[!-~]*", address.origin)


def test_without_a_proxy_the_origin_is_the_canonical_form() -> None:
    url = "HTTPS://Example.org?a=1&amp;url=http://h/b.jpg#c"
    assert explain(url) == Address(url=url, origin="https://example.org/?a=1&amp;url=http://h/b.jpg")
    assert explain("//example.org/a.jpg").origin == "https://example.org/a.jpg"


def test_row_always_has_its_four_keys() -> None:
    row = explain("nothing").row()
    assert json.loads(json.dumps(row)) == row
    assert row["origin"] is None
    assert row["proxy"] is None
    assert row["parameters"] == {}
    assert "not a URL" in str(row["reason"])
    assert list(explain("http://h/").row()) == ["url", "origin", "proxy", "parameters"]


@pytest.mark.parametrize(
    ("url", "instances", "expected"),
    [
        ("https://images.weserv.nl?url=x", (), True),
        ("http://wsrv.nl/any/path", (), True),
        ("https://WSRV.nl.:443/", (), True),
        ("https://wsrv.nl:8443/?url=x", (), False),
        ("https://images.weserv.nl.example.org/?url=x", (), False),
        ("https://notwsrv.nl/?url=x", (), False),
        ("https://example.org/wsrv.nl/?url=x", (), False),
        ("https://user@wsrv.nl/?url=x", (), False),
        ("ftp://wsrv.nl/?url=x", (), False),
        ("wsrv.nl", (), True),
        ("https://img.example.org/?url=x", ("img.example.org",), True),
        ("http://img.example.org/?url=x", ("IMG.example.org",), True),
        ("http://img.example.org:8080/", ("img.example.org",), False),
        ("http://img.example.org:8080/", ("img.example.org:8080",), True),
        ("http://img.example.org/", ("img.example.org:8080",), False),
        ("https://img.example.org/", ("img.example.org:443",), True),
        ("http://img.example.org/", ("img.example.org:443",), False),
        ("http://[::1]:8780/?url=x", ("[::1]:8780",), True),
        ("http://图.example/?url=x", ("图.example",), True),
    ],
)
def test_which_urls_go_through_weserv(url: str, instances: tuple[str, ...], expected: bool) -> None:
    assert (explain(url, Proxies(instances)).proxy == "weserv") is expected


@pytest.mark.parametrize(
    "instance", ["", "https://img.example.org", "h/path", "user@h", "h:99999", "a b", "h?x"]
)
def test_an_instance_is_a_host_or_host_and_port(instance: str) -> None:
    with pytest.raises(UsageError, match="not a server of an image proxy"):
        Proxies((instance,))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("01000000-0a00-0242-1524-08dbe0853e12_cx5_cy8_cw93_r1_s_w900.jpg", "2023-11-08T18:05:07.970179Z"),
        ("01000000-c0a8-0242-3605-08dbe0853df5_w900.jpg", "2023-11-08T18:05:07.780966Z"),
        ("01000000-C0A8-0242-3605-08DBE0853DF5_tv_w1200_h630.jpg", "2023-11-08T18:05:07.780966Z"),
        ("01000000-c0a8-0242-3605-08dbe0853df5.png?x=/y", "2023-11-08T18:05:07.780966Z"),
    ],
)
def test_upload_time_from_the_pictures_name(name: str, value: str) -> None:
    time = upload_time(f"http://gdb.voanews.com/{name}")
    assert time is not None
    assert (time.clock, time.written, time.value) == ("guid", name[:36], value)


@pytest.mark.parametrize(
    "url",
    [
        "http://gdb.voanews.com/2BE1F1D1-4B7D-4B7D-8A3E-0B7B2C9A7B11_w900.jpg",  # random
        "http://gdb.voanews.com/01000000-0a01-0242-1524-08dbe0853e12.jpg",  # another second group
        "http://gdb.voanews.com/01000000-0a00-0243-1524-08dbe0853e12.jpg",  # another third group
        "http://gdb.voanews.com/01000000-0a00-0242-1524-08c000000000.jpg",  # before 2010
        "http://gdb.voanews.com/01000000-0a00-0242-1524-0fffffffffff.jpg",  # to come
        "http://gdb.voanews.com/01000000-0a00-0242-ffff-ffffffffffff.jpg",  # after year 9999
        "http://gdb.voanews.com/01000000-0a00-0242-1524-08dbe0853e12",  # no extension
        "http://gdb.voanews.com/a.jpg?01000000-0a00-0242-1524-08dbe0853e12.jpg",
        "",
    ],
)
def test_no_upload_time_in_other_names(url: str) -> None:
    assert upload_time(url) is None


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2024, 1, 1)),  # noqa: DTZ001 - the strategy wants them naive
    st.integers(0, 9),
    st.sampled_from(["0a00", "0aff", "c0a8"]),
)
def test_upload_time_is_the_ticks_of_dotnet(moment: datetime, tick: int, group: str) -> None:
    ticks = (moment - datetime(1, 1, 1)) // timedelta(microseconds=1) * 10 + tick  # noqa: DTZ001
    digits = f"{ticks:016x}"
    time = upload_time(f"https://gdb.rferl.org/01000000-{group}-0242-{digits[12:]}-{digits[:12]}_w1.gif")
    assert time is not None
    assert time.value is not None
    assert time.value.endswith("Z")
    assert datetime.fromisoformat(time.value) == moment.replace(tzinfo=UTC)


@given(ANY_TEXT)
@settings(max_examples=50)
def test_upload_time_takes_any_text(text: str) -> None:
    assert upload_time(text) is None


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample lies beside the repository, not in it")
def test_the_sample() -> None:
    written = re.findall(r'src="([^"]+)"', SAMPLE.read_text(encoding="utf-8"))
    addresses = [explain(url) for url in written]
    assert [address.origin for address in addresses] == [
        "http://gdb.voanews.com/01000000-0a00-0242-1524-08dbe0853e12_cx5_cy8_cw93_r1_s_w900.jpg",
        "http://gdb.voanews.com/01000000-c0a8-0242-3605-08dbe0853df5_w900.jpg",
    ]
    for url, address in zip(written, addresses, strict=True):
        (wrapped,) = address.via
        assert (wrapped.url, wrapped.parameters) == (url.replace("nl?", "nl/?"), {})
        assert upload_time(str(address.origin)) is not None
