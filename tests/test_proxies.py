"""Every image proxy undone: the rows' own examples, a corpus of spellings, wrapping then unwrapping."""

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from string import Template
from urllib.parse import quote

import ada_url
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver import config
from archiver.addresses import NESTING, Proxies, ProxyRule, Wrapped, canonical, explain
from archiver.addresses.proxies import LONGEST, public_rules
from archiver.errors import UsageError

DOCS = Path(__file__).parent.parent / "docs"
CORPUS = Path(__file__).with_name("address_corpus.tsv")


def corpus() -> list[tuple[str, str, str]]:
    lines = [line.split("\t") for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return [(row[0], row[1], row[2]) for row in lines if len(row) == 3]


def rows() -> Iterator[tuple[str, ProxyRule]]:
    """Each row with a name of its own."""
    seen: dict[str, int] = {}
    for rule in public_rules():
        seen[rule.name] = seen.get(rule.name, 0) + 1
        yield f"{rule.name}-{seen[rule.name]}", rule


ROWS = dict(rows())
TEMPLATES = {name: rule for name, rule in ROWS.items() if rule.template}
WHOLE = {name: rule for name, rule in TEMPLATES.items() if not rule.loses}


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_examples_of_each_row(name: str) -> None:
    rule = ROWS[name]
    assert rule.source
    assert rule.examples
    assert rule.opaque or rule.template or rule.name in {"fox-news", "nitter"}
    for url, origin in rule.examples.items():
        address = explain(url)
        assert (address.proxy, address.origin) == (rule.name, origin or None)
        assert address.via[0].url == canonical(url)


def test_rows_can_be_given_as_a_persons_own() -> None:
    """What is checked of a person's rows holds of the public ones, too."""
    Proxies(rules=public_rules())


def test_no_row_hides_another() -> None:
    """Of one name and one place, no two rows are the same."""
    keys = [(rule.hosts, rule.marks, rule.path, rule.origin) for rule in ROWS.values()]
    assert len(set(keys)) == len(keys)


# --- the corpus ----------------------------------------------------------------------------------


def test_the_corpus_is_large_and_knows_every_proxy() -> None:
    given = corpus()
    assert len({written for _, written, _ in given}) == len(given) >= 300
    assert {proxy for proxy, _, _ in given} - {"-"} == {rule.name for rule in ROWS.values()}
    assert sum(proxy == "-" for proxy, _, _ in given) >= 60


@pytest.mark.parametrize(("proxy", "written", "origin"), corpus())
def test_spelling(proxy: str, written: str, origin: str) -> None:
    address = explain(written)
    assert (address.proxy or "-") == proxy
    if origin.startswith("!"):
        assert address.origin is None
        assert origin[1:] in address.reason
    else:
        assert (address.origin, address.reason) == (origin, "")
    assert json.loads(json.dumps(address.row())) == address.row()


# --- wrap, then unwrap ---------------------------------------------------------------------------

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(lambda it: it[2:4] != "--")
NAME = st.builds("{}.{}".format, st.lists(LABEL, min_size=1, max_size=3).map(".".join), st.just("example"))
HOST = NAME | st.sampled_from(["bücher.example", "图片.example", "192.0.2.7"])
IPV6 = st.sampled_from(["[2001:db8::7]", "[::ffff:192.0.2.7]"])
PORT = st.just("") | st.integers(1, 65535).map(":{}".format)
TEXT = st.lists(
    st.sampled_from(
        [*"aZ09-._~!$'()*,;:@/+=&", "%2F", "%3f", "%26", "%20", "%25", "%E4%B8%AD", "%ff", "é", "中"]
    ),
    max_size=12,
).map("".join)
PATH = TEXT.map("/{}".format).filter(lambda path: not path.startswith("//"))
QUERY = st.sampled_from(["", "?"]) | TEXT.map("?q{}".format)
SCHEME = st.sampled_from(["http", "https"])
ORIGIN = st.builds("{}://{}{}{}{}".format, SCHEME, HOST | IPV6, PORT, PATH, QUERY).map(canonical)
NAMED = st.builds(
    "{}://{}{}{}{}".format, SCHEME, HOST, PORT, PATH, st.just("") | TEXT.map("?q{}".format)
).map(canonical)


def wrapped(template: str, origin: str) -> str:
    """What RSSHub, a template engine, and encodeURIComponent would make of it."""
    url = ada_url.URL(origin)
    parts = {
        "href": origin,
        "origin": url.origin,
        "protocol": url.protocol,
        "host": url.host,
        "hostname": url.hostname,
        "port": url.port,
        "pathname": url.pathname,
        "search": url.search,
    }
    forms = dict(parts)
    for name, value in parts.items():
        forms[f"{name}_ue"] = quote(value, safe="!'()*")
        forms[f"{name}_b64"] = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
        forms[f"{name}_hex"] = value.encode().hex()
    return Template(template).substitute(forms)


def kept(rule: ProxyRule, origin: str) -> str:
    """What is left of the origin after exactly the losses that the row states."""
    if not rule.loses:
        return origin
    url = ada_url.URL(origin)
    scheme, server, search = url.protocol, url.host, url.search
    if "scheme" in rule.loses:
        scheme = f"{rule.scheme or 'https'}:"
    if "host" in rule.loses:
        scheme, server = ada_url.URL(rule.template.partition("$")[0]).protocol, "www.news.example"
    if "query" in rule.loses:
        search = ""
    return canonical(f"{scheme}//{server}{url.pathname}{search}")


@pytest.mark.parametrize("name", TEMPLATES)
def test_wrap_then_unwrap_is_the_identity_but_for_stated_losses(name: str) -> None:
    rule = TEMPLATES[name]

    @given(NAMED if rule.loses else ORIGIN)
    @settings(max_examples=60)
    def identity(origin: str) -> None:
        if "host" in rule.loses and ada_url.URL(origin).pathname == "/":
            return  # the site's front page is no picture
        address = explain(wrapped(rule.template, origin))
        assert address.proxy == rule.name
        assert address.origin == kept(rule, origin)
        assert len(address.via) == 1

    identity()


@given(TEXT, st.sampled_from(["", "orig/"]), st.sampled_from(["media", "profile_images/7"]))
def test_nitter(name: str, large: str, folder: str) -> None:
    path = canonical(f"https://h/{folder}/x{name}").removeprefix("https://h/")
    written = f"https://nitter.example/pic/{large}{quote(path, safe='')}"
    assert explain(written).origin == canonical(f"https://pbs.twimg.com/{path}")


@given(NAME, PATH, st.integers(0, 4000))
def test_fox(host: str, folder: str, width: int) -> None:
    path = canonical(f"http://h{folder}").removeprefix("http://h")
    assert (
        explain(f"https://a57.foxnews.com/{host}{path}/{width}/0/a.jpg?ve=1").origin
        == f"http://{host}{path}/a.jpg"
    )


@given(ORIGIN, st.lists(st.sampled_from(sorted(WHOLE)), min_size=2, max_size=4))
@settings(max_examples=300)
def test_nested_mixtures_are_all_undone(origin: str, names: list[str]) -> None:
    url = origin
    urls = []
    for name in names:
        url = canonical(wrapped(WHOLE[name].template, url))
        urls.append(url)
    address = explain(url)
    assert address.origin == origin
    assert [each.url for each in address.via] == urls[::-1]
    assert [each.proxy for each in address.via] == [WHOLE[name].name for name in names[::-1]]
    assert address.parameters == address.via[0].parameters
    assert address.row()["via"] == [msgspec.to_builtins(each) for each in address.via]


def test_nesting_has_an_end_for_mixtures() -> None:
    url = "https://news.example/a.jpg"
    for _ in range(NESTING + 1):
        url = "https://web.archive.org/web/20231108183904im_/" + url
    address = explain(url)
    assert address.origin is None
    assert str(NESTING) in address.reason
    assert len(address.via) == NESTING


# --- what a wrapper says -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "parameters"),
    [
        (
            "https://web.archive.org/web/20231108183904im_/https://news.example/a.jpg?w=1",
            {"timestamp": "20231108183904", "modifier": "im_"},
        ),
        ("https://web.archive.org/web/2023/http://news.example/", {"timestamp": "2023"}),
        (
            "https://i0.wp.com/news.example/a.jpg?ssl=1&W=300&q=x%3D1&resize=3%2C4&w=5",
            {"ssl": "1", "w": "300", "resize": "3,4"},
        ),
        (
            "https://ik.imagekit.io/demo/tr:w-4/https://news.example/a.jpg?v=1&ik-s=f00d",
            {"options": "tr:w-4", "ik-s": "f00d"},
        ),
        ("https://www.news.example/_next/image?url=%2Fa.jpg&w=640&q=a%2Bb+c", {"w": "640", "q": "a+b+c"}),
        ("https://corsproxy.io/?https://news.example/a.jpg?w=1", {}),
    ],
)
def test_parameters_are_the_proxys_own(written: str, parameters: dict[str, str]) -> None:
    assert explain(written).parameters == parameters


