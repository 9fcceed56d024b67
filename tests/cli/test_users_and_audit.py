"""`fraud users` and `fraud audit`: administration from a shell."""

from contextlib import closing
from pathlib import Path

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.store import PeopleStore
from detector.console.access import passwords
from detector.core.errors import InputError, StoreError
from tests import build
from tests.cli.conftest import Fraud


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "fraud.duckdb"


def test_a_first_user_can_be_added_before_any_run(fraud: Fraud, store: Path) -> None:
    """The store that `fraud run` makes later takes the users over."""
    said = fraud("users", "add", "kim", "--role", "supervisor", "--store", store, "--json")
    DuckDBStore(store, build.REAL).close()
    with closing(PeopleStore.open(store)) as people:
        user = people.users.get("kim")
        assert user is not None
        assert passwords.matches(said["one_time_password"], user.password_hash)
        assert (user.role, user.must_change) == ("supervisor", True)


def test_users_are_listed_given_passwords_and_shut_out(fraud: Fraud, store: Path) -> None:
    """And all of it is on record, without the passwords."""
    one = fraud("users", "add", "kim", "--store", store, "--json")["one_time_password"]
    two = fraud("users", "passwd", "kim", "--store", store, "--json")["one_time_password"]
    assert one != two
    fraud("users", "disable", "kim", "--store", store)
    [kim] = fraud("users", "list", "--store", store, "--json")
    assert (kim["username"], kim["role"], kim["disabled"]) == ("kim", "analyst", True)
    fraud("users", "disable", "kim", "--enable", "--store", store)
    assert "kim" in fraud("users", "list", "--store", store)
    entries = fraud("audit", "--store", store, "--json")
    assert [e["action"] for e in entries] == [
        "change_user", "change_user", "set_password", "add_user",
    ]  # fmt: skip
    assert all(e["actor"].startswith("shell:") for e in entries)
    assert one not in repr(entries) and two not in repr(entries)


def test_what_cannot_be_done_is_explained(fraud: Fraud, store: Path) -> None:
    """Names that are invalid, taken, or unknown."""
    with pytest.raises(InputError, match="'Kim!' cannot be a user name"):
        fraud("users", "add", "Kim!", "--store", store)
    assert not store.exists()
    fraud("users", "add", "kim", "--store", store)
    with pytest.raises(InputError, match="already a user kim"):
        fraud("users", "add", "kim", "--store", store)
    with pytest.raises(InputError, match="no user lee; users: kim"):
        fraud("users", "passwd", "lee", "--store", store)
    fraud("users", "add", "root", "--role", "admin", "--store", store)
    with pytest.raises(InputError, match="last administrator"):
        fraud("users", "disable", "root", "--store", store)


def test_the_record_is_verified(fraud: Fraud, store: Path) -> None:
    """Sound, it says how long it is; changed, where, and exits with 1."""
    for name in ("kim", "lee", "sam"):
        fraud("users", "add", name, "--store", store)
    intact = fraud("audit", "--verify", "--store", store, "--json")
    assert (intact["valid"], intact["entries"]) == (True, 3)
    assert intact["head"] in fraud("audit", "--verify", "--store", store)
    assert "add_user" in fraud("audit", "--store", store)
    with closing(PeopleStore.open(store)) as people:
        people.audit._db.execute("UPDATE audit_log SET subject = 'eve' WHERE seq = 2")
    broken = fraud("audit", "--verify", "--store", store, "--json", expect=1)
    assert (broken["valid"], broken["entries"]) == (False, 1)
    assert "entry 2" in broken["detail"]


def test_no_record_is_no_record(fraud: Fraud, store: Path) -> None:
    """Asking makes no store."""
    with pytest.raises(StoreError, match="no store at"):
        fraud("audit", "--store", store)
    assert not store.exists()
