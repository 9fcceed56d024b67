"""`fraud audit`: the audit log, and whether its chain is intact."""

import json
from typing import Annotated

import typer

from detector.adapters.people.store import PeopleStore
from detector.cases.audit import AuditEntry, Tampered
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import print_json, print_rows
from detector.core.data import JsonObject
from detector.core.errors import InputError, StoreError


def audit(
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute the chain; exit code 1 if it is broken.")
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ:HASH",
            help="With --verify: an entry's number and hash as kept elsewhere, which must be here.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of newest entries to show.")] = 30,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Show what users did, or verify the hash chain. Newest first."""
    if not store.exists():
        raise StoreError(f"There is no store at {store}. Run `fraud run` first.")
    people = PeopleStore.open(store)
    try:
        if verify:
            result = _verification(people, expect)
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
        print(f"The last entry and its hash, to be kept elsewhere: {result['head']}")
    if not result["valid"]:
        raise typer.Exit(1)


def _verification(people: PeopleStore, expect: str | None) -> JsonObject:
    seq, head = people.audit.head()
    head = f"{seq}:{head}"
    try:
        entries = people.audit.verify()
        if expect is not None:
            _check_expected(people, expect)
        return {"valid": True, "entries": entries, "head": head, "detail": None}
    except Tampered as error:
        return {"valid": False, "entries": error.seq - 1, "head": head, "detail": str(error)}


def _check_expected(people: PeopleStore, expect: str) -> None:
    number, _, wanted = expect.partition(":")
    if not number.isdecimal() or not wanted:
        raise InputError(
            f"--expect has to be SEQ:HASH as `fraud audit --verify` prints it: {expect}"
        )
    if people.audit.hash_of(int(number)) != wanted:
        raise Tampered(int(number), "it is not the entry that was kept elsewhere")


def _show(entries: list[AuditEntry], as_json: bool) -> None:
    columns = ["seq", "at", "actor", "role", "action", "subject", "detail"]
    if as_json:
        names = [*columns, "subject_kind", "previous_hash", "hash"]
        print_json([{name: getattr(entry, name) for name in names} for entry in entries])
        return
    rows = [[*(getattr(e, name) for name in columns[:-1]), _details(e)] for e in entries]
    print_rows("Audit log", columns, rows)


def _details(entry: AuditEntry) -> str:
    hidden = {"case", "before", "after", "state"}
    return json.dumps({k: v for k, v in entry.detail.items() if k not in hidden})
