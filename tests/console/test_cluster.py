"""The console over a server that speaks PostgreSQL shows what it shows over the store."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from fastapi.testclient import TestClient

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.duckdb.views import view_names
from detector.adapters.people.mirror import mirrored
from detector.adapters.people.store import PeopleStore
from detector.adapters.risingwave import RisingWave
from detector.cases.principals import Principal
from detector.cases.review import Review
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from detector.core.errors import StoreError
from tests.adapters.kafka.support import until
from tests.build import SHIPPED
from tests.console.harness import LOCALHOST, PEOPLE, ROOT
from tests.people import act
from tests.postgres import copied, postgres

_REVIEWS = """CREATE TABLE case_reviews (case_id text PRIMARY KEY, status text, owner text,
    disposition text, reviewed_at timestamptz, customer_id text, closed_until timestamptz)"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """An empty server."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="module")
def cluster(address: str, full_store: DuckDBStore) -> Iterator[RisingWave]:
    """A server whose tables are the views of the full store, and which takes reviews."""
    with psycopg.connect(address, autocommit=True) as connection:
        for name in [*view_names(SHIPPED), "account_signals", "fraud_cases"]:
            copied(full_store, connection, name)
        connection.execute(_REVIEWS)
    with closing(RisingWave(address)) as server:
        server.open()
        yield server


class Twins(NamedTuple):
    """The same users over both."""

    embedded: TestClient
    clustered: TestClient


@pytest.fixture(scope="module")
def twins(
    full_store: DuckDBStore, cluster: RisingWave, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Twins]:
    """A supervisor at a console over the store, and at one over the server."""
    settings = ConsoleSettings(_env_file=None)
    with closing(PeopleStore.open(tmp_path_factory.mktemp("people") / "people.duckdb")) as people:
        for name, role in PEOPLE.items():
            people.users.add(ROOT, name, role, "-", False)
        clients = []
        for reader in (full_store, cluster):
            context = assemble(SHIPPED, settings, reader, people, b"tests only")
            user = people.users.get("sam")
            assert user is not None
            session = context.sessions._session(user, "nonce")
            client = TestClient(build_app(context), LOCALHOST)
            client.cookies.set("fraud_session", session.token)
            clients.append(client)
        yield Twins(*clients)


def _ids(store: DuckDBStore) -> dict[str, str]:
    [(case_id, account_id, customer_id)] = store.query(
        "SELECT case_id, account_ids, customer_id FROM mv_open_fraud_cases "
        "ORDER BY signal_count DESC, case_id LIMIT 1"
    )
    return {"case_id": case_id, "account_id": account_id, "customer_id": customer_id}


def _plain(value: Any) -> Any:
    """A document without what the moment of asking decides, times and amounts as such."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in _MOMENTARY}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return Decimal(value)
    if isinstance(value, str) and "T" in value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return round(value, 4) if isinstance(value, float) else value


_MOMENTARY = {
    "at", "as_of", "ranked_at", "rank", "urgency", "time_left_s", "seconds_left", "lag_ms", "age_s",
    "watermark", "next_cursor", "cursor", "next", "now", "taken_at", "pulse",
}  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/v1/overview",
        "/v1/cases",
        "/v1/cases?pattern=structuring&sort=score",
        "/v1/cases?q=acc&owner=none",
        "/v1/cases/{case_id}",
        "/v1/accounts/{account_id}",
        "/v1/customers/{customer_id}",
        "/v1/signals",
        "/v1/signals?pattern=velocity",
        "/v1/patterns",
        "/v1/search?q={account_id}",
        "/v1/search?q=dev-1",
    ],
)
def test_both_say_the_same(twins: Twins, full_store: DuckDBStore, path: str) -> None:
    """Every document that a page is made of, to the last field that is not the clock's."""
    asked = path.format(**_ids(full_store))
    embedded, clustered = (client.get(asked) for client in twins)
    assert embedded.status_code == 200, embedded.text
    assert clustered.status_code == 200, clustered.text
    assert _plain(clustered.json()) == _plain(embedded.json())


@pytest.mark.parametrize("page", ["/", "/cases", "/signals", "/patterns", "/cases/{case_id}"])
def test_its_pages_render(twins: Twins, full_store: DuckDBStore, page: str) -> None:
    """The same templates, over other rows."""
    answer = twins.clustered.get(page.format(**_ids(full_store)))
    assert answer.status_code == 200 and "<main" in answer.text


def test_events_go_to_topics_not_here(twins: Twins) -> None:
    """A console over a cluster rejects events with a reason."""
    context: Any = twins.clustered.app.state.context  # type: ignore[attr-defined]
    _, key = context.people.keys.add(ROOT, "payments")
    client = TestClient(twins.clustered.app, LOCALHOST, headers={"Authorization": f"Bearer {key}"})
    answer = client.post("/v1/score", content=b"{}")
    assert answer.status_code == 503 and "topics" in answer.json()["detail"]


def test_reviews_reach_the_cluster_also_after_it_was_away(
    full_store: DuckDBStore, cluster: RisingWave, tmp_path: Path
) -> None:
    """The newest review of each case stands there, once."""
    case = full_store.rows("SELECT * FROM mv_open_fraud_cases ORDER BY case_id LIMIT 1")[0]
    person = Principal("kim", "analyst")
    away = True

    class Patchy:
        def put(self, review: Review) -> None:
            if away:
                raise StoreError("away")
            cluster.put(review)

    with closing(PeopleStore.open(tmp_path / "people.duckdb")) as people:
        act(people, person, case, "claim")
        follower = mirrored(people, Patchy())
        follower.start()
        away = False
        until(lambda: cluster.rows("SELECT status FROM case_reviews") == [{"status": "IN_REVIEW"}])
        act(people, person, case, "release")
        until(lambda: cluster.rows("SELECT owner FROM case_reviews") == [{"owner": None}])
        follower.stop()
    rows = cluster.rows("SELECT case_id, status FROM case_reviews")
    assert rows == [{"case_id": case["case_id"], "status": "NEW"}]


def test_a_server_that_is_not_there_is_named() -> None:
    """What to check is in the message."""
    server = RisingWave("postgresql://nobody@127.0.0.1:1/dev")
    with pytest.raises(StoreError, match=r"cannot be reached.*--url"):
        server.open()
