"""Claims that are not worked on go back to the queue."""

import logging
import threading
from datetime import timedelta

from detector.adapters.people.reviews import Reviews

logger = logging.getLogger("detector.console")

EVERY_S = 20.0


class IdleClaims:
    """Releases, in a thread of its own, cases whose owner has not acted on them for so long."""

    def __init__(self, reviews: Reviews, after: timedelta) -> None:
        self._reviews, self._after = reviews, after
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="idle-claims", daemon=True)

    def __enter__(self) -> "IdleClaims":
        if self._after:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            for case_id in self._reviews.release_idle(self._after):
                logger.info("%s was idle and is released", case_id)
