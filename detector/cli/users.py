"""`fraud users`: the users of the console, also when no administrator can sign in."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from detector.adapters.people.store import PeopleStore
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.cli.people import opened_people, shell_user
from detector.console.access.passwords import hashed, one_time_password
from detector.console.http.fields import check_username
from detector.core.errors import InputError

app = typer.Typer(help="The users who may sign in to the console.", no_args_is_help=True)
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
    """Show all users."""
    with _people(store) as people:
        rows = [[getattr(user, name) for name in _COLUMNS] for user in people.users.all()]
    if as_json:
        print_json(as_records(_COLUMNS, rows))
    else:
        print_rows("Users", _COLUMNS, rows)


@app.command()
def add(
    name: Name,
    role: Annotated[
        UserRole, typer.Option(help="The role, which sets the permissions.")
    ] = UserRole.analyst,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Add a user and print the one-time password."""
    try:
        check_username(name)
    except ValueError as error:
        raise InputError(str(error)) from error
    password = one_time_password()
    with _people(store) as people:
        people.users.add(shell_user(), name, role.value, hashed(password), must_change=True)
    _say(name, password, as_json)


@app.command()
def passwd(name: Name, store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Replace a user's password with a one-time password, and print it."""
    password = one_time_password()
    with _people(store) as people:
        people.users.set_password(shell_user(), name, hashed(password), must_change=True)
    _say(name, password, as_json)


@app.command()
def disable(
    name: Name,
    enable: Annotated[
        bool, typer.Option("--enable", help="Enable the user again instead.")
    ] = False,
    store: Store = DEFAULT_STORE,
) -> None:
    """Disable a user; their entries in the audit log remain."""
    with _people(store) as people:
        people.users.change(shell_user(), name, disabled=not enable)


@contextmanager
def _people(store: Store) -> Iterator[PeopleStore]:
    with opened_people(store) as people:
        try:
            yield people
        except KeyError as error:
            known = ", ".join(user.username for user in people.users.all()) or "none"
            raise InputError(f"There is no user {error.args[0]}; users: {known}.") from error


def _say(name: str, password: str, as_json: bool) -> None:
    if as_json:
        print_json({"username": name, "one_time_password": password})
    else:
        print(f"One-time password for {name}: {password} (to be changed at the first sign-in)")