def test_percent_decoding_happens_once_and_plus_is_kept() -> None:
    found = explain("https://slack-imgs.com/?url=https%3A%2F%2Fnews.example%2Fa+b%2Bc%2520d%252F%25zz")
    assert found.origin == "https://news.example/a+b+c%20d%2F%zz"
    form = explain("https://www.news.example/_next/image?url=https%3A%2F%2Fnews.example%2Fa+b%2Bc")
    assert form.origin == "https://news.example/a%20b+c"


def test_bytes_that_are_no_text_become_escapes() -> None:
    found = explain("https://slack-imgs.com/?url=https%3A%2F%2Fnews.example%2F%FF%00%0A%20%E4%B8%AD")
    assert found.origin == "https://news.example/%FF%00%0A%20%E4%B8%AD"
    found = explain("https://slack-imgs.com/?url=%20https%3A%2F%2Fnews.example%2Fa.jpg%0A")
    assert found.origin == "https://news.example/a.jpg"


@pytest.mark.parametrize(
    "within",
    [
        "ftp://h.example/a",
        "data:image/png,x",
        "user:pw@h.example/a",
        "a.jpg",
        "http://",
        "https://u@h.example/",
    ],
)
def test_what_is_no_url_is_no_origin(within: str) -> None:
    address = explain("https://slack-imgs.com/?url=" + quote(within, safe=""))
    assert (address.proxy, address.origin) == ("slack", None)
    assert "cannot be read" in address.reason


