"""Documents that cannot rot: what exists is documented, and what is documented exists."""

import gzip
import json
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import msgspec
import pytest
from commands import archiver

from archiver import errors, model

Kind = TypeVar("Kind")

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HEADING = re.compile(r"^#{2,3} `?(\w+)`?(?: \(view\))?$")
ROW = re.compile(r"^\| `([\w.]+)` \|(.*)\|$")


def tables(page: str) -> dict[str, dict[str, str]]:
    """Sections that are named for one thing and hold a table: its rows, first cell → the rest, in order."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    for line in (DOCS / page).read_text().splitlines():
        if line.startswith("#"):
            heading = HEADING.match(line)
            section = heading[1] if heading else ""
        elif section and (row := ROW.match(line)):
            assert row[2].rsplit("|", 1)[-1].strip(), f"{page}: {section}.{row[1]} has no meaning"
            assert row[1] not in found.setdefault(section, {}), f"{page}: {section}.{row[1]} is there twice"
            found[section][row[1]] = row[2]
    return found


# --- the command line ----------------------------------------------------------------------------


def contexts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[click.Context]:
    context = click.Context(command, info_name=name, parent=parent)
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None, f"{context.command_path} lists {child}, which is not there"
            yield from contexts(found, child, context)


def every_command() -> list[click.Context]:
    from archiver.cli import main

    return list(contexts(main, "archiver"))


def test_every_command_and_option_is_explained() -> None:
    sections = re.split(r"^## ", (DOCS / "cli.md").read_text(), flags=re.MULTILINE)
    text = {section.partition("\n")[0]: section for section in sections}
    for context in every_command():
        path = context.command_path
        assert context.command.help, f"{path} has no help"
        assert path in text, f"{path} is not in docs/cli.md: run 'make docs'"
        for option in context.command.get_params(context):
            if isinstance(option, click.Option):
                assert option.help, f"{path} {option.opts[0]} has no help"
                assert all(name in text[path] for name in option.opts), (
                    f"{path} {option.opts} is not in docs/cli.md"
                )


def test_no_command_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^## (archiver.*)$", (DOCS / "cli.md").read_text(), flags=re.MULTILINE)
    assert documented == [context.command_path for context in every_command()]


def test_every_exit_code_is_explained() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (DOCS / "cli.md").read_text(), flags=re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == errors.EXIT_CODES


def subclasses(kind: type[Kind]) -> set[type[Kind]]:
    children: list[type[Kind]] = kind.__subclasses__()
    return {kind} | {each for child in children for each in subclasses(child)}


def test_every_error_has_an_exit_code_that_is_explained() -> None:
    assert {kind.exit_code for kind in subclasses(errors.ArchiverError)} <= set(errors.EXIT_CODES)


# --- catalogue, formats, settings ----------------------------------------------------------------


def test_every_table_and_column_is_explained() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript((ROOT / "archiver" / "index" / "schema.sql").read_text())
        names = [
            row[0]
            for row in db.execute(
                "SELECT name FROM pragma_table_list JOIN sqlite_master USING (name)"
                " WHERE pragma_table_list.type <> 'shadow' ORDER BY sqlite_master.rowid"
            )
        ]
        schema = {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in names}
    assert {name: list(rows) for name, rows in tables("catalogue.md").items()} == schema


def nouns() -> dict[str, type[model.Noun]]:
    return {
        kind.__name__: kind
        for kind in subclasses(model.Noun)
        if kind.__module__ == model.__name__ and kind is not model.Noun
    }


def test_every_field_of_a_noun_is_explained() -> None:
    documented = {name: list(rows) for name, rows in tables("formats.md").items()}
    assert documented == {name: list(kind.__struct_encode_fields__) for name, kind in nouns().items()}


def test_every_word_a_field_can_hold_is_explained() -> None:
    documented = tables("formats.md")
    for name, kind in nouns().items():
        for field in msgspec.structs.fields(kind):
            known = msgspec.inspect.type_info(field.type)
            words = known.values if isinstance(known, msgspec.inspect.LiteralType) else ()
            missing = [word for word in words if f"`{word}`" not in documented[name][field.name]]
            assert not missing, f"docs/formats.md: {name}.{field.name} does not explain {missing}"


def test_every_kind_of_note_is_explained() -> None:
    text = (DOCS / "formats.md").read_text()
    for name, kind in nouns().items():
        tag = kind.__struct_config__.tag
        assert tag is None or f'### {name}\n\n`"type": "{tag}"`' in text


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_examples_of_formats_are_what_the_code_reads_and_writes() -> None:
    """Nothing in an example is ignored, and nothing in it is left out when written again."""
    examples = blocks("json", (DOCS / "formats.md").read_text())
    kinds: Any = model.Note | model.Finding
    seen = set()
    for example in examples:
        raw = json.loads(example)
        value = msgspec.convert(raw, model.Entry if "length" in raw else kinds)
        assert json.loads(msgspec.json.encode(value)) == raw
        seen.add(type(value))
    assert seen == {*get_args(model.Note), model.Finding, model.Entry}


def settings(kind: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of all settings: `table.name`."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings(field.type, f"{prefix}{field.encode_name}.")
        else:
            yield prefix + field.encode_name


def test_every_setting_is_explained() -> None:
    from archiver import config

    documented = [name for rows in tables("settings.md").values() for name in rows]
    assert documented == list(settings(config.Settings))


def bounds(kind: type, prefix: str = "") -> Iterator[tuple[str, object, tuple[object, object]]]:
    """Of each setting that is a number: dotted name, default, smallest and largest value."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from bounds(field.type, f"{prefix}{field.encode_name}.")
            continue
        known = msgspec.inspect.type_info(field.type)
        for each in known.types if isinstance(known, msgspec.inspect.UnionType) else (known,):
            if isinstance(each, msgspec.inspect.IntType | msgspec.inspect.FloatType):
                yield prefix + field.encode_name, field.default, (each.ge, each.le)


