"""Bad input: every broken record is set aside with its reason; the good ones around it count."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.files import FileSource
from detector.core.errors import InputError
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from tests.build import NOW, REAL, alert, login, profile, raw, transaction

CARD = "4111" + "1" * 12  # a vendor's published test number, put together so that no scan trips


def _line(**changes: Any) -> bytes:
    fields = json.loads(raw(transaction(5)))
    fields.update(changes)
    return json.dumps({k: v for k, v in fields.items() if v is not ...}).encode()


BROKEN = {
    "broken JSON": b'{"event_id": "x", ',
    "not an object": b"[1, 2, 3]",
    "an empty line": b"",
    "not UTF-8": b'{"event_id": "\xff\xfe"}',
    "a wrong type": _line(event_id="b1", card_present="yes"),
    "a missing key": _line(event_id="b2", account_id=...),
    "a negative amount": _line(event_id="b3", amount="-5.00"),
    "a number as amount": _line(event_id="b4", amount=5.0),
    "three decimals": _line(event_id="b5", amount="5.001"),
    "an unknown status": _line(event_id="b6", status="MAYBE"),
    "a time without offset": _line(event_id="b7", occurred_at="2026-01-05T09:00:00"),
    "a latitude beyond the pole": _line(event_id="b8", latitude=91.0),
    "a card number as token": _line(event_id="b9", card_token=CARD),
    "a country in small letters": _line(event_id="b10", merchant_country="au"),
    "ten megabytes of garbage": b"x" * 10_000_000,
}


def _run(folder: Path, path: Path) -> Tally:
    store = DuckDBStore(path, REAL)
    tally = Tally(REAL)
    try:
        Pipeline(REAL, FileSource(folder, 7), store, [tally], clock=lambda: NOW).run()
    finally:
        store.close()
    return tally


def _ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    store = DuckDBStore(path, REAL)
    try:
        return store.query(query)
    finally:
        store.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store after a folder in which a broken record stands between any two good ones."""
    folder = tmp_path_factory.mktemp("broken")
    lines = []
    for number, broken in enumerate(BROKEN.values()):
        lines += [raw(transaction(number, event_id=f"good{number}")), broken]
    lines.append(raw(transaction(2 * len(BROKEN), event_id="good-last")))
    (folder / "transactions.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "logins.jsonl").write_bytes(raw(login(1)) + b"\n" + b"nonsense\n")
    (folder / "notes.txt").write_text("not events")
    (folder / "payments.jsonl").write_text("{}\n")
    store = folder / "s.duckdb"
    tally = _run(folder, store)
    assert tally.dead_letters == len(BROKEN) + 1
    return store


def test_every_good_record_is_processed(path: Path) -> None:
    """What stands around the broken records is stored, and its signals are found."""
    assert _ask(path, "SELECT count(*) FROM stg_transactions") == [(len(BROKEN) + 1,)]
    fired = _ask(path, "SELECT count(*), max(observed) FROM mv_velocity_alerts")
    assert fired == [(len(BROKEN) - 3, len(BROKEN) + 1)]


@pytest.mark.parametrize("kind", BROKEN)
def test_every_broken_record_is_kept_with_reason_and_place(path: Path, kind: str) -> None:
    """File, line, reason and bytes are there; of a giant line, the first part."""
    number = list(BROKEN).index(kind)
    rows = _ask(
        path,
        "SELECT reason, raw FROM dead_letters WHERE stream = 'transactions' "
        f"AND origin = 'transactions.jsonl' AND \"offset\" = {2 * number + 2}",
    )
    (reason, kept) = rows[0]
    assert reason
    broken = BROKEN[kind].replace(CARD.encode(), b"*" * 16)
    assert kept == broken or (kept == broken[: len(kept)] and len(kept) > 1_000_000)


def test_a_reason_names_the_field(path: Path) -> None:
    """The one who mends the producer reads which field broke which rule."""
    rows = _ask(path, "SELECT decode(raw, 'replace'), reason FROM dead_letters")
    whole = [(text, reason) for text, reason in rows if text.startswith('{"') and text[-1] == "}"]
    reasons = {
        json.loads(text).get("event_id"): reason for text, reason in whole if "occurred_at" in text
    }
    assert "card_present" in reasons["b1"]
    assert "account_id" in reasons["b2"]
    assert "amount" in reasons["b3"] and "amount" in reasons["b4"]
    assert "latitude" in reasons["b8"]
    assert "'au'" in reasons["b10"]


def test_no_card_number_reaches_the_store(path: Path) -> None:
    """The refused token was a card number; its digits are masked in the dead letter too."""
    assert CARD.encode() not in path.read_bytes()
    assert _ask(
        path, "SELECT count(*) FROM dead_letters WHERE decode(raw, 'replace') LIKE '%****%'"
    ) == [(1,)]


def test_other_files_are_named_and_left_alone(path: Path) -> None:
    """A folder may hold other things; an unknown stream is not read as one."""
    assert set(FileSource(path.parent).ignored) == {
        "notes.txt", "payments.jsonl", "s.duckdb", "s.duckdb.known"
    }  # fmt: skip


def test_late_future_and_duplicate_events_are_counted_and_kept(tmp_path: Path) -> None:
    """Late and future events are stored but not evaluated; a duplicate is dropped."""
    now = NOW - transaction(0).occurred_at
    events = [
        profile(0), login(0), alert(0),
        transaction(1000, event_id="a"), transaction(1000, event_id="a"),
        transaction(700, event_id="just in time"), transaction(699.999, event_id="too late"),
        transaction((now + timedelta(hours=1)).total_seconds(), event_id="tomorrow"),
        transaction(1001, event_id="b"),
    ]  # fmt: skip
    lines: dict[str, list[bytes]] = {
        "transactions": [],
        "kyc_profiles": [],
        "logins": [],
        "alerts": [],
    }
    for event in events:
        stream = {"Transaction": "transactions", "KycProfile": "kyc_profiles", "Login": "logins"}
        lines[stream.get(type(event).__name__, "alerts")].append(raw(event) + b"\n")
    folder = tmp_path / "events"
    folder.mkdir()
    for name, content in lines.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(content))
    tally = _run(folder, tmp_path / "s.duckdb")
    assert (tally.duplicates, tally.late, tally.future) == (1, 1, 1)
    kept = _ask(
        tmp_path / "s.duckdb", "SELECT event_id, ingest_status FROM transactions ORDER BY 1"
    )
    assert kept == [
        ("a", "evaluated"), ("b", "evaluated"), ("just in time", "evaluated"),
        ("tomorrow", "future"), ("too late", "late"),
    ]  # fmt: skip


