"""`fraud keys`: the API keys of programs."""

from enum import StrEnum
from typing import Annotated

import typer

from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.cli.people import opened_people, shell_user
from detector.core.errors import InputError

app = typer.Typer(help="The API keys of programs.", no_args_is_help=True)
_COLUMNS = ["key_id", "name", "role", "created_by", "created_at", "revoked_at"]


class KeyRole(StrEnum):
    """The roles that keys may have."""

    machine = "machine"
    viewer = "viewer"


@app.command("list")
def list_keys(store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Show all keys, oldest first, without their secrets."""
    with opened_people(store) as people:
        rows = [[getattr(key, name) for name in _COLUMNS] for key in people.keys.all()]
    if as_json:
        print_json(as_records(_COLUMNS, rows))
    else:
        print_rows("Keys", _COLUMNS, rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[
        KeyRole, typer.Option(help="A machine sends events and requests scores; a viewer reads.")
    ] = KeyRole.machine,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it; it cannot be shown again."""
    if not (name.strip() and name.isprintable() and len(name) <= 200):
        raise InputError(f"{name!r} cannot be a key's name; give it 1 to 200 printable characters.")
    with opened_people(store) as people:
        key, whole = people.keys.add(shell_user(), name, role.value)
    if as_json:
        print_json({"key_id": key.key_id, "name": name, "role": role, "secret": whole})
    else:
        print(f"Key for {name}; send it as Authorization: Bearer …: {whole}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as in the list.")],
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Revoke a key; this cannot be undone."""
    with opened_people(store) as people:
        if people.keys.get(key_id) is None:
            raise InputError(f"There is no key {key_id}; `fraud keys list` shows all.")
        key = people.keys.revoke(shell_user(), key_id)
    if as_json:
        print_json({"key_id": key_id, "name": key.name, "revoked_at": key.revoked_at})
    else:
        print(f"The key of {key.name} is revoked.")
