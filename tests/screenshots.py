"""Makes the pictures of the documents: pages of `archiver browse`, over the demo world with a story changed.

`python tests/screenshots.py [DIR]` writes them into DIR, else into docs/.
"""

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chromium import Sight, chromium, serving
from commands import query, within
from PIL import Image

from archiver.capture.wire.fetch import Network
from archiver.config import Settings
from archiver.demo.world import DemoWorld
from archiver.keep import keep

FERRY = "harbour-ferry.zh.md"
CHANGES = (("十九分钟", "二十一分钟"), ("单程票价维持三元不变", "单程票价从三元降为两元"))
COLOURS = 256


@dataclass(frozen=True)
class Shot:
    """`name` of the file, `path` of the page; `height` of it is shown, from the `last` such element on."""

    name: str
    path: str
    height: int
    last: str = "body"
    width: int = 1280
    scheme: str = "light"
    locale: str = "en-GB"


def make(root: Path) -> None:
    """The demo world's documents, and one of them once more, changed without a word."""
    with DemoWorld() as world, tempfile.TemporaryDirectory() as scratch:
        network, settings = Network(connect_to=world.connect_to), Settings(instances=world.instances)
        changed = world.documents[FERRY].decode()
        for old, new in CHANGES:
            changed = changed.replace(old, new)
        for documents in (world.documents, {FERRY: changed.encode()}):
            given = [Path(scratch, name) for name in documents]
            for path in given:
                path.write_bytes(documents[path.name])
            keep(root, [str(path) for path in given], network, settings, report=lambda _: None, say=print)


def shots(root: Path) -> tuple[Shot, ...]:
    pair = query(root, "SELECT first, second FROM picture_pairs WHERE relation = 'cropped' ORDER BY 1, 2")[0]
    first, second = (digest.removeprefix("sha256:") for digest in pair)
    return (
        Shot("start", "-/archive", 1060),
        Shot("article", "-/articles/1", 1100),
        Shot("versions", "-/articles/1/versions", 560, last=".versions > li"),
        Shot("search", "-/search?q=渡轮", 800, locale="zh-CN"),
        Shot("wall", "-/pictures", 900, scheme="dark"),
        Shot("pair", f"-/pictures/{first}/against/{second}", 900),
        Shot("narrow", "-/articles/1", 844, width=390, scheme="dark", locale="zh-CN"),
    )


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "news-archive")
        make(root)
        within("verify", str(root))
        with serving(root) as url, chromium() as browser:
            for shot in shots(root):
                options = {"color_scheme": shot.scheme, "locale": shot.locale}
                with Sight(browser, url, width=shot.width, **options) as sight:
                    sight.page.goto(url + shot.path)
                    place = sight.page.locator(shot.last).last.bounding_box()
                    top = place["y"] if place else 0
                    clip = {"x": 0, "y": top, "width": shot.width, "height": shot.height}
                    taken = sight.page.screenshot(full_page=True, clip=clip)
                image = Image.open(io.BytesIO(taken)).convert("RGB")
                image.quantize(COLOURS, dither=Image.Dither.NONE).save(
                    folder / f"{shot.name}.png", optimize=True
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "docs")