def test_html_escapes_of_a_pasted_attribute() -> None:
    address = explain(
        "https://external-content.duckduckgo.com/iu/?f=1&amp;u=https%3A%2F%2Fnews.example%2Fa.jpg"
    )
    assert address.origin == "https://news.example/a.jpg"
    assert address.via[0].url.endswith("?f=1&u=https%3A%2F%2Fnews.example%2Fa.jpg")
    first = "https://external-content.duckduckgo.com/iu/?u=https%3A%2F%2Fnews.example%2Fa.jpg&amp;f=1"
    assert explain(first).via == (Wrapped(url=first, proxy="duckduckgo", parameters={"f": "1"}),)


# --- a person's own rows -------------------------------------------------------------------------


def own(**fields: object) -> Proxies:
    return Proxies(rules=[msgspec.convert({"name": "mine"} | fields, ProxyRule)])


@pytest.mark.parametrize(
    "template",
    [
        "https://img.example.net/?u=${href_ue}",
        "https://img.example.net/?u=${href_ue}&w=600",
        "https://img.example.net/${href}",
        "http://img.example.net:8080/x/${href_ue}/y",
        "https://img.example.net/${protocol}//${host}${pathname}${search}",
        "https://img.example.net/${origin_ue}/${pathname_ue}${search_ue}",
        "https://img.example.net/${protocol_ue}/${hostname_ue}/${port_ue}/${pathname_ue}?${search_ue}",
        "https://img.example.net/p/${href_b64}.jpg",
        "https://img.example.net/p/${href_hex}",
        "https://图.example.net/中?u=${href_ue}#x",
    ],
)
def test_a_template_is_read_backwards(template: str) -> None:
    proxies = own(template=template)

    @given(ORIGIN if "href" in template else NAMED)
    @settings(max_examples=60)
    def identity(origin: str) -> None:
        address = explain(wrapped(template.partition("#")[0], origin), proxies)
        assert (address.proxy, address.origin) == ("mine", origin)

    identity()