def test_an_event_far_in_the_future_does_not_make_the_others_late(tmp_path: Path) -> None:
    """One wrong clock must not silence everybody else's events."""
    folder = tmp_path / "events"
    folder.mkdir()
    fields = json.loads(raw(transaction(0, event_id="far")))
    fields["occurred_at"] = "2099-01-01T00:00:00Z"
    lines = [json.dumps(fields).encode(), *(raw(transaction(n)) for n in range(5))]
    (folder / "transactions.jsonl").write_bytes(b"\n".join(lines))
    tally = _run(folder, tmp_path / "s.duckdb")
    assert (tally.future, tally.late, tally.signals["velocity"]) == (1, 0, 1)


def test_strange_characters_survive_or_are_set_aside(tmp_path: Path) -> None:
    """Control characters, emoji, NUL and line breaks inside strings never stop a commit."""
    folder = tmp_path / "events"
    folder.mkdir()
    cities = ["a\nb", "tab\t", "nul\x00byte", "emoji 🦘", "quote\"'", "\u2028", "back\\slash"]
    lines = [_line(event_id=f"s{number}", city=city) for number, city in enumerate(cities)]
    (folder / "transactions.jsonl").write_bytes(b"\n".join(lines))
    _run(folder, tmp_path / "s.duckdb")
    kept = _ask(tmp_path / "s.duckdb", "SELECT city FROM transactions ORDER BY event_id")
    fine = [city for city in cities if not any(c < " " for c in city)]
    assert [city for (city,) in kept] == fine and len(fine) == 4
    reasons = _ask(tmp_path / "s.duckdb", "SELECT reason FROM dead_letters")
    assert reasons == [("contains a control character - at `$.city`",)] * 3


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "no event files"),
        (["transactions.jsonl", "transactions.jsonl.gz"], "two files for transactions"),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, names: list[str], says: str
) -> None:
    """The message says what is expected."""
    for name in names:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=says):
        FileSource(tmp_path)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    """Naming a file instead of its folder is explained."""
    (tmp_path / "transactions.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="is not a folder"):
        FileSource(tmp_path / "transactions.jsonl")
