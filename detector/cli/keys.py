"""`fraud keys`: the API keys of programs."""

from enum import StrEnum
from typing import Annotated

import typer

from detector.cli.desk import opened_desk, operator
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
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
    with opened_desk(store) as desk:
        rows = [[getattr(key, name) for name in _COLUMNS] for key in desk.staff.api_keys()]
    if as_json:
        print_json(as_records(_COLUMNS, rows))
    else:
        print_rows("Keys", _COLUMNS, rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[
        KeyRole, typer.Option(help="A machine sends events and asks for scores; a viewer reads.")
    ] = KeyRole.machine,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once."""
    if not (name.strip() and name.isprintable() and len(name) <= 200):
        raise InputError(f"{name!r} cannot be a key's name; give it 1 to 200 printable characters.")
    with opened_desk(store) as desk:
        key, whole = desk.staff.add_key(operator(), name, role.value)
    if as_json:
        print_json({"key_id": key.key_id, "name": name, "role": role, "secret": whole})
    else:
        print(f"The key of {name}, to be sent as Authorization: Bearer …, is {whole}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as in the list.")],
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Shut a program out; this cannot be taken back."""
    with opened_desk(store) as desk:
        if desk.staff.key(key_id) is None:
            raise InputError(f"There is no key {key_id}; `fraud keys list` shows all.")
        key = desk.staff.revoke_key(operator(), key_id)
    if as_json:
        print_json({"key_id": key_id, "name": key.name, "revoked_at": key.revoked_at})
    else:
        print(f"The key of {key.name} is revoked.")
