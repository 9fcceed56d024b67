"""People's work as commands change it, in the name of whoever has the shell."""

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
    """The people's store in a store's file; a refused action becomes an `InputError`."""
    people = PeopleStore.open(store)
    try:
        yield people
    except ActionRefused as error:
        raise InputError(str(error)) from error
    finally:
        people.close()


def shell_user() -> Principal:
    """Whoever has a shell on this machine, as the audit log names them."""
    return Principal(f"shell:{getuser()}", "admin")
