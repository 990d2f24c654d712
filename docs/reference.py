"""What `make docs` writes into the documents: taken from the code, so that it cannot lag behind."""

from collections.abc import Iterator

import click

from archiver.browse.tables.metadata import described
from archiver.errors import EXIT_CODES

WIDTH = 80


def walk(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[click.Context]:
    """The command and all commands below it, each as a context that knows its full name."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from walk(found, child, context)


def commands() -> str:
    """A section for each command with its `--help`, as Markdown."""
    from archiver.cli import main  # noqa: PLC0415 - exit_codes() does not need it

    sections = [
        f"\n## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"
        for context in walk(main, "archiver")
    ]
    return "".join(sections) + "\n"


def exit_codes() -> str:
    """The exit codes as a Markdown table."""
    rows = [f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items()]
    return "\n| code | meaning |\n|---|---|\n" + "".join(rows) + "\n"


def catalogue() -> str:
    """A section for each table of the catalogue with its columns, as Markdown."""
    sections = []
    for table, about in described().items():
        view = " (view)" if about.get("view") else ""
        rows = "".join(f"| `{column}` | {meaning} |\n" for column, meaning in about["columns"].items())
        sections.append(
            f"\n## `{table}`{view}\n\n{about['about']}\n\n| column | meaning |\n|---|---|\n{rows}"
        )
    return "".join(sections) + "\n"