def test_defaults_and_bounds_of_settings_are_right() -> None:
    from archiver import config

    documented = tables("settings.md")["Settings"]
    found = list(bounds(config.Settings))
    assert len(found) > 10
    for name, default, (least, most) in found:
        cells = [cell.strip() for cell in documented[name].split("|")]
        assert cells[0] == ("none" if default is None else f"`{default}`"), name
        assert [float(each) for each in cells[1].split(" to ")] == [least, most], name


def test_every_outcome_is_explained() -> None:
    from archiver.tell import words

    text = (DOCS / "formats.md").read_text().partition("The words for what came of a URL")[2]
    documented = re.findall(r"^\| `(\w+)` \|", text.partition("###")[0], flags=re.MULTILINE)
    assert documented == list(words.OUTCOMES)


def fields_printed(command: str, kind: str) -> set[str]:
    """What docs/formats.md says of one kind of row."""
    found = re.search(
        rf"^\| `{command}` \| `{kind}` \| (.+) \|$", (DOCS / "formats.md").read_text(), re.MULTILINE
    )
    assert found, f"{command}: {kind} is not in docs/formats.md"
    return set(re.findall(r"`(\w+)`", found[1]))


def test_every_field_that_status_and_archive_print_is_explained(root: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.txt"
    nothing.touch()
    for command, arguments in {
        "status": [str(root), "--failures"],
        "archive": [str(nothing), "--into", str(tmp_path / "archive")],
    }.items():
        rows = archiver(command, *arguments, "--json")[1]
        for row in rows:
            assert set(row) - {"type"} <= fields_printed(command, row["type"]), (command, row["type"])
        assert rows[-1]["type"] == "summary"


def test_timers_tell_of_every_exit_code() -> None:
    text = (DOCS / "timers.md").read_text()
    codes = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for code in row.split(", ")
    }
    assert codes == set(errors.EXIT_CODES)


