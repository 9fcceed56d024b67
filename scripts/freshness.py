"""How long a signal takes from its event to being visible, measured from outside.

Publishes failed logins of customers that do not exist (`freshness_…`) to Redpanda and polls
RisingWave until the signal of each can be read; runs in the init image: `make freshness`. Such a
signal weighs too little to open a case. Prints the percentiles and the barrier settings; exit
code 1 when the 95th percentile is above the goal, 300 ms unless given as an argument.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

ROUNDS = 20
GOAL_MS = 300
PATIENCE_S = 60
POLL_S = 0.01
TOPIC = "banking.logins"
FAILURES = 3
"""As many failed logins as the pattern brute_force_login needs."""


def logins(customer: str, now: datetime) -> list[bytes]:
    """The events whose last one makes the pattern fire."""
    return [
        json.dumps(
            {
                "event_id": f"{customer}_{n}",
                "customer_id": customer,
                "outcome": "FAILURE",
                "failure_reason": "BAD_PASSWORD",
                "occurred_at": (now + timedelta(milliseconds=n)).isoformat(),
            }
        ).encode()
        for n in range(FAILURES)
    ]


def measure(
    publish: Callable[[str, list[bytes]], None],
    visible: Callable[[str], bool],
    rounds: int = ROUNDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[float]:
    """Milliseconds from published to visible, for each round.

    Raises `TimeoutError` when a signal does not show within the patience.
    """
    found = []
    for _ in range(rounds):
        customer = f"freshness_{uuid.uuid4().hex[:12]}"
        publish(customer, logins(customer, datetime.now(UTC)))
        began = clock()
        while not visible(customer):
            if clock() - began > PATIENCE_S:
                raise TimeoutError(f"no signal of {customer} within {PATIENCE_S} s")
            sleep(POLL_S)
        found.append((clock() - began) * 1000)
    return found


def report(times: Sequence[float], settings: str, goal_ms: float) -> tuple[str, bool]:
    """The result in a line, and whether the 95th percentile keeps the goal."""
    ordered = sorted(times)
    p50, p95 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.95))
    kept = p95 <= goal_ms
    text = (
        f"{len(ordered)} signals, published to visible: p50 {p50:.0f} ms, p95 {p95:.0f} ms, "
        f"max {ordered[-1]:.0f} ms; goal p95 {goal_ms:.0f} ms {'kept' if kept else 'MISSED'}; "
        f"{settings}"
    )
    return text, kept


def main(arguments: Sequence[str]) -> int:
    """Measure on the running cluster."""
    import psycopg2  # in the init image; the tests of this file need neither
    from kafka import KafkaProducer

    goal_ms = float(arguments[0]) if arguments else GOAL_MS
    producer = KafkaProducer(
        bootstrap_servers=os.environ["RISINGWAVE_KAFKA_BROKERS"].split(","), linger_ms=0
    )
    connection: Any = psycopg2.connect("")  # PGHOST and the rest are in the environment
    connection.autocommit = True
    with connection.cursor() as cursor:

        def publish(customer: str, events: list[bytes]) -> None:
            for event in events:
                producer.send(TOPIC, key=customer.encode(), value=event)
            producer.flush()

        def visible(customer: str) -> bool:
            cursor.execute(
                "SELECT 1 FROM mv_fraud_signals WHERE customer_id = %s LIMIT 1", [customer]
            )
            return bool(cursor.fetchall())

        cursor.execute("SHOW PARAMETERS")
        settings = ", ".join(
            f"{row[0]} {row[1]}"
            for row in cursor.fetchall()
            if row[0] in ("barrier_interval_ms", "checkpoint_frequency")
        )
        try:
            text, kept = report(measure(publish, visible), settings, goal_ms)
        except TimeoutError as error:
            print(f"freshness: {error}; {settings}", file=sys.stderr)
            return 1
    print(text)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
