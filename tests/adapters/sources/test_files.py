"""Folders of event files: three formats, one meaning; merged by time; taken up again anywhere."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.files import FileSource
from detector.core.errors import InputError
from detector.core.events import RECORD_LIMIT, Event, Record
from detector.pipeline.pipeline import Pipeline
from tests import build
from tests.build import alert, cash, login, online, profile, transaction

LOG: list[Event] = [
    profile(-10, devices=["d-1"], accounts=["acc-1", "acc-2"], event_id="p1"),
    *(online(n * 5, card_token="tok-1", device_id="d-1", event_id=f"v{n}") for n in range(6)),
    *(login(40 + n, event_id=f"l{n}", ip_address="203.0.113.7") for n in range(3)),
    cash(50, event_id="c1"),
    cash(55.123456, event_id="c2", city="Ōsaka 🦘", merchant_id='m "quoted"\\'),
    build.card_event(57, event_id="k1"),
    alert(60, alert_type="AAA", event_id="a1", account_id="acc-1"),
    alert(61, alert_type="BBB", event_id="a2"),
    transaction(90, card_token="tok-1", event_id="g1", **build.SYDNEY),
    transaction(400, card_token="tok-1", event_id="g2", **build.PERTH),
]


def write(folder: Path, log: Sequence[Event], kind: str = "jsonl") -> Path:
    """Write events into a folder, one file a stream, in the order given."""
    folder.mkdir(exist_ok=True)
    lines: dict[str, list[bytes]] = {}
    for event in log:
        lines.setdefault(build.stream_of(event), []).append(build.raw(event))
    for stream, rows in lines.items():
        content = b"".join(row + b"\n" for row in rows)
        if kind == "jsonl":
            (folder / f"{stream}.jsonl").write_bytes(content)
        elif kind == "jsonl.gz":
            (folder / f"{stream}.jsonl.gz").write_bytes(gzip.compress(content))
        else:
            _parquet(folder, stream, content, typed=kind == "typed parquet")
    return folder


def _parquet(folder: Path, stream: str, content: bytes, typed: bool) -> None:
    text = folder / f"{stream}.tmp"
    text.write_bytes(content)
    columns = "*"
    if typed and stream == "transactions":
        columns = (
            "* REPLACE (amount::DECIMAL(18, 2) AS amount, occurred_at::TIMESTAMPTZ AS occurred_at)"
        )
    elif typed:
        columns = "* REPLACE (occurred_at::TIMESTAMPTZ AT TIME ZONE 'UTC' AS occurred_at)"
    names = build.every_kind()[stream].__struct_fields__
    plain = {"account_ids", "registered_device_ids"}
    kinds = {name: "VARCHAR[]" if name in plain else "VARCHAR" for name in names}
    kinds |= dict.fromkeys({"card_present", "is_pep"} & set(names), "BOOLEAN")
    numbers = {"latitude", "longitude", "home_latitude", "home_longitude", "confidence"}
    kinds |= dict.fromkeys(numbers & set(names), "DOUBLE")
    spec = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
    db = duckdb.connect()
    db.execute("SET TimeZone = 'Australia/Sydney'")
    db.execute(
        f"COPY (SELECT {columns} FROM read_json('{text}', format = 'newline_delimited', "
        f"columns = {{{spec}}})) TO '{folder / stream}.parquet' (FORMAT parquet)"
    )
    db.close()
    text.unlink()


def replay(folder: Path, store: Path, size: int = 4) -> dict[str, list[tuple[Any, ...]]]:
    """The tables after replaying a folder, without what names the folder or its files."""
    kept = DuckDBStore(store, build.REAL)
    try:
        Pipeline(build.REAL, FileSource(folder, size), kept, clock=lambda: build.NOW).run()
        tables = build.tables(kept)
    finally:
        kept.close()
    tables.pop("source_positions")
    return tables


def read(source: FileSource, position: str | None = None) -> list[Record]:
    """Every record after a position."""
    source.open(position)
    found = []
    while (batch := source.poll()) is not None:
        found += batch.records
    return found


@pytest.mark.parametrize("kind", ["jsonl.gz", "parquet", "typed parquet"])
def test_every_format_gives_the_same_store(tmp_path: Path, kind: str) -> None:
    """Compressed lines, Parquet of strings and Parquet of times and decimals mean the same."""
    plain = replay(write(tmp_path / "plain", LOG), tmp_path / "plain.duckdb")
    other = replay(write(tmp_path / "other", LOG, kind), tmp_path / "other.duckdb")
    assert len(plain["fraud_signals"]) > 5
    assert other == plain


def test_formats_may_be_mixed_in_one_folder(tmp_path: Path) -> None:
    """Each stream comes as it comes."""
    folder = tmp_path / "mixed"
    payments = [e for e in LOG if build.stream_of(e) == "transactions"]
    logins = [e for e in LOG if build.stream_of(e) == "logins"]
    rest = [e for e in LOG if e not in payments and e not in logins]
    write(folder, payments, "parquet")
    write(folder, logins, "jsonl.gz")
    write(folder, rest)
    plain = replay(write(tmp_path / "plain", LOG), tmp_path / "plain.duckdb")
    assert replay(folder, tmp_path / "mixed.duckdb") == plain


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    """The earlier event of two files comes first; each file keeps its own order."""
    log: list[Event] = [
        login(30, event_id="l1"),
        login(10, event_id="l2"),
        login(50, event_id="l3"),
    ]
    log += [transaction(at, event_id=f"t{at}") for at in (5, 20, 40, 60)]
    records = read(FileSource(write(tmp_path / "f", log)))
    names = [json.loads(record.raw)["event_id"] for record in records]
    assert names == ["t5", "t20", "l1", "l2", "t40", "l3", "t60"]


def test_times_with_other_offsets_are_merged_as_the_moments_they_are(tmp_path: Path) -> None:
    """A file that writes Sydney's time is not ten hours ahead of one that writes UTC."""
    folder = tmp_path / "f"
    write(folder, [transaction(n * 600, event_id=f"t{n}") for n in range(20)])
    local = [
        build.raw(login(n * 600 + 1, event_id=f"l{n}")).replace(
            build.raw(build.moment(n * 600 + 1)),
            f'"{build.moment(n * 600 + 1 + 11 * 3600):%Y-%m-%dT%H:%M:%S}+11:00"'.encode(),
        )
        for n in range(20)
    ]
    (folder / "logins.jsonl").write_bytes(b"\n".join(local))
    names = [json.loads(record.raw)["event_id"] for record in read(FileSource(folder))]
    assert names == [f"{kind}{n}" for n in range(20) for kind in "tl"]
    tables = replay(folder, tmp_path / "s.duckdb")
    assert {row[-1] for row in tables["logins"]} == {"evaluated"}


