"""`fraud audit`: the audit log, and whether its chain is intact."""

import json
from typing import Annotated

import typer

from detector.adapters.people.store import PeopleStore
from detector.cases.audit import AuditEntry, Tampered
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import print_json, print_rows
from detector.core.data import JsonObject
from detector.core.errors import StoreError


def audit(
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute the chain; exit code 1 if it is broken.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Number of newest entries to show.")] = 30,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Show what users did, newest first, or verify the hash chain."""
    if not store.exists():
        raise StoreError(f"There is no store at {store}. Run `fraud run` first.")
    people = PeopleStore.open(store)
    try:
        if verify:
            result = _verification(people)
        else:
            entries = people.audit.entries(limit)
    finally:
        people.close()
    if not verify:
        _show(entries, as_json)
        return
    if as_json:
        print_json(result)
    else:
        print(result["detail"] or f"{result['entries']} entries verified.")
        print(f"Hash of the last entry: {result['head']}")
    if not result["valid"]:
        raise typer.Exit(1)


def _verification(people: PeopleStore) -> JsonObject:
    _, head = people.audit.head()
    try:
        return {"valid": True, "entries": people.audit.verify(), "head": head, "detail": None}
    except Tampered as error:
        return {"valid": False, "entries": error.seq - 1, "head": head, "detail": str(error)}


def _show(entries: list[AuditEntry], as_json: bool) -> None:
    columns = ["seq", "at", "actor", "role", "action", "subject", "detail"]
    if as_json:
        names = [*columns, "subject_kind", "previous_hash", "hash"]
        print_json([{name: getattr(entry, name) for name in names} for entry in entries])
        return
    rows = [[*(getattr(e, name) for name in columns[:-1]), _details(e)] for e in entries]
    print_rows("Audit log", columns, rows)


def _details(entry: AuditEntry) -> str:
    hidden = {"case", "before", "after"}
    return json.dumps({k: v for k, v in entry.detail.items() if k not in hidden})
