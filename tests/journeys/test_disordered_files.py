"""Files whose order or lines would mislead a merge: nothing of it changes what is found."""

from pathlib import Path

import pytest

from detector.analysis.parity import parity
from detector.analysis.replay import replay_folder
from tests import build

QUIET = [build.transaction(n * 60, "acc-9", customer_id="cust-9") for n in range(120)]
BURST = [build.transaction(5000 + n, "acc-1") for n in range(6)]
LOGINS = [build.login(5010 + n) for n in range(4)]


def write(folder: Path, stream: str, lines: list[bytes]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{stream}.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def found(folder: Path) -> dict[str, int]:
    tally = replay_folder(folder, folder / "store.duckdb", build.REAL)
    assert tally.late == 0
    return {name: count for name, count in tally.signals.items() if count}


@pytest.mark.parametrize(
    "line",
    [
        b'{"occurred_at":"n/a", broken',
        b'{"occurred_at":"9999-12-31T23:59:59Z"}',
        b'{"event_id":"x","occurred_at":"2026-02-30T00:00:00Z"}',
        b"\xff\xfe",
        b"",
    ],
)
def test_one_unreadable_line_holds_no_stream_back(tmp_path: Path, line: bytes) -> None:
    """The records after it keep their place; without it the same signals fire."""
    events = [build.raw(e) for e in sorted([*QUIET, *BURST], key=lambda e: e.occurred_at)]
    write(tmp_path, "transactions", [*events[:3], line, *events[3:]])
    write(tmp_path, "logins", [line, *map(build.raw, LOGINS)])
    assert found(tmp_path) == {"velocity": 2, "brute_force_login": 2}


def test_times_are_merged_as_times(tmp_path: Path) -> None:
    """An offset, a space or a small letter changes no order between files."""
    zulu = build.raw(LOGINS[0]).replace(b"T", b" ", 1)
    offset = build.raw(BURST[0]).replace(b"Z", b"+00:00")
    write(tmp_path, "transactions", [offset, *map(build.raw, BURST[1:])])
    write(tmp_path, "logins", [zulu, *map(build.raw, LOGINS[1:])])
    assert found(tmp_path) == {"velocity": 2, "brute_force_login": 2}


def test_profiles_govern_from_their_time_on_wherever_they_stand(tmp_path: Path) -> None:
    """A file of profiles sorted by customer makes nothing late, and no device unknown."""
    profiles = [
        build.profile(9000, "cust-1", devices=["d-1", "d-2"]),
        build.profile(0, "cust-1", devices=["d-1"]),
        build.profile(0, "cust-2", devices=["d-9"], accounts=["acc-2"]),
    ]
    paid = [
        build.online(4000, device_id="d-1", amount="900.00"),
        build.online(5000, device_id="d-2", amount="900.00"),
        build.online(6000, "acc-2", customer_id="cust-2", device_id="d-9", amount="900.00"),
        build.online(9500, device_id="d-2", amount="900.00"),
    ]
    write(tmp_path, "kyc_profiles", [build.raw(p) for p in profiles])
    write(tmp_path, "transactions", [build.raw(p) for p in paid])
    assert found(tmp_path) == {"account_takeover": 1}
    report = parity(tmp_path, build.REAL)
    assert report.equal, report.examples
    assert report.compared["signals"] == 1