def test_records_know_their_file_and_line(tmp_path: Path) -> None:
    """Lines count from 1, as an editor counts."""
    records = read(FileSource(write(tmp_path / "f", [login(1), login(2), transaction(1)])))
    places = {(r.stream, r.origin, r.offset) for r in records}
    assert places == {
        ("logins", "logins.jsonl", 1),
        ("logins", "logins.jsonl", 2),
        ("transactions", "transactions.jsonl", 1),
    }


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet"])
def test_a_source_goes_on_after_any_position(tmp_path: Path, kind: str) -> None:
    """Whatever was read before, the rest comes in the same order, and nothing twice."""
    folder = write(tmp_path / "f", LOG, kind)
    whole = read(FileSource(folder))
    assert len(whole) == len(LOG)
    for size in (1, 3, 7) if kind == "jsonl" else (4,):
        source = FileSource(folder, size)
        source.open(None)
        seen: list[Record] = []
        while (batch := source.poll()) is not None:
            seen += batch.records
            assert seen + read(FileSource(folder, 5), batch.position) == whole
        assert source.poll() is None


def test_a_broken_line_does_not_change_the_order_after_a_restart(tmp_path: Path) -> None:
    """Records without a readable time follow their predecessor, wherever reading starts."""
    folder = write(tmp_path / "f", [login(0), login(100), transaction(50), transaction(150)])
    path = folder / "logins.jsonl"
    first, second = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, b"broken 1", b"broken 2", second, b"broken 3"]))
    whole = read(FileSource(folder))
    source = FileSource(folder, 1)
    source.open(None)
    seen: list[Record] = []
    while (batch := source.poll()) is not None:
        seen += batch.records
        assert seen + read(FileSource(folder), batch.position) == whole


def test_a_file_without_a_last_newline_and_with_windows_newlines_is_read(tmp_path: Path) -> None:
    """What editors and other systems do to files is no error."""
    folder = tmp_path / "f"
    folder.mkdir()
    rows = [build.raw(login(n)) for n in range(3)]
    (folder / "logins.jsonl").write_bytes(b"\r\n".join(rows))
    assert [record.raw for record in read(FileSource(folder))] == rows


def test_a_giant_line_is_cut_and_the_next_line_is_whole(tmp_path: Path) -> None:
    """Only its first part is held; line numbers go on counting."""
    folder = tmp_path / "f"
    folder.mkdir()
    good = build.raw(login(1))
    (folder / "logins.jsonl").write_bytes(
        b"\n".join([good, b"x" * 5_000_000, good, b"y" * 2_000_000])
    )
    records = read(FileSource(folder))
    assert [record.offset for record in records] == [1, 2, 3, 4]
    assert [record.raw for record in records if record.offset in (1, 3)] == [good, good]
    assert all(len(record.raw) == RECORD_LIMIT + 1 for record in records if record.offset in (2, 4))


@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_on_the_limit_is_not_cut(tmp_path: Path, extra: int) -> None:
    """The longest allowed line, with and without its newline, arrives whole."""
    folder = tmp_path / "f"
    folder.mkdir()
    good = build.raw(login(1))
    longest = good[:-1] + b" " * (RECORD_LIMIT - len(good)) + b"}"
    (folder / "logins.jsonl").write_bytes(longest + b"\n" * extra)
    assert [len(record.raw) for record in read(FileSource(folder))] == [RECORD_LIMIT]


