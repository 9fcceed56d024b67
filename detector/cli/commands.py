"""The subcommands by name, each imported only when it is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from detector.cli.tuning import without_collecting

COMMANDS = {
    "run": ("run:run", "Detect live on the synthetic bank or on Kafka."),
    "console": ("console:console", "Serve the console over a store or over RisingWave."),
    "demo": ("demo:demo", "Walk through one account takeover, second by second."),
    "replay": ("replay:replay", "Replay a folder of events in event time."),
    "generate": ("generate:generate", "Write the events of a bank, one file per stream."),
    "import": ("imports:command", "Turn a CSV or Parquet file into event files."),
    "evaluate": ("evaluate:evaluate", "Replay a folder, then compare its cases with the truth."),
    "risk": ("query:risk", "Accounts by risk score, as of the last event."),
    "cases": ("query:cases", "Open cases, the most urgent first."),
    "kpis": ("query:kpis", "The newest minutes: fraud rate and signals by pattern."),
    "fraud-rate": ("query:fraud_rate", "The share of transactions at which a signal fired."),
    "status": ("query:status", "Progress: events, signals, cases, watermark, positions."),
    "sql": ("query:sql", "Run a read-only query on the store or on RisingWave."),
    "validate": ("validate:validate", "Check the rules, and the data of the store or RisingWave."),
    "audit": ("audit:audit", "Show what users did, or verify the hash chain."),
    "users": ("users:app", "The users who may sign in to the console."),
    "keys": ("keys:app", "The API keys of programs."),
    "doctor": ("doctor:doctor", "Check machine, clock, settings, rules, store and brokers."),
    "backup": ("backup:backup", "Copy a store as of one moment."),
    "restore": ("backup:restore", "Make a store of a backup; never over an existing one."),
    "parity": ("parity:command", "Run both engines over a folder and compare the results."),
    "tune": ("tune:command", "Search weights and thresholds; changes no file."),
    "report": ("report:command", "Report what the rules found, missed, cost and saved."),
    "explain": (
        "explain:command",
        "Show why a signal fired or a case opened, or why not.",
    ),
    "pattern": ("pattern:app", "Add, check, preview and export rules; roll a change back."),
    "backtest": ("backtest:command", "Run detection over history in batch, as SQL."),
    "bench": ("bench:bench", "Measure events per second."),
}
"""Where each is defined, in this folder, and the first sentence of its help."""


class ImportedWhenCalled(TyperGroup):
    """The group of `COMMANDS`: its help reads the table, a call imports one module."""

    def __init__(self, *, commands: object = None, **options: Any) -> None:
        listed = [TyperGroup(name=name, help=text) for name, (_, text) in COMMANDS.items()]
        super().__init__(commands=listed, **options)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that the arguments name."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(str(command.name)), rest


def load(name: str) -> Any:
    """A command with its options."""
    module, attribute = COMMANDS[name][0].split(":")
    with without_collecting():
        found = getattr(import_module(f"detector.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(found)
        found = alone
    return typer.main.get_command(found)
