"""`fraud report`: what the rules found, cost and saved."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.duckdb.at_rest import StoreFile
from detector.analysis.digest import markdown, page
from detector.analysis.report import report
from detector.cli.ask_console import console_of
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import print_json
from detector.core.errors import InputError, StoreInUse
from detector.signals.loading import load_rules


def command(
    days: Annotated[float, typer.Option(min=0.01, help="Length of the period.")] = 7,
    until: Annotated[datetime | None, typer.Option(help="Its end in UTC; by default now.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A file to write, .md or .html; by default Markdown here.")
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Report what the rules found, missed, cost and saved.

    Of the last week by default, from the events and decisions in a store; also beside a running
    process.
    """
    if out is not None and out.suffix not in (".md", ".html"):
        raise InputError(f"{out} is neither .md nor .html.")
    end = until.replace(tzinfo=UTC) if until is not None else datetime.now(UTC)
    start = end - timedelta(days=days)
    rules = load_rules()
    try:
        file = StoreFile(store)
    except StoreInUse as error:
        asked = {"since": start.isoformat(), "until": end.isoformat()}
        found = console_of(store, error).get("/v1/report", asked)
        found |= {"since": start, "until": end}
    else:
        found = report(file, rules, start, end)
        file.close()
    if as_json:
        print_json(found)
        return
    text = page(found, rules) if out and out.suffix == ".html" else markdown(found, rules)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, "utf-8")
        print(f"{out}: written.")
