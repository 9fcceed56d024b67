"""The desk as commands use it, in the name of whoever has a shell."""

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

from detector.adapters.desk import Desk
from detector.cases.people import Person
from detector.cases.review import Refused
from detector.cli.options import Store
from detector.core.errors import InputError


@contextmanager
def opened_desk(store: Store) -> Iterator[Desk]:
    """The desk in a store's file; what it refuses is the user's to mend."""
    desk = Desk.open(store)
    try:
        yield desk
    except Refused as error:
        raise InputError(str(error)) from error
    finally:
        desk.close()


def operator() -> Person:
    """Who has a shell on this machine, as the record names them."""
    return Person(f"shell:{getuser()}", "admin")
