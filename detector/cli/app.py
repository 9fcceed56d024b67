"""The `fraud` command and its subcommands."""

import os
import sys
from importlib.metadata import version as distribution_version
from typing import Annotated

import typer

from detector.cli import (
    audit,
    backtest,
    backup,
    bench,
    console,
    demo,
    doctor,
    evaluate,
    generate,
    keys,
    parity,
    query,
    replay,
    run,
    tune,
    users,
    validate,
)
from detector.cli.environment import warn_of_misspelt
from detector.core.errors import FraudError
from detector.core.text import printable
from producers.config import ConfigError


def said(wanted: bool) -> None:
    """Print the version and end, if that is wanted."""
    if wanted:
        print(f"fraud {distribution_version('fraud-detection-streaming')}")
        raise typer.Exit


app = typer.Typer(
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


app.command()(run.run)
app.command()(console.console)
app.command()(demo.demo)
app.command()(replay.replay)
app.command()(generate.generate)
app.command()(evaluate.evaluate)
app.command()(query.risk)
app.command()(query.cases)
app.command()(query.kpis)
app.command("fraud-rate")(query.fraud_rate)
app.command()(query.status)
app.command()(query.sql)
app.command()(validate.validate)
app.command()(audit.audit)
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)
app.command("parity")(parity.command)
app.command("tune")(tune.command)
app.command("backtest")(backtest.command)
app.command()(bench.bench)


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
