"""What `archiver export` writes, in other people's tools: validators, pywb, ReplayWeb.page."""

import json
import subprocess
import zipfile
from pathlib import Path

import archives
import pytest
import replaying
import requests
from chromium import CHROMIUM, chromium
from commands import within
from mirrored import INNER, LEAD, PICTURES, PROXY, URL, mirrored, save_twice
from replaying import PEERS
from test_export import domain_signed

from archiver.addresses.surt import surt

pytestmark = [
    pytest.mark.peers,
    pytest.mark.slow,
    pytest.mark.skipif(not PEERS.exists(), reason="the peers are not installed: make peers"),
]
INDEXED = "response,revisit,resource"
COPY = f"https://{PROXY}/?url={PICTURES}/{INNER}"
_SURT = "import json, surt, sys; print(json.dumps([surt.surt(url) for url in json.load(sys.stdin)]))"
_VALIDATE = """
import sys
from authsign import verifier
verifier.DEFAULT_TRUSTED_ROOTS = sys.argv.pop(1)
from wacz.main import main
sys.exit(main())
"""
_FINGERPRINT = """
import sys
from authsign import crypto
print(crypto.get_fingerprint(crypto.load_cert(sys.stdin.buffer.read())))
"""


def run(*command: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirrored article, saved twice: with its page, its pictures from publisher and proxy, and revisits."""
    folder = tmp_path_factory.mktemp("replay")
    with mirrored(folder, pictures=(archives.jpeg(1), archives.jpeg(2))) as mirror:
        save_twice(mirror, folder / "archive")
    for form, into in (("wacz", "one.wacz"), ("warc", "one.warc.gz")):
        code, _, text = within(
            "export", form, "1", "--in", str(folder / "archive"), "--into", str(folder / into)
        )
        assert code == 0, text
    code, _, text = within(
        "export", "cdxj", "--all", "--in", str(folder / "archive"), "--into", str(folder / "all.cdxj")
    )
    assert code == 0, text
    with zipfile.ZipFile(folder / "one.wacz") as file:
        file.extractall(folder / "out")
    return folder


def test_validators_find_nothing_wrong(world: Path) -> None:
    done = run(PEERS / "wacz", "validate", "-f", world / "one.wacz")
    assert done.returncode == 0, done.stdout
    for path in (world / "one.warc.gz", *sorted((world / "out/archive").iterdir())):
        done = run(PEERS / "warcio", "check", "-v", path)
        assert done.returncode == 0, done.stdout
        assert done.stdout.count("not checked") == done.stdout.count("not checked (revisit)")
        assert run(PEERS / "fastwarc", "check", path).returncode == 0
        assert run("gzip", "-t", path).returncode == 0


def test_the_index_is_that_of_cdxj_indexer_byte_for_byte(world: Path) -> None:
    """But for the proxy's robots.txt, which is stored chunked: its digest is that of the entity-body."""
    done = run(
        PEERS / "cdxj-indexer",
        *("--sort", "--records", INDEXED),
        *sorted((world / "archive/warcs").glob("*.warc.gz")),
    )
    ours, theirs = (world / "all.cdxj").read_text().splitlines(), done.stdout.splitlines()
    differ = [(one, other) for one, other in zip(ours, theirs, strict=True) if one != other]
    assert len(ours) > 12
    assert all('"digest": "sha1:' in other and "/robots.txt" in one for one, other in differ)
    assert len(differ) == 1


def test_keys_of_urls_are_those_of_surt() -> None:
    corpus = (Path(__file__).with_name("address_corpus.tsv")).read_text().split()
    urls = [each for each in corpus if "://" in each][::7]
    done = run(PEERS / "python", "-W", "ignore", "-c", _SURT, stdin=json.dumps(urls))
    assert [surt(url) for url in urls] == json.loads(done.stdout)
    assert len(urls) > 50


def test_a_domain_signature_is_verified_by_wacz(world: Path, tmp_path: Path) -> None:
    """Its verifier trusts the authorities of browsers; here it is told to trust ours."""
    if run(PEERS / "python", "-c", "import authsign").returncode:
        pytest.skip("authsign is not installed")
    wacz = tmp_path / "signed.wacz"
    authority = domain_signed(world, tmp_path, wacz, "1")
    roots = [(tmp_path / "domain/root.pem").read_text(), authority.roots.read_text()]
    prints = [run(PEERS / "python", "-c", _FINGERPRINT, stdin=pem).stdout.strip() for pem in roots]
    names = ("domain_cert_roots", "timestamp_cert_roots")
    trusted = "".join(f"{name}:\n  - {each}\n" for name, each in zip(names, prints, strict=True))
    (tmp_path / "roots.yaml").write_text(trusted)
    validate = (PEERS / "python", "-W", "ignore", "-c", _VALIDATE, tmp_path / "roots.yaml", "validate")
    done = run(*validate, "-f", wacz, "--verify-auth")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Successfully verified signature" in done.stdout


def test_pywb_replays_it_by_its_index(world: Path, tmp_path: Path) -> None:
    files = sorted((world / "out/archive").iterdir())
    index = (world / "out/indexes/index.cdxj").read_text()
    pages = replaying.listed(world / "one.wacz")
    with replaying.pywb(tmp_path, files, index) as wayback, requests.Session() as session:
        for when in ("2020", "2099"):  # the original, and the revisit
            lead = session.get(f"{wayback}/{when}id_/http://{PICTURES}/{LEAD}", timeout=60)
            assert (lead.status_code, lead.content) == (200, archives.jpeg(1))
            copy = session.get(f"{wayback}/{when}id_/{COPY}", timeout=60)
            assert (copy.status_code, copy.content[:3]) == (200, b"\xff\xd8\xff")
            page = session.get(f"{wayback}/{when}id_/{URL}", timeout=60)
            assert (page.status_code, "第二段。" in page.content.decode()) == (200, True)
        view = session.get(f"{wayback}/2026id_/{pages[0]['url']}", timeout=60)
        assert "第四段。" in view.content.decode()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")
@pytest.mark.skipif(not replaying.PACKAGE.exists(), reason="replaywebpage is not there: make peers needs npm")
def test_replayweb_page_shows_it_with_all_pictures(world: Path) -> None:
    view, page = replaying.listed(world / "one.wacz")
    assert (view["text"].split()[-1], page["url"]) == ("第四段。", URL)
    again = {"url": COPY, "ts": "2099-01-01T00:00:00Z"}
    with chromium() as browser:
        for row, text, pictures in ((view, "第三段。", 4), (page, "第二段。", 0), (again, "", 1)):
            with replaying.serving(world / "one.wacz", row) as url, browser.new_page() as shown:
                shown.goto(url)
                found = replaying.drawn(shown, text, pictures)
                assert all(each["width"] > 0 for each in found), found
