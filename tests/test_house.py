"""The house rules that no linter checks, and what a person who installs the project gets."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE = sorted((ROOT / "archiver").rglob("*.py"))
CODE = PACKAGE + sorted(
    path for folder in ("benchmarks", "docs", "tests") for path in (ROOT / folder).rglob("*.py")
)
LINES_OF_MODULE, LINES_OF_TESTS, LINES_OF_FUNCTION = 400, 600, 60  # tests are mostly tables of cases
LINES_OF_VERIFIER = 730  # it has to be one file
STANDALONE = ROOT / "archiver/prove/verify.py"  # a program of its own in one file, shipped in bundles
BINS = {"utils", "util", "helpers", "misc", "common"}
HEAVY = {"PIL", "ada_url", "datasette", "imagehash", "numpy", "requests", "rich", "scipy", "selectolax"} | {
    "sqlite_utils",
    "urllib3",
    "uvicorn",
    "warcio",
    "hypothesis",
    "pytest",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_bytes()))


def distribution(requirement: str) -> str:
    """`requests[socks]>=2.34; marker` → `requests`."""
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


# --- the code ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CODE, ids=name)
def test_module_is_small(path: Path) -> None:
    limit = LINES_OF_TESTS if path.parent.name == "tests" else LINES_OF_MODULE
    limit = LINES_OF_VERIFIER if path == STANDALONE else limit
    assert path.read_bytes().count(b"\n") <= limit


@pytest.mark.parametrize("path", CODE, ids=name)
def test_functions_are_small(path: Path) -> None:
    functions = [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f"{node.name}, line {node.lineno}" for node in functions if length(node) > LINES_OF_FUNCTION]
    assert not long, f"over {LINES_OF_FUNCTION} lines: {long}"


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_broad_except_ends_in_one_error_or_says_why(path: Path) -> None:
    lines = path.read_text().splitlines()
    wrong = [
        handler.lineno
        for handler in nodes(path)
        if isinstance(handler, ast.ExceptHandler)
        and is_broad(handler)
        and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
        and not re.search(r"# noqa: BLE001 - \w+", lines[handler.lineno - 1])
    ]
    assert not wrong, f"broad except without '# noqa: BLE001 - reason' in lines {wrong}"


def is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id.endswith("Exception")) for kind in caught
    )


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_no_assert(path: Path) -> None:
    assert not [node.lineno for node in nodes(path) if isinstance(node, ast.Assert)]


def test_no_room_for_everything() -> None:
    assert not [name(path) for path in PACKAGE if BINS & {*path.relative_to(ROOT).parts[:-1], path.stem}]


def test_only_the_command_line_prints_and_exits() -> None:
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path in PACKAGE
        if "cli" not in path.relative_to(ROOT).parts and path != STANDALONE
        if path.stem not in ("console", "forks")  # a fork ends without its parent's last words
        for node in nodes(path)
        if (
            isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.exit", "exit", "os._exit")
        )
        or (isinstance(node, ast.Name) and node.id == "SystemExit")
    ]
    assert not wrong


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    assert not [name(path) for path in CODE if words.search(path.read_text())]


# --- what it needs -------------------------------------------------------------------------------


def imported() -> dict[str, set[str]]:
    """Top-level modules that are not ours or Python's, with the rooms that import them."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE:
        room = path.relative_to(ROOT).parts[1]
        for node in nodes(path):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for module in {each.partition(".")[0] for each in names} - {"archiver"} - sys.stdlib_module_names:
                found.setdefault(module, set()).add(room)
    return found


def declared(requirements: list[str]) -> set[str]:
    """Distributions, with those that the extras we name bring: requests[socks] brings PySocks."""
    found = set()
    for requirement in requirements:
        found.add(distribution(requirement))
        extras = re.search(r"\[([\w, -]+)\]", requirement)
        for extra in extras[1].split(",") if extras else []:
            marker = re.compile(rf"extra == ['\"]{extra.strip()}['\"]")
            found |= {
                distribution(line)
                for line in requires(distribution(requirement)) or []
                if marker.search(line)
            }
    return found


def test_every_import_is_declared() -> None:
    owners = packages_distributions()
    base = declared(PROJECT["dependencies"])
    browse = base | declared(PROJECT["optional-dependencies"]["browse"])
    wrong = {
        module: rooms
        for module, rooms in imported().items()
        if not {distribution(owner) for owner in owners.get(module, [])}
        & (browse if rooms == {"browse"} else base)
    }
    assert not wrong, f"imported, but not a dependency in pyproject.toml: {wrong}"


def test_every_dependency_is_used() -> None:
    owners = packages_distributions()
    used = {distribution(owner) for module in imported() for owner in owners.get(module, [])}
    listed = {distribution(line) for line in PROJECT["dependencies"]}
    assert listed <= used, f"never imported: {listed - used}"


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = """
import json, sys
from archiver.cli import main
main(["--help"], standalone_mode=False)
print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    assert not HEAVY & set(json.loads(run(code).splitlines()[-1]))


def test_commands_start_without_the_tools_of_development() -> None:
    """As a person has it who installed the project with its extras: `--help` of every command."""
    needed = {
        distribution(line)
        for line in (ROOT / "requirements" / "archiver.txt").read_text().splitlines()
        if "==" in line
    }
    absent = sorted(
        module
        for module, owners in packages_distributions().items()
        if module != "archiver" and not {distribution(owner) for owner in owners} & needed
    )
    assert {"pytest", "hypothesis", "trustme"} <= set(absent)
    code = """
import sys, click
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from archiver.cli import main
def walk(command, words):
    main([*words, "--help"], standalone_mode=False)
    print(end="\\n@" + " ".join(words) + "\\n")
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), [*words, name])
walk(main, [])
"""
    assert run(code, *absent).count("\n@") > 5


# --- what is shipped -----------------------------------------------------------------------------


def test_wheel_holds_what_the_code_reads(tmp_path: Path) -> None:
    code = "import sys, flit_core.buildapi as api; print(api.build_wheel(sys.argv[1]))"
    wheel = tmp_path / run(code, str(tmp_path)).strip()
    with zipfile.ZipFile(wheel) as file:
        packed = set(file.namelist())
        metadata = file.read(next(each for each in packed if each.endswith("/METADATA"))).decode()
    source = {
        name(path)
        for path in (ROOT / "archiver").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".pyo")
    }
    assert {each for each in packed if each.startswith("archiver/")} == source
    assert {"archiver/index/schema.sql"} <= source
    assert {Path(each).parts[2] for each in source if each.startswith("archiver/browse/")} >= {
        "templates",
        "static",
    }
    assert f"Requires-Python: {PROJECT['requires-python']}" in metadata


def test_requirements_pin_everything_with_hashes() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        pins = re.split(r"\n(?=[a-z0-9])", path.read_text().strip())
        assert pins
        assert not [pin.splitlines()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin], (
            path.name
        )


def test_develop_pins_what_the_project_pins() -> None:
    def pins(file: str) -> set[str]:
        lines = (ROOT / "requirements" / file).read_text().splitlines()
        return {line.partition(" \\")[0] for line in lines if re.match(r"[a-z0-9]", line)}

    assert pins("archiver.txt") <= pins("develop.txt")


def test_ci_is_runnable_and_ends_with_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    last = [line for line in script.read_text().splitlines() if line.strip()][-1]
    assert last.startswith("make --no-print-directory test")
