"""CPU per judged pair, per screened pair and per fingerprint: FOLDER holds photographs. Prints milliseconds.

One core. Pairs are judged from bytes alone, and with the fingerprints that an archive's index holds.
Each is reduced to 900 pixels and compared with a copy, a crop, a copy with a patch, and the next photograph.
"""

import functools
import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from PIL import Image

from archiver.pictures.fingerprint import Fingerprint, make_fingerprint
from archiver.pictures.pairs import judge
from archiver.pictures.pairs.align import inliers
from archiver.pictures.pairs.compare import compare_pictures


def saved(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def main(folder: Path, most: int) -> None:
    photographs = []
    for path in sorted(folder.iterdir())[:most]:
        with Image.open(path) as opened:
            opened.thumbnail((900, 900))
            photographs.append(opened.convert("RGB"))
    spent: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        start = time.process_time()
        work()
        spent.setdefault(name, []).append(1000 * (time.process_time() - start))

    for number, image in enumerate(photographs):
        width, height = image.size
        data = saved(image)
        patched = image.copy()
        patched.paste(image.crop((0, 0, width // 5, height // 5)), (width // 2, height // 2))
        timed("fingerprint", functools.partial(make_fingerprint, data))
        others = {
            "copy at 600 pixels": image.resize((600, 600 * height // width)),
            "crop to 64 %": image.crop((0, 0, width * 4 // 5, height * 4 // 5)),
            "patch of 4 %": patched,
            "different": photographs[number - 1],
        }
        for name, other in others.items():
            both = data + saved(other)
            timed(name, functools.partial(compare_pictures, both, first_bytes=len(data)))
            judge._views.clear()  # noqa: SLF001 - as if both were new
            known = [msgspec.convert(make_fingerprint(each), Fingerprint) for each in (data, saved(other))]
            timed(f"{name}, screened", functools.partial(inliers, *known))
            sizes = {"first_bytes": len(data), "second_bytes": len(both) - len(data)}
            more = both + msgspec.msgpack.encode(known)
            timed(f"{name}, known", functools.partial(compare_pictures, more, **sizes))
            judge._views.clear()  # noqa: SLF001
    for name, values in spent.items():
        print(f"{name:28} median {statistics.median(values):6.1f} ms   most {max(values):6.1f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
