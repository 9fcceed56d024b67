"""Changes to the people store by commands, on behalf of the shell's user."""

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

from detector.adapters.people.store import PeopleStore
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused
from detector.cli.options import Store
from detector.core.errors import InputError


@contextmanager
def opened_people(store: Store) -> Iterator[PeopleStore]:
    """The people store of a store's file; a refused action becomes an `InputError`."""
    people = PeopleStore.open(store)
    try:
        yield people
    except ActionRefused as error:
        raise InputError(str(error)) from error
    finally:
        people.close()


def shell_user() -> Principal:
    """The user of this shell, as named in the audit log."""
    return Principal(f"shell:{getuser()}", "admin")
