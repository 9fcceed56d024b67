"""`fraud audit`: what people did, and whether the record of it is whole."""

import json
from typing import Annotated, Any

import typer

from detector.adapters.desk import Desk
from detector.cases.audit import Entry, Tampered
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import print_json, print_rows
from detector.core.errors import StoreError


def audit(
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute the chain; exit code 1 if it is broken.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Newest entries to show.")] = 30,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Show what people did, newest first, or verify that nobody changed the record."""
    if not store.exists():
        raise StoreError(f"There is no store at {store}. Run `fraud run` first.")
    desk = Desk.open(store)
    try:
        if verify:
            verdict = _verdict(desk)
        else:
            entries = desk.entries(limit)
    finally:
        desk.close()
    if not verify:
        _show(entries, as_json)
        return
    if as_json:
        print_json(verdict)
    else:
        print(verdict["detail"] or f"{verdict['entries']} entries, none changed.")
        print(f"Hash of the last entry: {verdict['head']}")
    if not verdict["sound"]:
        raise typer.Exit(1)


def _verdict(desk: Desk) -> dict[str, Any]:
    _, head = desk.log.head()
    try:
        return {"sound": True, "entries": desk.verify(), "head": head, "detail": None}
    except Tampered as error:
        return {"sound": False, "entries": error.seq - 1, "head": head, "detail": str(error)}


def _show(entries: list[Entry], as_json: bool) -> None:
    columns = ["seq", "at", "actor", "role", "action", "subject", "detail"]
    if as_json:
        names = [*columns, "subject_kind", "previous_hash", "hash"]
        print_json([{name: getattr(entry, name) for name in names} for entry in entries])
        return
    rows = [[*(getattr(e, name) for name in columns[:-1]), _said(e)] for e in entries]
    print_rows("Audit log", columns, rows)


def _said(entry: Entry) -> str:
    hidden = {"case", "before", "after"}
    return json.dumps({k: v for k, v in entry.detail.items() if k not in hidden})
