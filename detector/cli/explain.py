"""`fraud explain`: why a signal fired, a case opened, or an event raised nothing."""

from typing import Annotated
from urllib.parse import quote

import typer

from detector.adapters.duckdb.at_rest import connect_to_read
from detector.adapters.people.in_force import in_force
from detector.analysis.explain import explain, heading
from detector.cli.ask_console import console_of
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import print_json, print_rows, text
from detector.core.errors import StoreInUse
from detector.signals.loading import load_rules


def command(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Of a signal (PATTERN:EVENT_ID), case or event.")
    ],
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Show why a signal fired or a case opened, or why not.

    For a signal the events it rests on and the scores it led to; for a case its signals in order,
    each with what it adds; for an event how far each pattern was from firing. Also beside a running
    process.
    """
    try:
        with connect_to_read(store) as db:
            found = explain(db, in_force(db, load_rules()), name)
    except StoreInUse as error:
        found = console_of(store, error).get(f"/v1/explanations/{quote(name, safe='')}", {})
    if as_json:
        print_json(found)
        return
    tables = {key: rows for key, rows in found.items() if rows and _is_table(rows)}
    facts = {key: value for key, value in found.items() if not _is_table(value)}
    print_rows(heading(found), ["", "detail"], [[key, text(facts[key])] for key in facts])
    for key, rows in tables.items():
        columns = list(rows[0])
        print_rows(
            key.replace("_", " "), columns, [[text(row[c]) for c in columns] for row in rows]
        )


def _is_table(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
