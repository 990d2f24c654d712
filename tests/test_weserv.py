"""weserv undone: a row for each rule of docs/addresses.md, and what holds for all URLs."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.addresses import NESTING, Proxies, canonical, explain

PROXY = "https://images.weserv.nl/"


def origin(query: str) -> str | None:
    return explain(f"{PROXY}?{query}").origin


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # finding the value
        ("url=h.org/a.jpg", "http://h.org/a.jpg"),
        ("URL=h.org/a.jpg", "http://h.org/a.jpg"),
        ("w=1&uRl=h.org/a.jpg", "http://h.org/a.jpg"),
        ("url=h.org/1&url=h.org/2", "http://h.org/1"),
        ("url&url=h.org/2", "http://h.org/2"),
        ("curl=h.org/1&url=h.org/2", "http://h.org/2"),
        ("url=h.org/a.jpg&w=2", "http://h.org/a.jpg"),
        ("url=h.org/a.jpg?w=1&h=2", "http://h.org/a.jpg?w=1"),
        ("url=h.org/a.jpg?w=1%26h=2", "http://h.org/a.jpg?w=1&h=2"),
        ("url=h.org/a.jpg?w=1%2526h=2", "http://h.org/a.jpg?w=1%26h=2"),
        ("url=h.org/a=b", "http://h.org/a=b"),
        # decoding
        ("url=h.org%2Fa%3Fb", "http://h.org/a?b"),
        ("url=h.org/a+b.jpg", "http://h.org/a+b.jpg"),
        ("url=h.org/a%2Bb.jpg", "http://h.org/a+b.jpg"),
        ("url=h.org/a%2520b.jpg", "http://h.org/a%20b.jpg"),
        ("url=h.org/a%zz", "http://h.org/azz"),
        ("url=h.org/a%4zb", "http://h.org/ab"),
        ("url=h.org/100%.jpg", "http://h.org/100.jpg"),
        ("url=h.org/100%", "http://h.org/100"),
        ("url=h.org/100%4", "http://h.org/100"),
        ("url=h.org/%%41", "http://h.org/%41"),
        ("url=h.org/%4%41", "http://h.org/41"),
        # schemes
        ("url=http://h.org/a", "http://h.org/a"),
        ("url=HTTPS://h.org/a", "https://h.org/a"),
        ("url=https%3A%2F%2Fh.org%2Fa", "https://h.org/a"),
        ("url=ssl:h.org/a", "https://h.org/a"),
        ("url=SSL://h.org/a", "https://h.org/a"),
        ("url=//h.org/a", "https://h.org/a"),
        ("url=/h.org/a", "http://h.org/a"),
        ("url=///h.org/a", "https://h.org/a"),
        ("url=http:///h.org/a", "http://h.org/a"),
        # fragments
        ("url=h.org/a.jpg#b", "http://h.org/a.jpg"),
        ("url=h.org/a.jpg%23b", "http://h.org/a.jpg"),
        ("url=h.org/a.jpg%2523b", "http://h.org/a.jpg%23b"),
        ("url=h.org%23b", "http://h.org/"),
        # paths
        ("url=h.org", "http://h.org/"),
        ("url=h.org?x", "http://h.org/?x"),
        ("url=h.org?x=/y", "http://h.org/?x=/y"),
        ("url=h.org/a/../b/./c//d", "http://h.org/a/../b/./c//d"),
        ("url=h.org/a|b%20c{}%22%5C%5E%60%3C%3E", "http://h.org/a%7Cb%20c%7B%7D%22%5C%5E%60%3C%3E"),
        ("url=h.org/中", "http://h.org/%E4%B8%AD"),
        ("url=h.org/%e4%b8%ad?%e4%b8%ad", "http://h.org/%E4%B8%AD?%E4%B8%AD"),
        ("url=h.org/%25e4%25b8", "http://h.org/%e4%b8"),
        ("url=h.org/%00%7f", "http://h.org/%00%7F"),
        ("url=h.org/!$'()*,-.:;=@[]_~", "http://h.org/!$'()*,-.:;=@[]_~"),
        # hosts
        ("url=WWW.H.Org/A", "http://www.h.org/A"),
        ("url=bücher.example/a", "http://xn--bcher-kva.example/a"),
        ("url=BÜCHER.example/a", "http://xn--bcher-2pa.example/a"),
        ("url=www。中文．example｡org/a", "http://www.xn--fiq228c.example.org/a"),
        ("url=%E2%99%A5.example/", "http://xn--g6h.example/"),
        ("url=h.org./a", "http://h.org/a"),
        ("url=h.org:080/a", "http://h.org:080/a"),
        ("url=[::1]:8780/a", "http://[::1]:8780/a"),
        ("url=http://[2001:db8::1]/a", "http://[2001:db8::1]/a"),
        ("url=https://%5B::1%5D/", "https://[::1]/"),
        ("url=192.0.2.1/a", "http://192.0.2.1/a"),
        ("url=http://h.org:80/a", "http://h.org:80/a"),
        ("url=https://h.org:443/a", "https://h.org:443/a"),
        ("url=h.org:65535/a", "http://h.org:65535/a"),
        ("url=h.org:8080?a:b", "http://h.org:8080/?a:b"),
        ("url=a.b/", "http://a.b/"),
        (f"url={'a' * 63}.org/", f"http://{'a' * 63}.org/"),
        (f"url={'a.' * 126}b/", f"http://{'a.' * 126}b/"),
    ],
)
def test_the_url_that_weserv_asks_for(query: str, expected: str) -> None:
    assert origin(query) == expected


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "no parameter url"),
        ("w=100", "no parameter url"),
        ("url", "no parameter url"),
        ("%75rl=h.org/a", "no parameter url"),
        ("a?url=h.org/a", "no parameter url"),
        ("url=", "fewer than 4"),
        ("url=a.b", "fewer than 4"),
        ("url=http:/h.org/a", "not a port"),
        ("url=ftp://h.org/a", "not a port"),
        ("url=data:image/png;base64,AAAA", "not a port"),
        ("url=unix:/run/socket", "not a port"),
        ("url=http://https://h.org/", "not a port"),
        ("url=ssl:http://h.org/", "not a port"),
        ("url=user:pw@h.org/a", "user name"),
        ("url=user@h.org/a", "user name"),
        ("url=h.org:0/a", "not a port"),
        ("url=h.org:65536/a", "not a port"),
        ("url=h.org:/a", "not a port"),
        ("url=h.org:80:80/a", "not a port"),
        ("url=h.org:%D9%A3/a", "not a port"),
        (f"url=h.org:{'9' * 50}/a", "not a port"),
        (f"url=h.org:{'9' * 5000}/a", "longer than 63"),
        ("url=http://", "not a port"),
        ("url=////", "no host"),
        ("url=?abc", "no host"),
        ("url=:8080/a", "no host"),
        ("url=[::1/a", "not an IPv6"),
        ("url=[1:2]/a", "not an IPv6"),
        ("url=[fe80::1%2525eth0]/a", "not an IPv6"),
        ("url=[::1]8080/a", "neither a port nor a path"),
        ("url=[::1]?a", "neither a port nor a path"),
        ("url=[::1]:0/a", "not a port"),
        ("url=%FF%FE.org/a", "not UTF-8"),
        ("url=h%2520.org/a", "'%'"),
        ("url=h%20.org/a", "' '"),
        ("url=h%5C.org/a", "'\\\\'"),
        (f"url={'a' * 64}.org/", "longer than 63"),
        (f"url={'é' * 40}.org/", "longer than 63"),
        (f"url={'a.' * 127}b/", "longer than 253"),
    ],
)
def test_where_weserv_asks_for_nothing(query: str, reason: str) -> None:
    address = explain(f"{PROXY}?{query}")
    assert address.origin is None
    assert reason in address.reason
    assert address.proxy == "weserv"
    assert [wrapped.url for wrapped in address.via] == [canonical(f"{PROXY}?{query}")]


@pytest.mark.parametrize(
    "written",
    [
        "https://images.weserv.nl?url=h.org/a.jpg",
        "http://wsrv.nl/?url=h.org/a.jpg",
        "https://wsrv.nl/foo/bar?url=h.org/a.jpg",
        "//images.weserv.nl/?url=h.org/a.jpg",
        "images.weserv.nl/?url=h.org/a.jpg",
        "  https://images.weserv.nl/\n?url=h.org/a.jpg",
        "https://img.example.org:8080/?url=h.org/a.jpg",
    ],
)
def test_spellings_of_the_proxy(written: str) -> None:
    address = explain(written, Proxies(("img.example.org:8080",)))
    assert (address.origin, address.proxy) == ("http://h.org/a.jpg", "weserv")
    assert all(canonical(wrapped.url) == wrapped.url for wrapped in address.via)


def test_a_path_of_another_site_is_not_the_proxy() -> None:
    assert explain("/wsrv.nl/?url=h.org/a.jpg").proxy is None
    assert explain("https://img.example.org/?url=h.org/a.jpg").proxy is None


def test_parameters_are_the_proxys_own() -> None:
    address = explain(
        f"{PROXY}?W=1&url=h.org/a.jpg?x=1&w=2&h=50%25&q=50%&we&default=a%2Bb+c%3D&URL=no&=x&&n="
    )
    assert address.origin == "http://h.org/a.jpg?x=1"
    assert address.parameters == {
        "w": "1",
        "h": "50%",
        "q": "50%",
        "we": "",
        "default": "a+b+c=",
        "n": "",
    }


@pytest.mark.parametrize("amp", ["&amp;", "&#38;", "&#x26;", "&AMP;"])
def test_html_escapes_of_a_pasted_attribute(amp: str) -> None:
    before = explain(f"{PROXY}?w=1{amp}url=h.org/a.jpg{amp}q=2")
    assert (before.origin, before.parameters) == ("http://h.org/a.jpg", {"w": "1", "q": "2"})
    assert [wrapped.url for wrapped in before.via] == [f"{PROXY}?w=1&url=h.org/a.jpg&q=2"]
    after = explain(f"{PROXY}?url=h.org/a.jpg{amp}w=1")
    assert (after.origin, after.parameters) == ("http://h.org/a.jpg", {"w": "1"})
    asked = [wrapped.url for wrapped in after.via]
    assert asked == [canonical(after.url)], "what a browser asks for, given this text"


def test_only_references_with_a_semicolon_are_undone() -> None:
    assert explain(f"{PROXY}?url=h.org/a&copy=1&lt=2&foo;=3").parameters == {
        "copy": "1",
        "lt": "2",
        "foo;": "3",
    }
    assert origin("url=h.org/it&#39;s.jpg") == "http://h.org/it's.jpg"
    assert origin("url=h.org/a?b%26amp;c") == "http://h.org/a?b&amp;c"


def test_escapes_are_not_undone_within_the_value() -> None:
    inner = explain(f"{PROXY}?url=" + quote("wsrv.nl/?w=1&amp;url=h.org/a.jpg", safe=""))
    assert inner.origin is None
    assert len(inner.via) == 2


def nested(url: str, depth: int) -> str:
    for _ in range(depth):
        url = f"{PROXY}?w=9&url={quote(url, safe='')}&h=8"
    return url


@given(st.integers(1, NESTING))
def test_nested_proxies_are_all_undone(depth: int) -> None:
    address = explain(nested("https://h.org/a.jpg?b=1&c=2", depth))
    assert address.origin == "https://h.org/a.jpg?b=1&c=2"
    assert [wrapped.url for wrapped in address.via] == [
        nested("https://h.org/a.jpg?b=1&c=2", left) for left in range(depth, 0, -1)
    ]
    assert address.parameters == {"w": "9", "h": "8"}


def test_nesting_has_an_end() -> None:
    url = f"{PROXY}?url=wsrv.nl/" * 5000 + "?url=h.org/a.jpg"
    address = explain(url)
    assert address.origin is None
    assert str(NESTING) in address.reason


def test_nested_without_encoding() -> None:
    address = explain("https://wsrv.nl/?url=images.weserv.nl?url=h.org/a.jpg&w=2")
    assert address.origin == "http://h.org/a.jpg"
    assert address.parameters == {"w": "2"}
    assert address.via[1].url == "http://images.weserv.nl/?url=h.org/a.jpg"


LABEL = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=4).map(".".join) | st.just("[2001:db8::1]")
PORT = st.just("") | st.integers(1, 65535).map(":{}".format)
URI_CHARACTERS = "abcXYZ019-._~!$&'()*+,;=:@/%[]"
PATH = st.text(URI_CHARACTERS, max_size=40).map("/{}".format)
QUERY = st.just("") | st.text(URI_CHARACTERS + "?", max_size=40).map("?{}".format)
ORIGIN = st.builds("{}://{}{}{}{}".format, st.sampled_from(["http", "https"]), HOST, PORT, PATH, QUERY)


@given(ORIGIN, st.sampled_from(["", "~/", "/:"]))
def test_round_trip(url: str, safe: str) -> None:
    address = explain(f"{PROXY}?w=1&url={quote(url, safe=safe)}&h=2")
    assert address.origin == url
    assert address.parameters == {"w": "1", "h": "2"}


@given(ORIGIN)
def test_an_origin_is_a_fixed_point(url: str) -> None:
    found = origin("url=" + quote(url + "é|", safe=""))
    assert found is not None
    assert origin("url=" + quote(found, safe="")) == found


@given(st.text(URI_CHARACTERS + " é中|{}?", max_size=40))
def test_decoded_once_and_never_twice(path: str) -> None:
    twice = quote(quote(path, safe=""), safe="")
    assert origin(f"url=h.org/{twice}") == f"http://h.org/{quote(path, safe='')}"


@given(st.text("+ab%2B", max_size=20).filter(lambda text: "%" not in text.replace("%2B", "")))
def test_plus_is_kept(path: str) -> None:
    assert origin(f"url=h.org/{path}") == "http://h.org/" + path.replace("%2B", "+")


@given(st.binary(max_size=60))
def test_any_bytes_in_the_path_become_a_url(raw: bytes) -> None:
    found = origin("url=h.org/" + quote(raw, safe=""))
    assert found is not None
    assert found.startswith("http://h.org/")
    assert re.fullmatch(r"[!-~]*", found)


@given(st.text(alphabet="ab0+é中 |", max_size=20))
def test_path_bytes_outside_rfc_3986_are_encoded_and_no_others(path: str) -> None:
    assert origin("url=h.org/" + quote(path, safe="")) == "http://h.org/" + quote(path, safe="+")


@given(st.text(max_size=30))
def test_any_host_ends_in_a_result(host: str) -> None:
    address = explain(f"{PROXY}?url=" + quote(host, safe="", errors="replace") + "/a.jpg")
    assert address.proxy == "weserv"
    assert bool(address.origin) != bool(address.reason)
