"""Renditions: which URLs are the same picture, what they claim, and where a larger one may be."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.addresses import canonical, upload_time
from archiver.addresses.renditions import URL_CHARS, families, larger, rendition_of

SAMPLE = Path(__file__).parents[2] / "shared" / "samples" / "000_eb24c55ad338b572.txt"

# Families whose master, or a further URL, bears no sign of any family.
SIGNLESS = {"bbc", "dims", "generic", "pangea", "query"}


@dataclass(frozen=True)
class Case:
    picture: int
    family: str
    master: str | None
    area: str
    width: int | None
    height: int | None
    url: str


def _read_cases() -> list[Case]:
    cases: list[Case] = []
    picture, family, master = -1, "", ""
    for line in Path(__file__).with_name("rendition_cases.txt").read_text(encoding="utf-8").splitlines():
        match line.split(" | "):
            case [name, url] if not line.startswith("#"):
                master = url
                if name != "same":
                    picture, family = picture + 1, name
            case [area, size, url] if not line.startswith("#"):
                width, height = (None if side == "-" else int(side) for side in size.split(" x "))
                area = "" if area == "-" else area
                known = None if master in ("-", url) else master
                cases.append(Case(picture, family, known, area, width, height, url))
    return cases


CASES = _read_cases()


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_what_a_url_claims(case: Case) -> None:
    assert canonical(case.url) == case.url
    claimed = rendition_of(case.url)
    assert claimed is not None
    assert claimed.family == case.family
    assert (claimed.area, claimed.width, claimed.height) == (case.area, case.width, case.height)
    assert claimed.master == case.master
    assert larger(case.url)[:1] == ((case.master,) if case.master else ())


def test_a_group_is_one_picture_and_a_picture_is_one_group() -> None:
    groups = {(case.picture, getattr(rendition_of(case.url), "group", None)) for case in CASES}
    pictures = {case.picture for case in CASES}
    assert len(CASES) >= 200
    assert len(groups) == len(pictures), "two groups for one picture"
    assert len({group for _, group in groups}) == len(pictures), "one group for two pictures"
    assert {case.family for case in CASES} == {family.name for family in families()}


def test_the_larger_ones_are_of_the_same_picture_and_never_smaller() -> None:
    for case in CASES:
        claimed, urls = rendition_of(case.url), larger(case.url)
        assert claimed is not None
        assert case.url not in urls
        assert len(set(urls)) == len(urls)
        for number, url in enumerate(urls):
            assert canonical(url) == url
            theirs = rendition_of(url)
            if theirs is None:
                assert case.family in SIGNLESS
                continue
            assert theirs.group == claimed.group
            assert number == 0 or theirs.area == claimed.area
            assert not (claimed.width and theirs.width) or theirs.width > claimed.width


@pytest.mark.parametrize(
    "url",
    [
        # documents, pages, scripts
        "https://example.org/report-2023x2024.pdf",
        "https://example.org/archive-300x200.zip",
        "https://example.org/photo-300x200",
        "https://example.org/photo-300x200.html",
        "https://example.org/a/7317251.html?w=300",
        "https://example.org/search?width=300&height=200",
        "https://example.org/sites/default/files/css/css_abc.css",
        "https://example.org/",
        # sizes that are no picture's, dates, telephone numbers, chess and screws
        "https://example.org/1-2x3.jpg",
        "https://example.org/photo-2023x11.jpg",
        "https://example.org/photo-0300x0200.jpg",
        "https://example.org/photo-10x10.png",
        "https://example.org/photo-9000x9000.png",
        "https://example.org/photo-5000x20.png",
        "https://example.org/call-555-0100x200.jpg",
        "https://example.org/match-2023-11-08x12.jpg",
        "https://example.org/screws-m4x16.jpg",
        "https://example.org/300x200.jpg",
        "https://example.org/-300x200.jpg?w=300x",
        "https://example.org/photo_300x200.jpg",
        "https://example.org/photo-300x200x100.jpg",
        "https://example.org/photo.jpg",
        "https://example.org/photo.jpg?id=300",
        "https://example.org/photo.jpg?w=wide",
        "https://example.org/photo.jpg?quality=80",
        "https://example.org/photo.jpg?w=1",
        "https://example.org/photo-1024.jpg",
        "https://example.org/20231108-photo.jpg",
        # names near those of a family
        "https://gdb.voanews.com/01000000-0a00-0242-1524_w900.jpg",
        "https://gdb.voanews.com/x/01000000-0a00-0242-1524-08dbe0853e12_w900.jpg",
        "https://gdb.voanews.com/01000000-0a00-0242-1524-08dbe0853e12_w900",
        "https://gdb.voanews.com/01000000-0a00-0242-1524-08dbe0853e12-w900.jpg",
        "https://other.example/01000000-0a00-0242-1524-08dbe0853e12.jpg",
        "https://other.example/01000000-0a00-0242-1524-08dbe0853e12_final.jpg",
        "https://gdb.voanews.com.example/01000000-0a00-0242-1524-08dbe0853e12.jpg",
        "https://static01.nyt.com/images/misc/NYT_logo_rss_250x40.png",
        "https://static01.nyt.com/images/2023/11/08/apple-watch.jpg",
        "https://static01.nyt.com/images/2023/11/08/the-article.jpg",
        "https://static.dw.com/image/71588384.jpg",
        "https://static.dw.com/downloads/71588384_303.pdf",
        "https://ichef.bbci.co.uk/news/wide/cpsprodpb/EECD/a.jpg",
        "https://s.rfi.fr/media/display/not-a-uuid/w:1280/p:16x9/name.jpg",
        "https://i.guim.co.uk/img/media/39a7/0_3_1360_816/master/1360.jpg?s=1200",
        "https://i.ytimg.com/vi/_GSoMTdSeVo/hq1.jpg",
        "https://i.ytimg.com/vi/_GSoMTdSeVo/2.jpg",
        "https://live.staticflickr.com/7372/12502775644.jpg",
        "https://upload.wikimedia.org/score/3/3/3a.png",
        "https://miro.medium.com/max/1400/photo.png",
        "https://dims.apnews.com/dims4/default/2e32762/2147483647/resize/1440x810!/?url=not-a-url",
        "https://dims.apnews.com/dims4/default/2e32762/2147483647/resize/1440x810!/",
        # no URLs of pictures
        "",
        "photo-300x200.jpg",
        "//example.org/photo-300x200.jpg",
        "ftp://example.org/photo-300x200.jpg",
        "https://user@example.org/photo-300x200.jpg",
        "https://example.org/photo-300x200.jpg ",
        "https://example.org/photo-300x200.jpg#top",
        "https:///photo-300x200.jpg",
        "data:image/png;base64,iVBORw0KGgo=",
        pytest.param(
            "https://example.org/" + "a" * URL_CHARS + "-300x200.jpg", id="longer than a URL may be"
        ),
    ],
)
def test_what_is_no_rendition(url: str) -> None:
    assert rendition_of(url) is None
    assert larger(url) == ()


def test_a_host_is_compared_without_case_and_a_lookalike_is_another_host() -> None:
    upper = rendition_of("HTTPS://STATIC.DW.COM/image/71588384_303.jpg")
    lower = rendition_of("http://static.dw.com/image/71588384_403.jpg")
    assert upper is not None
    assert lower is not None
    assert upper.group == lower.group
    assert rendition_of("https://static.dw.com.example/image/71588384_303.jpg") is None
    assert rendition_of("https://xstatic.dw.com/image/71588384_303.jpg") is None


def test_the_documentation_names_every_family() -> None:
    text = (Path(__file__).parents[1] / "docs" / "addresses.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.partition("### Families")[2].splitlines() if "|" in line]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {family.name for family in families()}


def test_rows_are_complete() -> None:
    before = ""
    for family in families():
        assert not family.source.startswith("as above") or family.name == before
        before = family.name
        pattern = re.compile(family.path, re.ASCII)
        assert family.examples
        assert family.hosts
        assert all(host == host.lower() for host in family.hosts)
        for url in family.examples:
            host, path = re.match(r"https?://([^/]+)(/[^?]*)", url).groups()  # type: ignore[union-attr]
            assert any(
                host == name or (name[0] == "*" and host.endswith(name[1:])) for name in family.hosts
            ), url
            assert pattern.fullmatch(path), url
            claimed = rendition_of(url)
            assert claimed is not None
            assert family.name in (claimed.family, "dims")  # a picture behind dims is its own family's


# --- every family, with random names and sizes --------------------------------------------------


def _read_shapes() -> list[tuple[str, str, list[str]]]:
    text = Path(__file__).with_name("rendition_shapes.txt").read_text(encoding="utf-8")
    shapes = []
    for paragraph in text.split("\n\n")[1:]:
        first, *urls = paragraph.splitlines()
        family, _, name = first.partition(" | ")
        shapes.append((family, name, urls))
    return shapes


SHAPES = _read_shapes()
KINDS = {
    "hex": "0123456789abcdef",
    "word": "abcdefghijklmnopqrstuvwyz",
    "digit": "123456789",
    "base": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
}


def _names(shape: str) -> st.SearchStrategy[str]:
    """Names of that shape: `<hex:8>` stands for eight hex digits."""
    parts = re.split(r"<(\w+):(\d+)>", shape)
    texts = [
        st.text(alphabet=KINDS[kind], min_size=int(size), max_size=int(size))
        for kind, size in zip(parts[1::3], parts[2::3], strict=True)
    ]
    between = parts[::3]
    return st.tuples(*texts).map(
        lambda made: between[0] + "".join(a + b for a, b in zip(made, between[1:], strict=True))
    )


@pytest.mark.parametrize(
    ("family", "shape", "urls"), SHAPES, ids=[f"{shape[0]}{number}" for number, shape in enumerate(SHAPES)]
)
@given(data=st.data())
@settings(max_examples=25)
def test_all_renditions_share_a_group_that_no_other_picture_has(
    family: str, shape: str, urls: list[str], data: st.DataObject
) -> None:
    name, other = data.draw(_names(shape)), data.draw(_names(shape))
    groups: dict[str, set[str]] = {name: set(), other: set()}
    for picture in (name, other):
        for template in urls:
            width, height = data.draw(st.integers(100, 400)), data.draw(st.integers(100, 400))
            url = template.replace("#", picture).replace("$w", str(width)).replace("$h", str(height))
            claimed = rendition_of(url)
            assert claimed is not None, url
            assert claimed.family == family
            assert claimed.width == (width if "$w" in template and "=$ww" not in template else claimed.width)
            assert claimed.height == (height if "$h" in template else claimed.height)
            groups[picture].add(claimed.group)
            for further in larger(url):
                assert further != url
                theirs = rendition_of(further)
                assert theirs is None or theirs.group == claimed.group
                assert theirs is not None or family in SIGNLESS
    assert len(groups[name]) == len(groups[other]) == 1
    assert (groups[name] == groups[other]) == (name == other)


def test_every_family_has_a_shape() -> None:
    assert {family for family, _, _ in SHAPES} == {family.name for family in families()}


# --- hostile text ---------------------------------------------------------------------------------

HOSTS = sorted({host.replace("*", "x") for family in families() for host in family.hosts})
PIECES = st.sampled_from(
    [piece for family in families() for url in family.examples for piece in re.split(r"(?<=[/_?&=.-])", url)]
)


@given(st.text() | st.lists(PIECES, max_size=20).map("".join))
def test_any_text_is_taken(text: str) -> None:
    for url in (text, f"https://gdb.voanews.com/{text}", f"https://example.org/wp-content/uploads/{text}"):
        claimed, urls = rendition_of(url), larger(url)
        assert claimed is not None or urls == ()
        assert url not in urls
        assert getattr(claimed, "master", None) == next(iter(urls), None)
        for further in urls:
            theirs = rendition_of(further)
            assert theirs is None or theirs.group == getattr(claimed, "group", None)


@pytest.mark.parametrize("size", [URL_CHARS - 400, 100_000])
def test_long_texts_take_no_longer(size: int) -> None:
    pieces = [
        *("a", "/", "-", "_", ".", "=", "&", "%", ",", "0", "x", "a/", "a.jpg", "%2F", "?w=1", "&w=1"),
        *("w:1/", "_w1", "-300x200", "/s0", "w_1,", "resize/1/", "-h1", "images/", "1/1-", "-master"),
        *("a_wide-", "wp-content/uploads/", "wp-content/", "sites/a/files/", "sites/a/", "url=https://a/dims/a/?"),
    ]  # fmt: skip
    beginnings = [f"https://{host}/" for host in HOSTS]
    beginnings += [url[:-4] for family in families() for url in family.examples]
    for begin in beginnings:
        for piece in pieces:
            url = begin + piece * (size // len(piece))
            begun = time.process_time()
            rendition_of(url)
            larger(url)
            assert time.process_time() - begun < 0.5, url[:200]


def test_options_within_options_are_not_followed() -> None:
    claimed = rendition_of(f"https://media.cnn.com/api/v1/images/stellar/a.jpg?q={'q_' * 4_000}w_800")
    assert claimed is not None
    assert claimed.width is None


def test_an_argument_of_the_wrapper_is_none_of_the_origins() -> None:
    claimed = rendition_of("https://d.example/dims3/default/resize/100/?url=http%3A%2F%2Fo.example%2Fa&b=1")
    assert claimed is not None
    assert (claimed.group, claimed.master) == ("dims:http://o.example/a?b=1", "http://o.example/a")


def test_proxies_within_one_another_are_not_followed() -> None:
    inner = "https://gdb.voanews.com/01000000-0a00-0242-1524-08dbe0853e12_w900.jpg"
    once = f"https://d.example/dims4/default/resize/100/?url={inner}"
    twice = f"https://d.example/dims4/default/resize/100/?url={once}"
    claimed, nested = rendition_of(once), rendition_of(twice)
    assert claimed is not None
    assert nested is not None
    assert (claimed.family, nested.family) == ("pangea", "dims")


# --- the sample -----------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample lies beside the repository, not in it")
def test_the_sample_has_two_pictures() -> None:
    names = re.findall(r"gdb\.voanews\.com/[^\"]+", SAMPLE.read_text(encoding="utf-8"))
    claimed = [rendition_of(f"http://{name}") for name in names]
    assert [(one.family, one.area, one.width) for one in claimed if one] == [
        ("pangea", "cw93 cx5 cy8 r1", 900),
        ("pangea", "", 900),
    ]
    assert len({one.group for one in claimed if one}) == 2
    times = [upload_time(f"http://{name}") for name in names]
    assert len({one.value for one in times if one}) == 2
