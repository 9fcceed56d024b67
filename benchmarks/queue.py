"""How fast the case queue answers: `python -m benchmarks.queue [--cases 100000] [--rounds 30]`.

Fills a store with open cases by SQL, every tenth of them acted on, with as many customer
profiles, and with signals for cards that are snoozed. Then asks the console in one process, signed
in, without a network: document and page, with filters, and the last page of all. Prints
JSON: milliseconds of the first answer and of the following ones.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from fastapi.testclient import TestClient

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Principal
from detector.console.access.sessions import COOKIE
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.queries.filters import QueueFilters
from detector.console.queue.model import queue_page
from detector.console.settings import ConsoleSettings
from detector.signals.loading import load_rules

ASKED = {
    "document": "/v1/cases",
    "page": "/cases",
    "filtered page": "/cases?level=critical&pattern=structuring&owner=none&min_age=60",
    "part of an id": "/cases?q=acc_7777",
    "by due time": "/cases?sort=due",
    "snoozed only": "/cases?snoozed=only",
}
_FILL = """
INSERT INTO cases (case_id, account_ids, customer_id, level, score, patterns, signal_count,
  exposure, already_gone, first_signal_at, last_signal_at, opened_at, due_at, recommended_action,
  actions,
  withdrawn)
SELECT 'case_' || left(md5(n::VARCHAR), 12), 'acc_' || n, 'cust_' || n,
  CASE WHEN n % 5 = 0 THEN 'critical' ELSE 'high' END, 0.5 + n % 51 / 100.0,
  ['velocity, cnp_spike', 'structuring', 'geo_impossible', 'account_takeover, compound',
   'brute_force_login, account_takeover, compound', 'cnp_spike'][1 + n % 6],
  3 + n % 20, n * 7919 % 3000000 / 100.0, 0, opened, opened + INTERVAL '5 minutes', opened,
  opened + INTERVAL '1 hour',
  'HOLD_PAYMENT', 'HOLD_PAYMENT, CONTACT_CUSTOMER', false
FROM (SELECT n, now() - n % 86400 * INTERVAL '1 second' AS opened FROM range(?) AS t(n));
INSERT INTO kyc_profiles (event_id, occurred_at, customer_id, account_ids, registered_device_ids,
  risk_tier, kyc_status, is_pep, country, home_latitude, home_longitude, segment, ingest_status,
  received_at)
SELECT 'evt_' || n, now() - INTERVAL '1 day', 'cust_' || n, ['acc_' || n], ['dev_' || n],
  ['LOW', 'MEDIUM', 'HIGH'][1 + n % 3], 'VERIFIED', false, 'AU', -33.0, 151.0, 'RETAIL',
  'evaluated', now() FROM range(?) AS t(n);
INSERT INTO case_reviews (case_id, status, owner, version, reviewed_at, snapshot)
SELECT case_id, ['IN_REVIEW', 'ESCALATED', 'PENDING_APPROVAL'][1 + (hash(case_id) % 3)::INT],
  'analyst-' || hash(case_id) % 20, 1, now(), '{}'
FROM cases WHERE hash(case_id) % 10 = 0;
INSERT INTO fraud_signals
SELECT pattern || ':' || n, 'cnp_spike', 'FR-CNP-001', 'HIGH', 0.4, 'cust_' || n, 'acc_' || n,
  'card_' || n, 'evt_s' || n, first_signal_at, first_signal_at, 8, 8, 10, 'because', '{}', []
FROM (SELECT 'cnp_spike' AS pattern, substr(account_ids, 5)::BIGINT AS n, first_signal_at
  FROM cases WHERE patterns LIKE '%cnp_spike%');
"""


def fill(store: DuckDBStore, cases: int) -> None:
    """Write the cases, profiles, reviews and signals, and snooze some."""
    cursor = store._connection.cursor()
    for statement in filter(str.strip, _FILL.split(";")):
        cursor.execute(statement, [cases] * statement.count("?"))
    people, person = store.people(), Principal("root", "supervisor")
    until = datetime.now(UTC) + timedelta(days=1)
    for n in range(200):
        kind, entity = [("account", f"acc_{n}"), ("card", f"card_{n}")][n % 2]
        people.snoozes.add(person, "cnp_spike", kind, entity, until, "benchmark")


def deepest(store: DuckDBStore) -> str:
    """The cursor of the last page."""
    page = queue_page(store, QueueFilters(), "root", limit=200)
    # The same place in the order, without walking through all pages before it.
    bottom = queue_page(store, QueueFilters(), "root", limit=page.total - 20)
    return str(bottom.next)


def measured(client: TestClient, path: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of the first answer and of the following, and the processor time of one."""
    took = []
    busy = time.process_time()
    for _ in range(rounds + 1):
        began = time.perf_counter()
        answer = client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    first, *following = took
    return {
        "first_ms": round(first, 1),
        "median_ms": round(statistics.median(following), 1),
        "worst_ms": round(max(following), 1),
        "cpu_ms": round((time.process_time() - busy) * 1000 / len(took), 1),
        "bytes": len(answer.content),
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=30)
    asked = options.parse_args()
    rules = load_rules()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(DuckDBStore(Path(folder) / "fraud.duckdb", rules)) as store,
    ):
        people = store.people()
        fill(store, asked.cases)
        settings = ConsoleSettings(_env_file=None)
        context = assemble(rules, settings, store, people, b"benchmark")
        root = Principal("root", "admin")
        user = people.users.add(root, "sam", "supervisor", "!", must_change=False)
        client = TestClient(build_app(context), "http://localhost")
        client.cookies.set(COOKIE, context.sessions._session(user, "n").token)
        paths = {**ASKED, "last page": f"/cases?cursor={deepest(store)}"}
        result = {
            "cases": asked.cases,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
            f"Python {platform.python_version()}, DuckDB {duckdb.__version__} on one thread",
            "answers": {name: measured(client, path, asked.rounds) for name, path in paths.items()},
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