def test_other_files_are_named_and_left_alone(tmp_path: Path) -> None:
    """The truth beside the events is never opened."""
    folder = write(tmp_path / "f", [login(0)])
    (folder / "truth.jsonl").write_text("{")
    (folder / "notes.txt").write_text("hello")
    (folder / "transactions").mkdir()
    (folder / "alerts.jsonl").mkdir()
    source = FileSource(folder)
    assert set(source.ignored) == {"truth.jsonl", "notes.txt", "transactions", "alerts.jsonl"}
    assert len(read(source)) == 1


def test_an_empty_file_is_a_quiet_stream(tmp_path: Path) -> None:
    """No events is no error."""
    folder = write(tmp_path / "f", [login(0)])
    (folder / "transactions.jsonl").write_bytes(b"")
    (folder / "alerts.jsonl.gz").write_bytes(gzip.compress(b""))
    assert len(read(FileSource(folder))) == 1


REFUSED = {
    "missing": "is not a folder",
    "a file": "is not a folder",
    "empty": "no event files; expected some of .*transactions",
    "two for one stream": r"two files for logins: logins\.jsonl and logins\.jsonl\.gz",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_cannot_be_used_is_refused_in_words(tmp_path: Path, name: str) -> None:
    """What came, and what was expected."""
    folder = tmp_path / "f"
    if name == "a file":
        folder.write_text("hello")
    elif name != "missing":
        folder.mkdir()
    if name == "two for one stream":
        write(folder, [login(0)])
        write(folder, [login(0)], "jsonl.gz")
    with pytest.raises(InputError, match=REFUSED[name]):
        FileSource(folder)


def _truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _flipped(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return (
        whole[:middle] + bytes(b ^ 0xFF for b in whole[middle : middle + 20]) + whole[middle + 20 :]
    )


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("logins.jsonl.gz", _truncated),
        ("logins.jsonl.gz", _flipped),
        ("logins.jsonl.gz", lambda whole: b"no gzip at all"),
        ("logins.parquet", _truncated),
        ("logins.parquet", lambda whole: b"no parquet at all"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: Any) -> None:
    """The error says which file, and is one that the command line shows as a sentence."""
    log = [login(n, event_id=f"l{n * 7919 % 1000}") for n in range(500)]
    folder = write(tmp_path / "f", log, name.partition(".")[2])
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="logins"):
        read(FileSource(folder, 50))


def test_damage_anywhere_in_a_compressed_file_is_named(tmp_path: Path) -> None:
    """Two wrong bytes at any place give the same kind of error."""
    log = [login(n, event_id=f"l{n * 7919 % 1000}") for n in range(200)]
    path = write(tmp_path / "f", log, "jsonl.gz") / "logins.jsonl.gz"
    whole = path.read_bytes()
    for place in range(20, len(whole) - 20, len(whole) // 40):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        damaged[place + 1] ^= 0x55
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="logins"):
            read(FileSource(path.parent, 50))


def test_a_replay_goes_on_once_the_damage_is_mended(tmp_path: Path) -> None:
    """A file that ends in the middle is an error; afterwards nothing is missing or twice there."""
    log = [login(n, f"cust-{n * 7919}", event_id=f"l{n}") for n in range(8000)]
    folder = write(tmp_path / "f", log, "jsonl.gz")
    path = folder / "logins.jsonl.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(InputError, match="logins"):
        replay(folder, tmp_path / "s.duckdb", 1000)
    kept = len(build.contents(tmp_path / "s.duckdb")["logins"])
    assert 1000 <= kept < 8000
    path.write_bytes(whole)
    assert len(replay(folder, tmp_path / "s.duckdb", 1000)["logins"]) == 8000


def test_a_parquet_file_with_other_columns_gives_dead_letters(tmp_path: Path) -> None:
    """Rows that break the contract are set aside like lines that do, with its columns only."""
    folder = tmp_path / "f"
    folder.mkdir()
    made = duckdb.sql(
        """SELECT 1 AS event_id, 'x' AS "colour', ''); COPY (SELECT 1) TO 'x.csv' --" """
    )
    assert made is not None
    made.write_parquet(str(folder / "logins.parquet"))
    tables = replay(folder, tmp_path / "s.duckdb")
    [letter] = tables["dead_letters"]
    assert (letter[0], letter[2], letter[3]) == ("logins", "logins.parquet", 1)
    assert json.loads(letter[4]) == {"event_id": 1}


@pytest.mark.parametrize("kind", ["jsonl", "typed parquet"])
def test_how_much_is_left_is_known_at_every_position(tmp_path: Path, kind: str) -> None:
    """From the beginning, from the middle, at the end."""
    source = FileSource(write(tmp_path, LOG, kind), 4)
    source.open(None)
    positions: list[str | None] = [None]
    while (batch := source.poll()) is not None:
        positions.append(batch.position)
    left = [source.left(position) for position in positions]
    assert left == [max(len(LOG) - 4 * n, 0) for n in range(len(positions))]


def test_compressed_files_are_not_read_twice_to_count_them(tmp_path: Path) -> None:
    """How much is left stays unknown."""
    assert FileSource(write(tmp_path, LOG, "jsonl.gz")).left(None) is None
