"""datapackage.json and datapackage-digest.json of a WACZ: what they say against what is there.

WACZ 1.1.1 and, for names, paths and hashes, Frictionless Data Package 1 and Data Resource 1.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from archiver.lint.head import Said
from archiver.lint.wacz.signature import parse_time

PACKAGE, DIGEST = "datapackage.json", "datapackage-digest.json"
VERSIONS = ("1.0.0", "1.1.0", "1.1.1", "1.2.0")
_HASHES = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_NAME = re.compile(r"[-a-z0-9._/]+")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")

Read = Callable[[str], Iterator[bytes]]  # the bytes of a file by its name


def read_json(data: bytes) -> Any:
    """A JSON value of others; None for what is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def judge_package(data: bytes, sizes: Mapping[str, int], read: Read, said: Said) -> dict[str, Any]:
    """`sizes`: bytes of each file by its name. Returns what datapackage.json says; {} for no object."""
    package = read_json(data)
    if not isinstance(package, dict):
        said.append(("package-form", "datapackage.json is no JSON object"))
        return {}
    if package.get("profile") != "data-package":
        said.append(("package-form", f"profile {package.get('profile')!r:.80} is not 'data-package'"))
    version = package.get("wacz_version")
    if not isinstance(version, str):
        said.append(("package-form", "no wacz_version"))
    elif version not in VERSIONS:
        said.append(("package-version", f"wacz_version {version!r:.80}"))
    for name in ("created", "modified"):
        if package.get(name) and parse_time(package[name]) is None:
            said.append(("package-date", f"{name} {package[name]!r:.80}"))
    resources = package.get("resources")
    if not isinstance(resources, list) or not resources:
        said.append(("package-form", "no list of resources"))
        return package
    _resources(resources, sizes, read, said)
    return package


def _resources(resources: list[Any], sizes: Mapping[str, int], read: Read, said: Said) -> None:
    paths: set[str] = set()
    names: set[str] = set()
    for each in resources:
        path, name = (each.get("path"), each.get("name")) if isinstance(each, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(name, str):
            said.append(("package-form", f"a resource without name and path: {each!r:.120}"))
            continue
        if path in paths or name in names:
            said.append(("package-twice", f"{path!r:.300} named {name!r:.300}"))
        if not _NAME.fullmatch(name):
            said.append(("package-name", f"{name!r:.300}"))
        paths.add(path)
        names.add(name)
        if path not in sizes:
            said.append(("package-absent", f"{path!r:.300}"))
            continue
        _resource(each, path, sizes[path], read, said)
    for path in sizes:
        if path not in paths and path not in (PACKAGE, DIGEST):
            said.append(("package-unlisted", f"{path!r:.300}"))


def _resource(each: dict[str, Any], path: str, size: int, read: Read, said: Said) -> None:
    if not isinstance(each.get("bytes"), int):
        said.append(("package-form", f"{path!r:.300} has no bytes"))
    elif each["bytes"] != size:
        said.append(("package-bytes", f"{path!r:.300} has {size} bytes, not {each['bytes']}"))
    written = each.get("hash")
    found = hash_of(written, lambda: read(path))
    if found is None:
        said.append(("package-form", f"{path!r:.300} has no hash that can be read: {written!r:.150}"))
    elif not found:
        said.append(("package-hash", f"{path!r:.300} is not {written!r:.150}"))


def hash_of(written: Any, read: Callable[[], Iterator[bytes]]) -> bool | None:
    """Whether the bytes have the hash that is written; None where it cannot be read."""
    label, colon, value = written.partition(":") if isinstance(written, str) else ("", "", "")
    if not colon:  # Data Resource 1: without a label it is MD5
        label, value = "md5", label
    algorithm = label.lower().replace("-", "")
    if len(value) != _HASHES.get(algorithm) or not _HEXADECIMAL.fullmatch(value):
        return None
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for block in read():
        digest.update(block)
    return digest.hexdigest() == value.lower()


def judge_digest(data: bytes, package: bytes, said: Said) -> dict[str, Any]:
    """datapackage-digest.json; `package`: the bytes of datapackage.json. Returns what it says, or {}."""
    digest = read_json(data)
    if not isinstance(digest, dict):
        said.append(("digest-file", "datapackage-digest.json is no JSON object"))
        return {}
    if digest.get("path") != PACKAGE:
        said.append(("digest-file", f"path {digest.get('path')!r:.80} is not 'datapackage.json'"))
    found = hash_of(digest.get("hash"), lambda: iter((package,)))
    if found is None:
        said.append(("digest-file", f"no hash that can be read: {digest.get('hash')!r:.150}"))
    elif not found:
        said.append(("digest-hash", f"datapackage.json is not {digest['hash']!r:.150}"))
    return digest
