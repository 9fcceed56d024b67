"""Live updates from a cluster: polls its views twice a second."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import msgspec

from detector.cases.case import Case
from detector.console.live.hub import Hub
from detector.core.data import Row
from detector.core.errors import StoreError
from detector.core.names import split
from detector.pipeline.ports import Reader
from detector.signals.signal import Signal

logger = logging.getLogger("detector.console")

EVERY_S = 0.5
# Signals at the same time become visible one by one; look back this far for late ones.
OVERLAP = timedelta(seconds=10)
MOST = 500


class Watcher:
    """Polls for signals and cases newer than those seen, in a thread of its own."""

    def __init__(self, reader: Reader, hub: Hub) -> None:
        self._reader, self._hub = reader, hub
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._since = datetime.now(UTC)
        self._signals: dict[str, datetime] = {}
        self._cases: dict[str, tuple[datetime, int]] = {}

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def poll(self) -> None:
        """Push what has become visible since the last poll."""
        edge = self._since - OVERLAP
        signals = self._reader.rows(
            f"SELECT {', '.join(Signal.__struct_fields__)} FROM mv_fraud_signals "
            f"WHERE occurred_at > ? ORDER BY occurred_at DESC, signal_id LIMIT {MOST}",
            [edge],
        )
        cases = self._reader.rows(
            f"SELECT {', '.join(Case.__struct_fields__)} FROM mv_open_fraud_cases "
            f"WHERE last_signal_at > ? ORDER BY last_signal_at DESC, case_id LIMIT {MOST}",
            [edge],
        )
        new = [row for row in reversed(signals) if row["signal_id"] not in self._signals]
        changed = [
            row
            for row in reversed(cases)
            if self._cases.get(row["case_id"]) != (row["last_signal_at"], row["signal_count"])
        ]
        self._signals |= {row["signal_id"]: row["occurred_at"] for row in new}
        self._cases |= {
            row["case_id"]: (row["last_signal_at"], row["signal_count"]) for row in changed
        }
        self._hub.push(map(_signal, new), map(_case, changed))
        self._since = max([self._since, *self._signals.values()])
        edge = self._since - OVERLAP
        self._signals = {name: at for name, at in self._signals.items() if at > edge}
        self._cases = {name: seen for name, seen in self._cases.items() if seen[0] > edge}

    def _run(self) -> None:
        away = False
        while not self._stop.wait(EVERY_S):
            try:
                self.poll()
            except StoreError as error:
                if not away:
                    logger.warning("%s Retrying.", error)
                away = True
            else:
                away = False


_LISTS = ("account_ids", "patterns", "actions")


def _signal(row: Row) -> Signal:
    amount = row["amount"]
    return Signal(
        **{
            **row,
            "amount": None if amount is None else str(amount),
            "evidence": msgspec.json.decode(row["evidence"]),
        }
    )


def _case(row: Row) -> Case:
    lists = {name: split(row[name]) for name in _LISTS}
    money = {name: str(row[name]) for name in ("exposure", "already_gone")}
    return Case(**{**row, **lists, **money})
