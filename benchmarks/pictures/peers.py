"""The hashes of others, on the same pictures: ImageHash, PDQ, imagededup.

Each gives the bits of a picture; what is within a threshold counts as found, and the threshold is the
largest at which at most one in a million pairs of different photographs is within it.
"""

import importlib
import importlib.metadata
import itertools
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from pdqhash.bindings import compute, compute_dihedral

Bits = np.ndarray  # forms x bits, of 0 and 1
Hash = Callable[[Any], Bits]
RATE = 1e-6


def pdq(image: Any) -> Bits:
    return np.array(compute(np.asarray(image))[0], np.uint8)[None]


def pdq_forms(image: Any) -> Bits:
    return np.array(compute_dihedral(np.asarray(image))[0], np.uint8)


def all_hashes(cache: Path) -> dict[str, Hash]:
    found: dict[str, Hash] = {
        "imagehash pHash": lambda image: imagehash.phash(image).hash.reshape(1, -1).astype(np.uint8),
        "imagehash dHash": lambda image: imagehash.dhash(image).hash.reshape(1, -1).astype(np.uint8),
        "PDQ": pdq,
        "PDQ, 8 forms": pdq_forms,
    }
    hashing = imagededup(cache)
    if hashing is not None:
        for name in ("PHash", "DHash"):
            method = getattr(hashing, name)(verbose=False)
            found[f"imagededup {name}"] = lambda image, method=method: from_hex(
                method.encode_image(image_array=np.asarray(image))
            )
    return found


def versions() -> str:
    names = ("imagehash", "pdqhash", "pillow", "numpy", "opencv-python-headless")
    told = [f"{name} {importlib.metadata.version(name)}" for name in names]
    return ", ".join([*told, f"imagededup {DEDUP}"])


DEDUP = "0.3.3.post2"
DEDUP_NEEDS = ("PyWavelets", "tqdm", "scikit-learn", "joblib", "threadpoolctl", "cloudpickle", "narwhals")


def from_hex(digits: str) -> Bits:
    return np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8))[None]


def imagededup(cache: Path) -> Any:
    """Its module of hashes, in a folder of its own; None when it is not to be had.

    Its package imports torch for its CNN (2 GB, and weights loaded at run time): only the hashes are taken.
    """
    folder = cache / "imagededup"
    if not folder.is_dir():
        wanted = (f"imagededup=={DEDUP}", *DEDUP_NEEDS)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        if subprocess.run([*command, *wanted], check=False).returncode:
            return None
    sys.path.append(str(folder))
    for part in ("methods", "utils"):  # their __init__ would import torch and matplotlib
        package = types.ModuleType(f"imagededup.{part}")
        package.__path__ = [str(folder / "imagededup" / part)]
        sys.modules[package.__name__] = package
    try:
        return importlib.import_module("imagededup.methods.hashing")
    except ImportError as error:
        print(f"imagededup: {error}", file=sys.stderr)
        return None


class Measured:
    """Distances of one hash between all originals and all changed pictures."""

    def __init__(self, method: Hash) -> None:
        self._method = method
        self._originals: list[Bits] = []
        self._changed: list[tuple[int, str, Bits]] = []
        self.seconds = 0.0
        self.hashed = 0

    def _bits(self, image: Any) -> Bits:
        started = time.process_time()
        bits = self._method(image)
        self.seconds += time.process_time() - started
        self.hashed += 1
        return bits

    def add_original(self, image: Any) -> None:
        self._originals.append(self._bits(image))

    def add_changed(self, original: int, kind: str, image: Any) -> None:
        self._changed.append((original, kind, self._bits(image)[:1]))

    def distances(self) -> np.ndarray:
        """Changed x originals, int16: the nearest of an original's forms."""
        queries = np.concatenate([bits for _, _, bits in self._changed]).astype(np.float32)
        nearest = None
        for form in range(len(self._originals[0])):
            known = np.array([bits[form] for bits in self._originals], np.float32)
            apart = queries.sum(1)[:, None] + known.sum(1)[None] - 2 * queries @ known.T
            nearest = apart if nearest is None else np.minimum(nearest, apart)
        return nearest.astype(np.int16)

    def recall(self) -> tuple[int, int, dict[str, float]]:
        """The threshold at the rate (-1: none), pairs of different photographs, and recall by kind."""
        apart = self.distances()
        rows = np.arange(len(apart))
        owners = np.array([original for original, _, _ in self._changed])
        true = apart[rows, owners].copy()
        apart[rows, owners] = np.iinfo(np.int16).max
        negatives = apart.size - len(rows)
        counts = np.bincount(apart.ravel()[apart.ravel() < 1024], minlength=1024).cumsum()
        within = np.flatnonzero(counts <= RATE * negatives)
        threshold = int(within[-1]) if len(within) else -1
        found = {}
        for kind in dict.fromkeys(kind for _, kind, _ in self._changed):
            mine = np.array([own == kind for _, own, _ in self._changed])
            found[kind] = float((true[mine] <= threshold).mean())
        return threshold, negatives, found


class Resistant:
    """imagehash.crop_resistant_hash by its own rule: at least one segment within a quarter of its bits."""

    def __init__(self) -> None:
        self._originals: list[Any] = []
        self._changed: list[tuple[int, str, Any]] = []
        self.seconds = 0.0
        self.hashed = 0

    def _hash(self, image: Any) -> Any:
        started = time.process_time()
        value = imagehash.crop_resistant_hash(image)
        self.seconds += time.process_time() - started
        self.hashed += 1
        return value

    def add_original(self, image: Any) -> None:
        self._originals.append(self._hash(image))

    def add_changed(self, original: int, kind: str, image: Any) -> None:
        self._changed.append((original, kind, self._hash(image)))

    def recall(self) -> tuple[float, int, dict[str, float]]:
        """The share of pairs of different photographs that match, their number, and recall by kind."""
        wrong = total = 0
        found: dict[str, list[bool]] = {}
        pairs = itertools.product(self._changed, enumerate(self._originals))
        for (owner, kind, value), (number, original) in pairs:
            match = bool(original.matches(value))
            if number == owner:
                found.setdefault(kind, []).append(match)
            else:
                wrong += match
                total += 1
        return wrong / max(1, total), total, {kind: sum(each) / len(each) for kind, each in found.items()}
