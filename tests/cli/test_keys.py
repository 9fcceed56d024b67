"""`fraud keys`: letting programs in from a shell."""

from contextlib import closing
from pathlib import Path

import pytest

from detector.adapters.people.store import PeopleStore
from detector.console.access.sessions import SessionKeeper
from detector.core.errors import InputError
from tests.cli.conftest import Fraud


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "fraud.duckdb"


def test_a_key_opens_the_console_until_it_is_revoked(fraud: Fraud, store: Path) -> None:
    """In its role; what is listed and on record holds no secret."""
    made = fraud("keys", "add", "wallboard", "--role", "viewer", "--store", store, "--json")
    fraud("keys", "add", "payments", "--store", store)
    listed = fraud("keys", "list", "--store", store, "--json")
    assert [(key["name"], key["role"]) for key in listed] == [
        ("wallboard", "viewer"), ("payments", "machine"),
    ]  # fmt: skip
    assert listed[0]["key_id"] == made["key_id"] and listed[0]["revoked_at"] is None
    with closing(PeopleStore.open(store)) as people:
        person = SessionKeeper(people.users, people.keys, b"key").machine(
            f"Bearer {made['secret']}"
        )
        assert person is not None and (person.name, person.role) == ("wallboard", "viewer")
    gone = fraud("keys", "revoke", made["key_id"], "--store", store, "--json")
    assert gone["name"] == "wallboard" and gone["revoked_at"]
    with closing(PeopleStore.open(store)) as people:
        assert (
            SessionKeeper(people.users, people.keys, b"key").machine(f"Bearer {made['secret']}")
            is None
        )
        record = repr(people.audit.entries())
    assert made["secret"].split("_", 2)[2] not in record + fraud("keys", "list", "--store", store)


def test_the_whole_key_is_printed_for_a_person(fraud: Fraud, store: Path) -> None:
    """Otherwise it would be of no use."""
    said = fraud("keys", "add", "wallboard", "--role", "viewer", "--store", store)
    key = next(word for word in said.split() if word.startswith("fk_"))
    with closing(PeopleStore.open(store)) as people:
        assert SessionKeeper(people.users, people.keys, b"key").machine(f"Bearer {key}") is not None


def test_what_cannot_be_done_is_explained(fraud: Fraud, store: Path) -> None:
    """A name of nothing, an id of no key, a key that is revoked already."""
    with pytest.raises(InputError, match="cannot be a key's name"):
        fraud("keys", "add", " ", "--store", store)
    with pytest.raises(InputError, match="no key 0123456789ab; `fraud keys list`"):
        fraud("keys", "revoke", "0123456789ab", "--store", store)
    key = fraud("keys", "add", "payments", "--store", store, "--json")["key_id"]
    fraud("keys", "revoke", key, "--store", store)
    with pytest.raises(InputError, match="already revoked"):
        fraud("keys", "revoke", key, "--store", store)
