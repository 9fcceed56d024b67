"""The record: every change to it after the fact shows, at the entry where it happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.cases.audit import AuditEntry, Tampered, verify
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused
from detector.cases.undo import latest_in_force, undoable

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
KIM = Principal("kim", "analyst")
KEY = b"k" * 32


def record(length: int) -> list[AuditEntry]:
    """A sound record."""
    entries: list[AuditEntry] = []
    for n in range(1, length + 1):
        entry = AuditEntry(
            n, NOON + timedelta(seconds=n), "kim", "analyst", "note", "case", "case_1"
        )
        previous = entries[-1].hash if entries else entry.previous_hash
        entries.append(replace(entry, detail={"text": f"{n}"}, previous_hash=previous).sealed(KEY))
    return entries


def test_a_sound_record_is_as_long_as_it_is() -> None:
    """Also when it is empty."""
    assert [verify(record(n), KEY) for n in (0, 1, 5)] == [0, 1, 5]


CHANGES: dict[str, Any] = {
    "at": NOON,
    "actor": "lee",
    "role": "admin",
    "action": "close",
    "subject_kind": "user",
    "subject": "case_2",
    "detail": {"text": "other"},
    "previous_hash": "a" * 64,
    "hash": "a" * 64,
}


@given(st.integers(1, 8), st.integers(0, 7), st.sampled_from(sorted(CHANGES)))
def test_any_change_is_found_where_it_is(length: int, place: int, field: str) -> None:
    """Every field of every entry is covered."""
    entries = record(length)
    place %= length
    entries[place] = replace(entries[place], **{field: CHANGES[field]})
    with pytest.raises(Tampered) as found:
        verify(entries, KEY)
    assert found.value.seq == place + 1


@given(st.integers(2, 8), st.integers(0, 6))
def test_an_entry_that_is_missing_is_found(length: int, place: int) -> None:
    """Anywhere but at the end, which only a hash kept elsewhere shows."""
    entries = record(length)
    del entries[place % (length - 1)]
    with pytest.raises(Tampered):
        verify(entries, KEY)


def test_a_changed_entry_with_a_new_hash_of_its_own_is_found_at_the_next() -> None:
    """Changing one requires changing all that follow."""
    entries = record(4)
    entries[1] = replace(entries[1], actor="lee").sealed(KEY)
    with pytest.raises(Tampered) as found:
        verify(entries, KEY)
    assert found.value.seq == 3


def test_a_log_rewritten_without_the_key_is_found() -> None:
    """Write access to the database without the key is not enough to make a sound chain."""
    forged = [replace(entry, actor="lee") for entry in record(3)]
    for seal in (b"", b"x" * 32):
        chained: list[AuditEntry] = []
        for entry in forged:
            previous = chained[-1].hash if chained else entry.previous_hash
            chained.append(replace(entry, previous_hash=previous).sealed(seal))
        with pytest.raises(Tampered) as found:
            verify(chained, KEY)
        assert found.value.seq == 1
        assert verify(chained, seal) == 3


def test_entries_from_before_there_was_a_key_stay_valid() -> None:
    """Only as many as there were when the key was made."""
    old = record(0)
    for entry in record(2):
        previous = old[-1].hash if old else entry.previous_hash
        old.append(replace(entry, previous_hash=previous).sealed(b""))
    assert verify(old, KEY, unkeyed_until=2) == 2
    with pytest.raises(Tampered):
        verify(old, KEY, unkeyed_until=1)


def test_a_moment_has_one_hash_in_every_time_zone() -> None:
    """What a store gives back may carry another offset."""
    [entry] = record(1)
    there = replace(entry, at=entry.at.astimezone(timezone(timedelta(hours=10))))
    assert there.sealed(KEY).hash == entry.hash


WORDS = st.text(st.characters(exclude_categories=["Cs"]))
DETAILS = st.dictionaries(WORDS, WORDS | st.integers() | st.booleans() | st.none())


@given(DETAILS, DETAILS)
def test_different_details_have_different_hashes(one: dict[str, Any], two: dict[str, Any]) -> None:
    """And equal ones the same, in whatever order they were written."""
    hashes = [replace(record(1)[0], detail=d).sealed(KEY).hash for d in (one, two)]
    assert (hashes[0] == hashes[1]) == (one == two)


def deed(seq: int, actor: str = "kim", undoes: int | None = None) -> AuditEntry:
    """An entry of a case."""
    action, detail = ("undo", {"undoes": undoes}) if undoes else ("claim", {})
    return AuditEntry(seq, NOON, actor, "analyst", action, "case", "case_1", detail)


def test_what_was_taken_back_no_longer_stands() -> None:
    """Undo after undo goes further back."""
    entries = [deed(1), deed(2), deed(3, undoes=2), deed(4), deed(5, undoes=4)]
    standing = latest_in_force(reversed(entries))
    assert standing is not None and standing.seq == 1
    assert latest_in_force(reversed([*entries, deed(6, undoes=1)])) is None


def test_one_takes_back_what_one_did_oneself() -> None:
    """Unless someone else has acted since; after their undo it is possible again."""
    assert undoable([deed(1)], KIM, NOON).seq == 1
    with pytest.raises(ActionRefused, match="lee acted"):
        undoable([deed(2, "lee"), deed(1)], KIM, NOON)
    taken_back = [deed(3, "lee", undoes=2), deed(2, "lee"), deed(1)]
    assert undoable(taken_back, KIM, NOON).seq == 1
