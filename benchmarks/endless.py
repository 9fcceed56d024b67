"""An endless source of cheap events, for benchmarks that a bank's generator would slow down."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from detector.core.events import Record
from detector.pipeline.work import Batch

_TRANSACTION = (
    '{"event_id":"e%d","occurred_at":"%s","transaction_id":"t%d","account_id":"acc-%d",'
    '"customer_id":"cust-%d","transaction_type":"PURCHASE","channel":"%s","card_present":%s,'
    '"amount":"%d.%02d","currency":"AUD","status":"APPROVED","card_token":"tok-%d",'
    '"card_bin":"411111","card_last4":"1111","merchant_id":"mer-%d","merchant_category":"5411",'
    '"merchant_country":"AU","city":"Sydney","latitude":-33.87,"longitude":151.21,'
    '"device_id":%s,"ip_address":"203.0.113.7"}'
)
_LOGIN = (
    '{"event_id":"e%d","occurred_at":"%s","customer_id":"cust-%d","outcome":"%s",'
    '"failure_reason":null,"device_id":"dev-%d","ip_address":"203.0.113.7","country":"AU"}'
)


class EndlessSource:
    """Nine payments to one login, of customers drawn at random; time advances by `rate` a second.

    A share of `hot` is of one customer. Ends after `events`, or with `seconds` when that time is
    over. Its position is the number of events returned, so a run on the same store goes on with the
    next ones.
    """

    name = "endless"

    def __init__(
        self,
        customers: int,
        rate: float,
        events: int | None = None,
        seconds: float | None = None,
        batch: int = 20_000,
        start: datetime = datetime(2026, 1, 5, tzinfo=UTC),
        hot: float = 0.0,
    ) -> None:
        self._customers, self._rate, self._hot = customers, rate, hot
        self._events, self._seconds, self._batch = events, seconds, batch
        self._start = start
        self._next = 0
        self._until = float("inf")

    def open(self, position: str | None) -> None:
        """Go on after the position."""
        self._next = int(position or 0)
        if self._seconds is not None:
            self._until = time.monotonic() + self._seconds

    def poll(self) -> Batch | None:
        """The next batch; None at the end."""
        over = self._events is not None and self._next >= self._events
        if over or time.monotonic() >= self._until:
            return None
        first, self._next = self._next, self._next + self._batch
        records = list(self.records(first, self._next))
        return Batch(records, str(self._next), time.monotonic())

    def records(self, first: int, last: int) -> Iterator[Record]:
        """The events of these numbers."""
        draw = random.Random(first).random
        for n in range(first, last):
            at = (self._start + timedelta(seconds=n / self._rate)).isoformat()
            who = 0 if self._hot and draw() < self._hot else int(draw() * self._customers)
            if n % 10 == 9:
                outcome = "FAILURE" if draw() < 0.05 else "SUCCESS"
                text = _LOGIN % (n, at, who, outcome, who)
                yield Record("logins", text.encode(), self.name, n)
                continue
            present = draw() < 0.6
            device = "null" if present else f'"dev-{who if draw() < 0.99 else n}"'
            channel, flag = ("POS", "true") if present else ("ECOMMERCE", "false")
            amount = int(10 ** (1 + 2 * draw()))
            text = _TRANSACTION % (
                n, at, n, who, who, channel, flag, amount, n % 100, who, n % 5000, device,
            )  # fmt: skip
            yield Record("transactions", text.encode(), self.name, n)

    def lag(self) -> dict[str, int]:
        """No partitions."""
        return {}

    def acknowledge(self, position: str) -> None:
        """Nothing to acknowledge."""

    def close(self) -> None:
        """Nothing to close."""
