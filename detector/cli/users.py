"""`fraud users`: who may sign in to the console, for when nobody can."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from detector.adapters.desk import Desk
from detector.cli.desk import opened_desk, operator
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.console.passwords import hashed, one_time_password
from detector.console.texts import check_username
from detector.core.errors import InputError

app = typer.Typer(help="Who may sign in to the console.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The user's name.")]
_COLUMNS = ["username", "role", "disabled", "must_change", "created_at"]


class UserRole(StrEnum):
    """The roles that people may have."""

    viewer = "viewer"
    analyst = "analyst"
    supervisor = "supervisor"
    admin = "admin"


@app.command("list")
def list_users(store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Show everybody."""
    with _desk(store) as desk:
        rows = [[getattr(user, name) for name in _COLUMNS] for user in desk.staff.users()]
    if as_json:
        print_json(as_records(_COLUMNS, rows))
    else:
        print_rows("Users", _COLUMNS, rows)


@app.command()
def add(
    name: Name,
    role: Annotated[UserRole, typer.Option(help="What they may do.")] = UserRole.analyst,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Let somebody in and print the one-time password to hand over."""
    try:
        check_username(name)
    except ValueError as error:
        raise InputError(str(error)) from error
    password = one_time_password()
    with _desk(store) as desk:
        desk.staff.add_user(operator(), name, role.value, hashed(password), must_change=True)
    _say(name, password, as_json)


@app.command()
def passwd(name: Name, store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Give somebody a one-time password in place of theirs, and print it."""
    password = one_time_password()
    with _desk(store) as desk:
        desk.staff.set_password(operator(), name, hashed(password), must_change=True)
    _say(name, password, as_json)


@app.command()
def disable(
    name: Name,
    enable: Annotated[bool, typer.Option("--enable", help="Let them in again instead.")] = False,
    store: Store = DEFAULT_STORE,
) -> None:
    """Shut somebody out; what they did stays on record."""
    with _desk(store) as desk:
        desk.staff.change_user(operator(), name, disabled=not enable)


@contextmanager
def _desk(store: Store) -> Iterator[Desk]:
    with opened_desk(store) as desk:
        try:
            yield desk
        except KeyError as error:
            known = ", ".join(user.username for user in desk.staff.users()) or "nobody"
            raise InputError(f"There is no user {error.args[0]}; there are: {known}.") from error


def _say(name: str, password: str, as_json: bool) -> None:
    if as_json:
        print_json({"username": name, "one_time_password": password})
    else:
        print(f"{name} signs in once with the password {password}, and chooses another then.")
