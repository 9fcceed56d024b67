"""Carries what analysts decide over to a cluster, whose views then show it too."""

import logging
import threading
from typing import Protocol

from detector.adapters.desk import Desk
from detector.cases.review import Review
from detector.core.errors import StoreError

logger = logging.getLogger("detector.console")

FOLLOWER = "risingwave"
EVERY_S = 0.2


class Mirror(Protocol):
    """Where reviews are told."""

    def put(self, review: Review) -> None:
        """Take in the newest review of a case; raises `StoreError` when that cannot be now."""


class ReviewFollower:
    """Follows the audit log and tells each case's newest review, at least once and in order.

    It remembers how far it has come, so that a cluster that was away is told all it missed.
    """

    def __init__(self, desk: Desk, mirror: Mirror) -> None:
        self._desk, self._mirror = desk, mirror
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def __enter__(self) -> "ReviewFollower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def catch_up(self) -> None:
        """Tell all that is not yet told."""
        log = self._desk.log
        while entries := log.after(log.position(FOLLOWER) or 0):
            touched = dict.fromkeys(e.subject for e in entries if e.subject_kind == "case")
            for case_id in touched:
                self._mirror.put(self._desk.review(case_id))
            log.move(FOLLOWER, entries[-1].seq)

    def _run(self) -> None:
        away = False
        while not self._stop.wait(EVERY_S):
            try:
                self.catch_up()
                away = False
            except StoreError as error:
                if not away:
                    logger.warning("The cluster is not told of reviews: %s Trying on.", error)
                away = True
