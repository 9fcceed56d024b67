"""Delivers the audit log to receivers: at least once, in order, with retries."""

import logging
import threading
from collections.abc import Callable

from detector.adapters.people.audit_log import AuditLog
from detector.cases.audit import AuditEntry

logger = logging.getLogger("detector.follower")

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
_BATCH = 100


class Follower:
    """A thread that passes each entry to `deliver`, and the next only after that returned.

    Its position is stored in the log's database, so a restart resumes there; an entry may be
    delivered again when the process ended in between. When `deliver` raises, it is called again
    with exponential backoff. A new follower starts at the end of the log, or with `from_start` at
    its first entry. Nothing waits for it. Stop it before the log closes.
    """

    def __init__(
        self,
        log: AuditLog,
        name: str,
        deliver: Callable[[AuditEntry], None],
        wanted: Callable[[AuditEntry], bool] = lambda _: True,
        from_start: bool = False,
    ) -> None:
        self._log = log
        self._name = name
        self._deliver = deliver
        self._wanted = wanted
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follower {name}", daemon=True)
        position = log.position(name)
        if position is None:
            position = 0 if from_start else log.head()[0]
            log.move(name, position)
        self._position = position

    def start(self) -> None:
        """Start delivering; call it once."""
        self._log.listeners.append(self._wake)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the delivery in progress; returns within its time limit."""
        self._log.listeners.remove(self._wake)
        self._stopped.set()
        self._woken.set()
        self._thread.join()

    def _wake(self, _: AuditEntry) -> None:
        self._woken.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.clear()
            entries = self._log.after(self._position, _BATCH)
            for entry in entries:
                if self._wanted(entry) and not self._delivered(entry):
                    return
                self._position = entry.seq
            if not entries:
                self._woken.wait()

    def _delivered(self, entry: AuditEntry) -> bool:
        """Deliver an entry, with retries; false if stopped meanwhile."""
        wait = FIRST_WAIT_S
        while not self._stopped.is_set():
            try:
                self._deliver(entry)
            except Exception as error:
                logger.warning(
                    "%s did not accept entry %d, retrying in %.1f s: %s",
                    self._name, entry.seq, wait, error,
                )  # fmt: skip
                self._stopped.wait(wait)
                wait = min(LONGEST_WAIT_S, wait * 2)
            else:
                self._log.move(self._name, entry.seq)
                return True
        return False
