"""An article's page says whether the article is intact; its evidence and its records can be taken away."""

import asyncio
import io
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import archives
import evidence_archive
import pytest
from warcio.archiveiterator import ArchiveIterator

from archiver.browse.data.citation import Cited, entry, line
from archiver.browse.disk import intact
from archiver.browse.language import language
from archiver.browse.pages import downloads
from archiver.browse.server import build, close
from archiver.checks import Checks
from archiver.model import Verdict

FASTWARC = Path(__file__).parent.parent / ".venv-peers" / "bin" / "fastwarc"
Get = Callable[..., Any]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evidence_archive.proved(tmp_path_factory.mktemp("evidence"))[0]


@pytest.fixture(scope="module")
def get(root: Path) -> Iterator[Get]:
    datasette = build(root)
    yield lambda path, **options: asyncio.run(datasette.client.get(path, **options))
    close(datasette)


@contextmanager
def flipped(root: Path, number: int) -> Iterator[None]:
    """One bit of a record of the first file is another."""
    at = archives.entries(root, 0)[number]
    path = root / archives.manifest(root).warcs[0].path
    with path.open("r+b") as file:
        file.seek(at.offset + at.length // 2)
        byte = file.read(1)
        file.seek(-1, io.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    yield
    with path.open("r+b") as file:
        file.seek(at.offset + at.length // 2)
        file.write(byte)


def badge(html: str) -> tuple[str, str]:
    found = re.search(r'<div class="badge (\w+)" id="badge">\s*<p>(.*?)<a', html, re.DOTALL)
    assert found
    return found[1], re.sub("<.*?>", "", found[2]).strip()


def test_intact_and_who_vouches_for_it(get: Get) -> None:
    html = get("/-/articles/1").text
    state, said = badge(html)
    assert state == "intact"
    assert re.fullmatch(r"Intact [4-9] records were read and hashed for this page\.", said)
    proof = html[html.index('id="proof"') : html.index('id="cite"')]
    assert re.search(r"checkpoint 4, over \d+ records · signed by\s+<bdi>archiver/", proof)
    assert "<bdi>witness.example/w1</bdi>" in proof
    assert re.search(r"<bdi>https://authority\.example/tsr</bdi>: 20\d\d-\d\d-\d\d [\d:.]+ UTC", proof)
    assert "No check of its WARC file is known" in proof
    assert "Damaged" not in html


@pytest.mark.parametrize(
    ("verdict", "said"), [("ok", "found the WARC file as committed"), ("failed", "found damage")]
)
def test_the_last_check_is_told(get: Get, root: Path, verdict: Verdict, said: str) -> None:
    warc = archives.manifest(root).warcs[0]
    with Checks(root) as checks:
        checks.mark(warc.path, warc.digest, verdict)
    assert said in get("/-/articles/1").text
    (root / "checks.json").unlink()


@pytest.mark.parametrize(
    ("record", "name"), [(archives.PICTURE, "Picture 1"), (archives.SOURCE, "Source, byte for byte")]
)
def test_a_flipped_byte_turns_the_badge_red(get: Get, root: Path, record: int, name: str) -> None:
    with flipped(root, record):
        html = get("/-/articles/1").text
        assert badge(html)[0] == "damaged"
        wrong = html[html.index('class="wrong"') : html.index("Just now")]
        assert f"<strong>{name}" in wrong
        assert "SHA-256 is sha256:" in wrong
        assert ("absent damaged" in html) == (record == archives.PICTURE)
        for path in ("evidence.zip", "records.warc.gz"):
            answer = get(f"/-/articles/1/{path}")
            assert answer.status_code == 500
            assert "<h1>Damaged</h1>" in answer.text
            assert "was changed" in answer.text
        assert "已损坏" in get("/-/articles/1", headers={"accept-language": "zh"}).text
    assert badge(get("/-/articles/1").text)[0] == "intact"


def test_what_was_not_read_is_not_called_intact(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intact, "CHECKED_BYTES", 3000)
    state, said = badge(get("/-/articles/1").text)
    assert state == "partly"
    assert said.startswith("Not all checked")


def test_evidence_proves_itself(get: Get, tmp_path: Path) -> None:
    answer = get("/-/articles/1/evidence.zip")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="article-1-evidence.zip"'
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    code, said = evidence_archive.judged(answer.content, tmp_path)
    assert code in {0, 3}, said


def test_records_are_a_warc_file(get: Get, root: Path, tmp_path: Path) -> None:
    answer = get("/-/articles/1/records.warc.gz")
    assert answer.headers["content-type"] == "application/gzip"
    stored = (root / archives.manifest(root).warcs[0].path).read_bytes()
    for number in (0, archives.SOURCE, archives.PICTURE):
        at = archives.entries(root, 0)[number]
        assert stored[at.offset : at.offset + at.length] in answer.content
    records = list(ArchiveIterator(io.BytesIO(answer.content), check_digests="raise"))
    assert records[0].rec_type == "warcinfo"
    assert {"response", "metadata", "revisit"} <= {each.rec_type for each in records}
    if FASTWARC.exists():
        (tmp_path / "r.warc.gz").write_bytes(answer.content)
        subprocess.run([FASTWARC, "check", tmp_path / "r.warc.gz"], check=True, capture_output=True)


def test_nothing_to_take_away(get: Get) -> None:
    for path in ("evidence.zip", "records.warc.gz"):
        assert get(f"/-/articles/99/{path}").status_code == 404
    with downloads.ONE:
        answer = get("/-/articles/1/evidence.zip")
    assert answer.status_code == 503
    assert "Try again" in answer.text


CITED = Cited(
    number=7,
    title="100 % of $x_1 & {more}\\",
    authors=("Ann Lee", "林海"),
    published="2023-11-08",
    host="www.news.example",
    url="https://www.news.example/a_b?c=%20{d}",
    saved="2026-11-22T19:05:12Z",
    record="urn:uuid:1",
    digest="sha256:00",
)


def test_citations() -> None:
    assert line(CITED, language("en").say) == (
        "Ann Lee, & 林海 (2023-11-08). 100 % of $x_1 & {more}\\. www.news.example."
        " https://www.news.example/a_b?c=%20{d}"
        " Archived 2026-11-22 19:05:12 UTC, record urn:uuid:1, sha256:00."
    )
    assert entry(CITED).splitlines() == [
        "@online{www-news-example-7,",
        "  author = {{Ann Lee} and {林海}},",
        r"  title = {{100 \% of \$x\_1 \& \{more\}\textbackslash{}}},",
        "  date = {2023-11-08},",
        "  organization = {www.news.example},",
        "  url = {https://www.news.example/a_b?c=%20%7Bd%7D},",
        "  urldate = {2026-11-22},",
        "  note = {Archived 2026-11-22 19:05:12 UTC, record urn:uuid:1, sha256:00},",
        "}",
    ]


def test_the_page_has_its_citation_to_copy(get: Get) -> None:
    html = get("/-/articles/1").text
    copied = re.findall(r"<textarea[^>]* readonly[^>]*>(.*?)</textarea>", html, re.DOTALL)
    assert len(copied) == 2
    assert "sha256:" in copied[0]
    assert copied[1].startswith("@online{")