@pytest.mark.parametrize("scheme", ["", "http"])
def test_a_template_of_host_and_path_loses_scheme_and_query(scheme: str) -> None:
    proxies = own(template="https://img.example.net/${host}${pathname}", scheme=scheme)

    @given(NAMED)
    def identity(origin: str) -> None:
        url = ada_url.URL(origin)
        found = explain(wrapped("https://img.example.net/${host}${pathname}", origin), proxies).origin
        assert found == canonical(f"{scheme or 'https'}://{url.host}{url.pathname}")

    identity()


def test_more_arguments_may_follow_a_templates() -> None:
    proxies = own(template="https://img.example.net/?u=${href_ue}")
    written = "img.example.net/?u=https%3A%2F%2Fnews.example%2Fa.jpg&w=600"
    assert explain(written, proxies).origin == "https://news.example/a.jpg"
    assert explain(written).origin is None


def test_a_template_is_for_its_own_host() -> None:
    proxies = own(template="https://img.example.net/?u=${href_ue}")
    for url in (
        "https://www.example.net/?u=http%3A%2F%2Fh.example%2F",
        "https://img.example.net:8443/?u=http%3A%2F%2Fh.example%2F",
    ):
        assert explain(url, proxies).proxy is None


def test_a_persons_row_comes_before_the_public_ones() -> None:
    proxies = own(hosts=["wsrv.nl"], origin="{u:base64}")
    assert explain("https://wsrv.nl/?u=aHR0cDovL2guZXhhbXBsZS8", proxies).proxy == "mine"
    assert explain("https://wsrv.nl/?url=h.example/", proxies).proxy == "weserv"


