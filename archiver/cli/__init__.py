"""The commands. One command is one call below; only this package exits, and only through `console` it prints.

Everything but click and the errors is imported inside the commands, so that `--help` is quick.
"""

from typing import Any

import click

import archiver.cli.exporting_trees  # noqa: F401 - adds its commands to the group `export`
from archiver import __version__
from archiver.cli.archiving import archive
from archiver.cli.comparing import compare
from archiver.cli.duplicates import duplicates
from archiver.cli.evidence import prove
from archiver.cli.exporting import export
from archiver.cli.importing import import_, merge
from archiver.cli.keys import key, sign
from archiver.cli.linting import lint
from archiver.cli.mending import protect, repair
from archiver.cli.pictures import compare_pictures
from archiver.cli.proving import demo, rebuild
from archiver.cli.reading import browse, show, status
from archiver.cli.searching import search
from archiver.cli.stamping import timestamp
from archiver.cli.verifying import verify
from archiver.console import printable
from archiver.errors import EXIT_CODES, ArchiverError

_CODES = " · ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())


class _Commands(click.Group):
    """Turns our own errors into a message with the next step, and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchiverError as error:
            _fail(str(error), error.advice, error.exit_code)
        except KeyboardInterrupt:
            _fail("interrupted at once", "The next command heals what is left open.", 130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the top: a bug becomes a message and exit 1
            import traceback

            traceback.print_exc()
            _fail(
                f"a bug in the archiver: {type(error).__name__}: {error}", "Please report the lines above.", 1
            )


def _fail(message: str, advice: str, code: int) -> None:
    click.echo(f"error: {printable(message)}" + (f"\n{printable(advice)}" if advice else ""), err=True)
    raise SystemExit(code)


@click.group(
    cls=_Commands,
    context_settings={"auto_envvar_prefix": "ARCHIVER", "max_content_width": 110},
    epilog="\b\nExit codes: " + _CODES.replace(" · ", "\n            "),
)
@click.version_option(__version__, prog_name="archiver")
def main() -> None:
    """Keep news articles and every form of their pictures as WARC, and prove later that nothing changed."""


_COMMANDS = (
    archive,
    browse,
    compare,
    compare_pictures,
    demo,
    duplicates,
    export,
    import_,
    key,
    lint,
    merge,
    protect,
    prove,
    rebuild,
    repair,
    search,
    show,
    sign,
    status,
    timestamp,
    verify,
)
for _command in _COMMANDS:
    main.add_command(_command)
