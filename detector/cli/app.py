"""The `fraud` command and its subcommands."""

import os
import sys
from typing import Annotated

import typer

from detector.cli.commands import ImportedWhenCalled
from detector.cli.environment import warn_of_misspelt
from detector.core.errors import FraudError
from detector.core.text import printable
from producers.errors import ConfigError


def said(wanted: bool) -> None:
    """Print the version and end, if that is wanted."""
    if wanted:
        from importlib.metadata import version as distribution_version

        print(f"fraud {distribution_version('fraud-detection-streaming')}")
        raise typer.Exit


app = typer.Typer(
    cls=ImportedWhenCalled,
    rich_markup_mode=None,
    epilog="Start with `fraud run`. Every command accepts --json for machine-readable results.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=said)
    ] = False,
) -> None:
    """Real-time bank fraud detection: nine patterns, a risk score per account, cases."""


def main() -> None:
    """Run the command; an error that the user can fix ends with one sentence and exit code 2."""
    # Stores, their logs and temporary files hold what only their owner may read.
    os.umask(0o077)
    warn_of_misspelt()
    try:
        app()
    except (FraudError, ConfigError) as error:
        lines = [printable(line) for line in str(error).splitlines()]
        print("\n".join(["fraud: " + lines[0], *lines[1:]]), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does; not an error.
        sys.stderr.close()
        sys.exit(0)
