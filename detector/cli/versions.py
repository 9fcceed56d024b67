"""`fraud pattern versions`, `rollback` and `export`: what became of the rules of a store."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from detector.adapters.duckdb.at_rest import connect_to_read
from detector.adapters.people.in_force import in_force
from detector.adapters.rendering import variables
from detector.cli.ask_console import console_of
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.cli.people import opened_people, shell_user
from detector.core.errors import InputError, StoreInUse
from detector.signals.loading import load_rules
from detector.signals.rules import Rules

Name = Annotated[str, typer.Argument(help="The pattern.")]
COLUMNS = ["version", "state", "changes", "reason", "author", "created_at", "decided_by"]


def versions(name: Name, store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """List the versions of a rule, the newest first; also beside a running process.

    Without a live one the rules' file is in force.
    """
    _check(name)
    try:
        with opened_people(store) as people:
            found = [[getattr(v, c) for c in COLUMNS] for v in people.rule_versions.of(name)]
    except StoreInUse as error:
        listed = console_of(store, error).get(f"/v1/patterns/{name}/versions", {})["versions"]
        found = [[version[column] for column in COLUMNS] for version in listed]
    if as_json:
        print_json(as_records(COLUMNS, found))
    else:
        rows = [[_words(value) for value in row] for row in found]
        print_rows(f"Versions of {name}", COLUMNS, rows)


def rollback(name: Name, store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Put the version before the live one, or the file, in force again.

    At once, also beside a running process, by the owner of its store. It is audited.
    """
    _check(name)
    try:
        with opened_people(store) as people:
            number = people.rule_versions.roll_back(shell_user(), name)
    except StoreInUse as error:
        number = console_of(store, error).post(f"/v1/patterns/{name}/rollback")["version"]
    if as_json:
        print_json({"pattern": name, "version": number})
    else:
        print(f"{name}: {f'version {number}' if number else 'the file'} is in force again.")


def export(
    store: Store = DEFAULT_STORE,
    out: Annotated[
        Path | None, typer.Option(help="A file to write; by default standard output.")
    ] = None,
) -> None:
    """Write the rules in force in a store as a rules' file.

    With its approved versions and the entries of its lists, also beside a running process. With
    PATTERNS_FILE set to the file, `replay`, `parity`, `backtest` and the others use these rules;
    a changed block of it goes into fraud_detection/dbt_project.yml, for git and for a cluster.
    """
    try:
        rules = variables(rules_in_force(store))
    except StoreInUse as error:
        rules = console_of(store, error).get("/v1/rules", {})["rules"]
    text = yaml.safe_dump({"vars": rules}, sort_keys=False, allow_unicode=True, width=100)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, "utf-8")


def rules_in_force(store: Path) -> Rules:
    """The rules that are in force in a store; `StoreInUse` beside a running process."""
    with closing(connect_to_read(store)) as db:
        return in_force(db, load_rules())


def _words(value: Any) -> Any:
    """Changes as text."""
    if not isinstance(value, dict):
        return value
    return ", ".join(f"{key} = {changed}" for key, changed in value.items())


def _check(name: str) -> None:
    known = load_rules().patterns
    if name not in known:
        raise InputError(f"There is no pattern {name}; there are {', '.join(known)}.")
