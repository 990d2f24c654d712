"""docs/verify.md names every finding that there is, and shows what was measured."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.verify.run import ORDER

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "verify.md").read_text()
SOURCES = [ast.parse(path.read_bytes()) for path in sorted((ROOT / "archiver" / "verify").glob("*.py"))]


def constants(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def makers(tree: ast.AST) -> dict[str, int]:
    """Functions with a parameter `code`: its place among the arguments of a call."""
    found = {"of_file": 1, "of_record": 3}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("partial(of_file, "):
            found[ast.unparse(node.targets[0])] = 0  # the file is given already
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
            if "code" in names:
                found[node.name] = names.index("code")
    return found


def codes(tree: ast.AST) -> Iterator[str]:
    """String constants that become the `code` of a Finding."""
    places = makers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in places and len(node.args) > places[name]:
                yield from constants(node.args[places[name]])
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from constants(keyword.value)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            if ast.unparse(node.targets[0]).startswith(("(code,", "code,")):
                yield from constants(node.value.elts[0])
        elif isinstance(node, ast.FunctionDef) and node.name in ("_judge", "_digests"):
            for each in ast.walk(node):
                if isinstance(each, ast.Yield) and isinstance(each.value, ast.Tuple):
                    yield from constants(each.value.elts[0])


def test_every_code_is_documented_and_exists() -> None:
    table = PAGE.partition("## The findings")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([a-z-]+)` \| [0-9, ]+ \| \S", table, flags=re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == {code for tree in SOURCES for code in codes(tree)}


def test_every_verdict_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| ([034]) \|$", PAGE, flags=re.MULTILINE)
    assert [verdict for verdict, _ in rows] == list(ORDER)


def test_steps_are_those_of_the_code() -> None:
    documented = re.findall(r"^(\d+)\. \*\*", PAGE, flags=re.MULTILINE)
    described = re.findall(
        r"^    \((\d+)\) ", (ROOT / "archiver" / "verify" / "run.py").read_text(), re.MULTILINE
    )
    assert documented == described == [str(number) for number in range(1, 12)]


@pytest.mark.peers
@pytest.mark.slow
def test_table_of_tools_is_what_is_measured() -> None:
    peers = ROOT / ".venv-peers" / "bin"
    if not all((peers / name).exists() for name in ("warcio", "fastwarc")):
        pytest.skip("the peers' tools are not installed: make peers")
    script = ROOT / "benchmarks" / "tamper_table.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip() in PAGE
