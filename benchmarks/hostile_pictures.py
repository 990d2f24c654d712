"""What hostile pictures cost: `hostile_pictures.py [MUTATIONS]` of each small picture, 1000 unless told.

Those of tests/hostile_pictures.py, and the largest that are decoded at all, each described and made small in
the sandbox. Prints how each kind ended, the dearest ones, and whether one took more than 5 s or 300 MB. Takes
some minutes.
"""

import io
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from hostile_pictures import hostile
from test_decoding import used

from archiver.errors import SandboxError
from archiver.pictures.describe import describe_picture
from archiver.pictures.thumbnail import make_thumbnail
from archiver.sandbox import Sandbox

SECONDS, BYTES = 5, 300_000_000


def largest() -> Iterator[tuple[str, bytes]]:
    """About as large as is decoded, of each way of storing that takes memory in a way of its own."""
    turned = Image.Exif()
    turned[0x0112] = 6
    flat, lzw, deflate = (
        {"compress_level": 1},
        {"compression": "tiff_lzw"},
        {"compression": "tiff_adobe_deflate"},
    )
    full = {"progressive": True, "subsampling": 0}
    rows: list[tuple[str, float, str, dict[str, Any]]] = [
        ("JPEG", 79, "RGB", {}), ("JPEG", 48, "RGB", {"progressive": True}),
        ("JPEG", 24, "RGB", full),
        ("JPEG", 17, "CMYK", full), ("PNG", 25, "RGB", flat), ("PNG", 25, "L", flat),
        ("PNG", 13, "RGBA", flat),
        ("PNG", 16, "P", flat), ("PNG", 12, "I;16", flat), ("GIF", 29, "P", {}),
        ("WEBP", 8.3, "RGB", {"method": 0}),
        ("WEBP", 7.4, "RGBA", {"method": 0, "lossless": True}), ("AVIF", 10, "RGBA", {"speed": 10}),
        ("TIFF", 9.5, "RGB", lzw), ("TIFF", 9.5, "RGBA", deflate), ("TIFF", 10, "CMYK", lzw),
        ("TIFF", 5, "F", deflate), ("TIFF", 5, "I", deflate), ("TIFF", 12, "I;16", deflate),
        ("BMP", 20, "RGB", {}),
    ]  # fmt: skip
    for kind, megapixels, mode, options in rows:
        image = clouds(megapixels, mode)
        out = io.BytesIO()
        image.save(out, kind, **options | ({"exif": turned} if kind not in ("GIF", "BMP") else {}))
        yield f"{kind} {mode} of {megapixels} Mpixel", out.getvalue()


def clouds(megapixels: float, mode: str) -> Image.Image:
    height = int((megapixels * 1e6 / 1.5) ** 0.5)
    width = int(height * 1.5)
    coarse = np.random.default_rng(1).integers(0, 256, (height // 16, width // 16, 4), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return (
        image
        if mode == "RGBA"
        else image.convert("RGB").convert("L" if mode in ("F", "I") else "RGB").convert(mode)
    )


def main() -> None:
    count, dear, over = Counter[str](), [], []
    mutated = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    begun = time.monotonic()
    with Sandbox() as sandbox:
        for name, data in (pair for pairs in (largest(), hostile(mutated)) for pair in pairs):
            kind = name.partition(" ")[0].partition("-")[0].lower()
            for function, options in ((describe_picture, {}), (make_thumbnail, {"width": 320})):
                child = sandbox._ready().pid  # noqa: SLF001 - its cost is read from the kernel
                before, start = used(child)[0], time.monotonic()
                try:
                    sandbox.call(function, data, **options)
                    end = "seen"
                except SandboxError as error:
                    end = "ended the child" if "was stopped" in str(error) else "refused"
                    said = str(error)
                    if end != "refused" or name.endswith("Mpixel"):
                        print(f"{name}, {function.__name__}: {said}")
                count[f"{kind:5} {end}"] += 1
                alive = Path(f"/proc/{child}/status").exists()
                seconds, memory = used(child) if alive else (before + time.monotonic() - start, 0)
                dear.append((seconds - before, memory, name, function.__name__))
                if seconds - before > SECONDS or memory > BYTES:
                    over.append(dear[-1])
    for line in sorted(count):
        print(f"{line:28} {count[line]:7,}")
    for seconds, memory, name, function in sorted(dear, reverse=True)[:8]:
        print(f"{seconds:6.2f} s {memory / 1e6:5.0f} MB  {name}, {function}")
    print(f"most memory: {max(memory for _, memory, *_ in dear) / 1e6:.0f} MB")
    print(f"{len(dear):,} calls in {time.monotonic() - begun:.0f} s; over 5 s or 300 MB: {over or 'none'}")


if __name__ == "__main__":
    print(re.sub(r"\n.*", "", __doc__ or "", flags=re.DOTALL))
    main()