def test_commands_in_units_and_crontabs_can_be_run() -> None:
    """Each is parsed by the command line as it is, up to where it would begin."""
    from archiver.cli import main

    text = (DOCS / "timers.md").read_text()
    found = re.findall(r"(?:/opt/archiver/bin/|^)archiver ((?:archive|status) [^>|#\n]+)", text, re.MULTILINE)
    assert len(found) >= 6
    for line in found:
        name, *words = shlex.split(line)
        command = main.get_command(click.Context(main), name)
        assert command
        command.make_context(name, words)


def test_examples_of_settings_are_settings() -> None:
    from archiver import config

    examples = blocks("toml", (DOCS / "settings.md").read_text())
    assert examples
    for example in examples:
        msgspec.toml.decode(example, type=config.Settings)


# --- README, changelog, links --------------------------------------------------------------------


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_in_texts_exist(page: str) -> None:
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", (ROOT / page).read_text(), flags=re.DOTALL))
    named = set(re.findall(r"\bmake ([a-z]+)", code))
    assert len(named) >= 2, f"{page} does not say how to start"
    assert named <= make_targets()


def test_readme_shows_a_screenshot_that_exists() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)#?]+)\)", (ROOT / "README.md").read_text())
    shots = [ROOT / picture for picture in pictures if "://" not in picture]
    assert shots
    assert all(shot.is_file() and shot.stat().st_size > 10_000 for shot in shots)


def test_changelog_entries_are_single_sentences() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    entries = re.findall(r"^- (.+(?:\n  .+)*)$", text, flags=re.MULTILINE)
    assert entries
    wrong = [entry for entry in entries if not entry.endswith(".") or re.search(r"[.!?]\s+\S", entry)]
    assert not wrong


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_local_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^ {4}[^\n]*$|(```|``|`).+?\1", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    lost = [each for each in targets if "://" not in each and not (page.parent / each).exists()]
    assert not lost


def test_index_names_every_page() -> None:
    text = (DOCS / "index.md").read_text()
    assert not [
        page.name for page in DOCS.glob("*.md") if page.stem != "index" and f"]({page.name})" not in text
    ]


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("0*.md")), ids=lambda page: page.stem)
def test_decisions_follow_the_template(page: Path) -> None:
    def headings(path: Path) -> list[str]:
        return re.findall(r"^## .+$", path.read_text(), flags=re.MULTILINE)

    text = page.read_text()
    assert headings(page) == headings(page.with_name("template.md"))
    assert re.match(
        rf"# {page.stem[:4]}: .+\n\nStatus: (proposed|accepted|superseded)\b.* · Date: \d{{4}}-", text
    )
    assert "\n* Good, because " in text
    assert "\n* Bad, because " in text


# --- what must not get out -----------------------------------------------------------------------

# Put together from parts, so that this file does not hold what it looks for.
LEAKS = re.compile(
    rb"(?<![\w.:-])/(?:wo" + rb"rk|tm" + rb"p|ro" + rb"ot|opt/py" + rb"pi)/[\w.]"
    rb"|py" + rb"pi\.org|files\.python" + rb"hosted|deb\.deb" + rb"ian\.org|registry\.npm" + rb"js"
    rb"|--(?:extra-)?index-" + rb"url [fh]"
)
LOCKS = {
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "pdm.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
}


def published() -> list[Path]:
    """Files that git has, or would take."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout: which files are published is not known")
    files = (ROOT / name.decode() for name in sorted(set(done.stdout.split(b"\0"))) if name)
    return [path for path in files if path.is_file()]


def test_no_file_tells_of_the_machine_it_was_made_on() -> None:
    found = []
    for path in published():
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [f"{path.relative_to(ROOT)}: {match[0].decode()!r}" for match in LEAKS.finditer(data)]
    assert not found


def test_leaks_would_be_found() -> None:
    for leak in ("'/wo" + "rk/x'", "see /tm" + "p/x.log", "https://py" + "pi.org/simple"):
        assert LEAKS.search(leak.encode())
    for harmless in ("https://news.example/wo" + "rk/x", "img/tm" + "p/x", "$TMPDIR/x"):
        assert not LEAKS.search(harmless.encode())


def test_no_lock_file_is_published() -> None:
    assert not [path.name for path in published() if path.name in LOCKS or path.suffix == ".lock"]
