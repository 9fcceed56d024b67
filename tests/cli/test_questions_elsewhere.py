"""The same questions to a running console and to a server that speaks PostgreSQL."""

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.duckdb.views import view_names
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.server import address, listen, serving
from detector.console.settings import ConsoleSettings
from detector.core.errors import InputError, StoreError
from tests.build import REAL
from tests.cli.conftest import Fraud
from tests.console.harness import ROOT
from tests.postgres import copied, postgres

NAMES = ["risk", "cases", "kpis", "fraud-rate", "status"]


class Served:
    """A console over a store, and the keys to it."""

    def __init__(self, store: DuckDBStore, url: str) -> None:
        self.url = url
        self.keys = store.people().keys
        _, self.viewer = self.keys.add(ROOT, "wallboard", "viewer")
        _, self.machine = self.keys.add(ROOT, "payments")


@contextmanager
def console(store: DuckDBStore, **settings: Any) -> Iterator[str]:
    chosen = ConsoleSettings(**{"_env_file": None, **settings})
    listener = listen("127.0.0.1", 0)
    with serving(build_app(assemble(REAL, chosen, store, store.people(), b"key")), listener):
        yield address(listener)


@pytest.fixture(scope="module")
def store(replayed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """The replayed store once more, held open."""
    path = tmp_path_factory.mktemp("held") / "fraud.duckdb"
    shutil.copy(replayed, path)
    with closing(DuckDBStore(path, REAL)) as store:
        yield store


@pytest.fixture(scope="module")
def served(store: DuckDBStore) -> Iterator[Served]:
    """A running console."""
    with console(store) as url:
        yield Served(store, url)


@pytest.fixture(scope="module")
def cluster(store: DuckDBStore) -> Iterator[str]:
    """The address of a server whose tables are the views of the store."""
    with postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for name in [*view_names(REAL), "account_signals", "risk_history"]:
                copied(store, connection, name)
        yield url


@pytest.fixture
def key(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer's key in the environment."""
    monkeypatch.setenv("FRAUD_API_KEY", served.viewer)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("name", NAMES)
def test_a_running_console_answers_as_its_store(
    fraud: Fraud, replayed: Path, served: Served, name: str
) -> None:
    """The same JSON and the same table, but for where they are from."""
    here, there = ("--store", replayed), ("--url", served.url)
    documents = [fraud(name, *whom, "--json") for whom in (here, there)]
    tables = [fraud(name, *whom).splitlines() for whom in (here, there)]
    if name == "status":
        del documents[0]["bytes"]
        assert [found.pop("store") for found in documents] == [str(replayed), served.url]
        only_here = {"store", "bytes:"}
        tables = [
            [words for line in t if not only_here & {*(words := line.split())} and "─" not in line]
            for t in tables
        ]
    assert documents[0] == documents[1] and documents[0]
    assert tables[0] == tables[1] and len(tables[0]) > 4


@pytest.mark.parametrize("name", ["risk", "cases", "kpis", "fraud-rate"])
def test_a_cluster_answers_as_the_store(
    fraud: Fraud, replayed: Path, cluster: str, name: str
) -> None:
    """To the last digit and type."""
    there = fraud(name, "--url", cluster, "--json")
    assert there == fraud(name, "--store", replayed, "--json") != []
    assert len(fraud(name, "--url", cluster).splitlines()) > 4


def test_a_cluster_s_status_is_what_it_knows(fraud: Fraud, replayed: Path, cluster: str) -> None:
    """What only a store keeps is left out, not made up; the address shows no user."""
    here = fraud("status", "--store", replayed, "--json")
    there = fraud("status", "--url", cluster, "--json")
    assert "root" not in there["store"] and there.pop("store").startswith("postgresql://127.0.0.1")
    assert set(there) == {"watermark", "events", "signals", "open_cases", "without_rate"}
    assert there == {name: here[name] for name in there}


@pytest.mark.usefixtures("key")
def test_a_limit_is_kept_everywhere(fraud: Fraud, served: Served, cluster: str) -> None:
    """By the console up to what it gives at once, which it says."""
    for url in (served.url, cluster):
        assert len(fraud("risk", "--url", url, "--limit", 3, "--json")) == 3
    with pytest.raises(InputError, match="10000"):
        fraud("kpis", "--url", served.url, "--limit", 10_001)


def test_without_a_good_key_it_is_said_what_to_do(
    fraud: Fraud, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key, a wrong one, a machine's."""
    monkeypatch.delenv("FRAUD_API_KEY", raising=False)
    with pytest.raises(InputError, match=r"FRAUD_API_KEY.*fraud keys add"):
        fraud("risk", "--url", served.url)
    for wrong, said in (
        (f"{served.viewer}x", "unknown or revoked"),
        (served.machine, "lacks the permission"),
    ):
        monkeypatch.setenv("FRAUD_API_KEY", wrong)
        with pytest.raises(InputError, match=f"{said}.*--role viewer") as caught:
            fraud("risk", "--url", served.url)
        assert wrong not in str(caught.value)


def test_a_demonstration_needs_no_key(
    fraud: Fraud, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It signs in any visitor from this machine."""
    monkeypatch.delenv("FRAUD_API_KEY", raising=False)
    with console(store, demo=True) as url:
        assert fraud("risk", "--url", f"{url}/", "--json")


@pytest.mark.usefixtures("key")
def test_other_places_are_no_consoles(fraud: Fraud) -> None:
    """No answer, and an answer of something else."""
    with pytest.raises(InputError, match=r"No console answers at http://127\.0\.0\.1:1:"):
        fraud("risk", "--url", "http://127.0.0.1:1")
    with pytest.raises(InputError, match="No console answers"):
        fraud("risk", "--url", "http://127.0.0.1:no")
    for status, body in ((404, b"nothing"), (200, b"hello"), (200, b"[]"), (200, b'{"rows": [1]}')):

        class Other(BaseHTTPRequestHandler):
            def do_GET(self, status: int = status, body: bytes = body) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Other) as other:
            thread = threading.Thread(target=other.handle_request)
            thread.start()
            with pytest.raises(InputError, match="no console of this version"):
                fraud("risk", "--url", f"http://127.0.0.1:{other.server_port}")
            thread.join()


def test_sql_is_for_stores_and_clusters(fraud: Fraud, served: Served) -> None:
    """Other schemes are rejected."""
    for command in (("sql", "SELECT 1"), ("validate",)):
        with pytest.raises(InputError, match="not SQL"):
            fraud(*command, "--url", served.url)
    for url in ("ftp://127.0.0.1", "127.0.0.1:8000", ""):
        for command in (("risk",), ("sql", "SELECT 1"), ("validate",)):
            with pytest.raises(InputError, match=r"begin with http://.*postgresql://"):
                fraud(*command, "--url", url)


def test_sql_asks_a_cluster_and_changes_nothing(fraud: Fraud, cluster: str) -> None:
    """One statement at a time, taken as it is written."""
    asked = "SELECT count(*) AS n FROM mv_fraud_signals"
    [before] = fraud("sql", asked, "--url", cluster, "--json")
    assert before["n"] > 0
    assert fraud("sql", "SELECT '9% ?' AS x", "--url", cluster, "--json") == [{"x": "9% ?"}]
    for query in (
        "DELETE FROM mv_fraud_signals",
        "DELETE FROM mv_fraud_signals RETURNING signal_id",
        "SELECT 1; DELETE FROM mv_fraud_signals",
        "COMMIT; DELETE FROM mv_fraud_signals",
        "SELECT nonsense",
    ):
        with pytest.raises(InputError, match="cannot be answered"):
            fraud("sql", query, "--url", cluster)
    assert fraud("sql", asked, "--url", cluster, "--json") == [before]


def test_a_cluster_is_validated(fraud: Fraud, cluster: str) -> None:
    """By the same promises; a broken one, or a missing view, is named."""
    found = fraud("validate", "--url", cluster, "--json")
    assert found["ok"] and len(found["checks"]) == 1 + 11 + len(REAL.patterns) + 7
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute("ALTER TABLE risk_history RENAME TO kept")
        connection.execute("CREATE TABLE risk_history AS SELECT * FROM kept LIMIT 0")
        connection.execute("ALTER TABLE mv_channel_risk RENAME TO away")
        found = fraud("validate", "--url", cluster, "--json", expect=1)
        connection.execute("ALTER TABLE away RENAME TO mv_channel_risk")
        connection.execute("DROP TABLE risk_history")
        connection.execute("ALTER TABLE kept RENAME TO risk_history")
    assert [check["check"] for check in found["checks"] if not check["ok"]] == [
        "view mv_channel_risk answers",
        "every account signal has a risk score",
    ]


def test_a_cluster_that_cannot_be_asked_is_explained(
    fraud: Fraud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is away, or its client is not installed."""
    with pytest.raises(StoreError, match=r"cannot be reached.*--url"):
        fraud("risk", "--url", "postgresql://nobody@127.0.0.1:1/dev")
    monkeypatch.delitem(sys.modules, "detector.adapters.risingwave")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"fraud-detection-streaming\[risingwave\]"):
        fraud("risk", "--url", "postgresql://127.0.0.1/dev")