def test_a_row_for_any_host_needs_a_url_that_can_be_one() -> None:
    proxies = own(marks=["/fetch/"], path="/fetch/(?P<rest>.+)", origin="{rest}", scheme="https")
    assert explain("https://any.example/fetch/h.example/a.jpg", proxies).origin == "https://h.example/a.jpg"
    assert explain("https://any.example/fetch/localhost/a.jpg", proxies).proxy is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "'mine', hosts"),
        ({"hosts": ["img.example.net"]}, "'mine', origin"),
        ({"hosts": ["img.example.net"], "path": "(", "origin": "{a}"}, "'mine', path"),
        ({"hosts": ["img.example.net"], "origin": "{a:rot13}"}, "'mine', origin: no coding 'rot13'"),
        ({"hosts": ["img.example.net"], "origin": "{a}", "own": []}, "'mine', origin: 'a'"),
        ({"hosts": ["https://img.example.net"], "origin": "{a}"}, "'mine', hosts: not a server"),
        ({"path": "/x", "origin": "{a}"}, "'mine', hosts"),
        ({"marks": [""], "path": "/x", "origin": "{a}"}, "'mine', hosts"),
        ({"template": "https://img.example.net/"}, "'mine', template"),
        ({"template": "https://img.example.net/${pathname}"}, "'mine', template: it has neither"),
        ({"template": "https://${host}/"}, "'mine', template"),
        ({"template": "https://img.example.net/${url}"}, "is no variable"),
        ({"template": "https://img.example.net/${href_rot13}"}, "is no variable"),
        ({"template": "https://img.example.net/${href}${href}"}, "a variable twice"),
        ({"template": "ftp://img.example.net/${href}"}, "'mine', template: not an http"),
    ],
)
def test_a_bad_row_is_named_with_its_field(fields: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        own(**fields)
    assert message in str(caught.value)
    assert caught.value.advice


def test_rows_come_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "archiver.toml"
    file.write_text('[[proxies]]\nname = "mine"\ntemplate = "https://img.example.net/?u=${href_ue}"\n')
    found = config.load(tmp_path)
    written = "https://img.example.net/?u=https%3A%2F%2Fnews.example%2Fa.jpg"
    assert explain(written, Proxies(found.instances, found.proxies)).origin == "https://news.example/a.jpg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[proxies]]\nname = "mine"\ntemplates = "x"\n', "templates"),
        ('[[proxies]]\ntemplate = "https://img.example.net/${href}"\n', "name"),
        ('[[proxies]]\nname = "my mirror"\n', "name"),
        ('[[proxies]]\nname = "mine"\nscheme = "ftp"\n', "scheme"),
        ('timegate = "ftp://archive.example/"\n', "timegate"),
        ('timegate = "https://user:secret@archive.example/"\n', "timegate"),
    ],
)
def test_a_slip_in_the_settings_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "archiver.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        config.load(tmp_path)


# --- documents -----------------------------------------------------------------------------------


def test_every_proxy_and_every_field_of_a_row_is_explained() -> None:
    text = (DOCS / "addresses.md").read_text(encoding="utf-8")
    known = text.partition("### Known proxies")[2].partition("\nWhat is not known")[0]
    assert [name for name in sorted({rule.name for rule in ROWS.values()}) if f"`{name}`" not in known] == []
    table = text.partition("## The table of proxies")[2].partition("**Order.**")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == list(ProxyRule.__struct_fields__)


def test_examples_of_rows_in_the_settings_page_can_be_applied() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    for example in re.findall(r"^```toml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        found = msgspec.toml.decode(example, type=config.Settings)
        Proxies(found.instances, found.proxies)


# --- hostile -------------------------------------------------------------------------------------

PIECES = [
    "a",
    "/",
    "/a",
    "a:b/",
    "%41",
    "%",
    ".",
    "a.",
    "0x0,",
    "/http://",
    "https%3A%2F%2F",
    "/aHR0c",
    "@a",
    "&a=b",
]
PIECES += [
    "(",
    "()",
    "a(",
    "/plain/",
    "/unsafe",
    "68",
    "é",
    "&amp;",
    "/20231108183904",
    "a_",
    ",fit",
    '"',
    "=/",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_no_url_takes_long(name: str) -> None:
    """A regular expression that backtracks would take seconds for a URL as long as the limit."""
    for url in ROWS[name].examples:
        for head in (url, url[: url.rfind("/") + 1]):
            for piece in PIECES:
                written = (head + piece * LONGEST)[: LONGEST - len(piece) * 5]
                start = time.process_time()
                explain(written)
                assert time.process_time() - start < 1, (head, piece)


@given(st.sampled_from(sorted(ROWS)), st.text(max_size=20), st.integers(0, 200))
def test_explain_takes_any_text_after_a_proxys_name(name: str, text: str, at: int) -> None:
    for url in ROWS[name].examples:
        address = explain(url[:at] + text)
        assert (address.origin is None) == bool(address.reason)
        assert all(canonical(each.url) == each.url for each in address.via)


def test_a_very_long_text_is_explained() -> None:
    for text in (
        "https://i0.wp.com/" + "a/" * 50_000,
        "a" * 100_000,
        "https://wsrv.nl/?url=h.example/" + "%41" * 40_000,
    ):
        assert explain(text).url == text
