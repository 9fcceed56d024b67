"""The eighteen views say the same in the embedded store and as models: columns and rows."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.duckdb.views import view_names
from detector.adapters.rendering import RenderedProject
from detector.analysis.replay import replay_folder
from tests import build
from tests.dbt.eighth import NAME, VIEW
from tests.dbt.projects import data_tests

VIEWS = view_names(build.REAL)

# Times in it are written differently; `fraud parity` compares what they mean.
APART = {"evidence"}


@pytest.fixture(scope="module")
def both(
    project: RenderedProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """One log of the synthetic bank in both executions; the store is attached as `embedded`."""
    folder = tmp_path_factory.mktemp("bank")
    settings = bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=500)
    write_bank(folder, settings, 15_000, build.START)
    replay_folder(folder, folder / "embedded.db", build.REAL)
    with open_database() as db:
        db.execute(f"ATTACH '{folder / 'embedded.db'}' AS embedded (READ_ONLY)")
        load(db, event_files([folder]))
        run(db, project.models)
        yield db


def test_there_are_eighteen() -> None:
    """Five of staging, one a pattern and their union, four of risk, one of cases."""
    assert len(VIEWS) == 5 + len(build.REAL.patterns) + 1 + 4 + 1


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_the_same_in_both(both: duckdb.DuckDBPyConnection, view: str) -> None:
    """Same columns in the same order; same rows."""
    embedded, models = (
        [row[0] for row in both.execute(f"DESCRIBE {name}").fetchall()]
        for name in (f"embedded.{view}", view)
    )
    assert models == embedded
    columns = ", ".join(name for name in models if name not in APART)
    rows = both.execute(f"SELECT count(*) FROM {view}").fetchall()[0][0]
    # A new payee needs a customer who has been known for a day, and this log ends before.
    shown = {p.view for p in build.SHIPPED.patterns.values()} - {"mv_new_payee_payments"}
    assert rows > 0 or view not in shown, "the synthetic bank shows no example of it"
    for one, other in ((f"embedded.{view}", view), (view, f"embedded.{view}")):
        extra = both.execute(
            f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other}"
        ).fetchall()
        assert extra == [], f"only in {one}"


def test_the_data_tests_hold(both: duckdb.DuckDBPyConnection, compiled: Path) -> None:
    """Every data test that the YAML files declare passes on this log."""
    eighth = set() if NAME in build.REAL.patterns else {VIEW}
    tests = {n: s for n, s in data_tests(compiled).items() if not any(v in s for v in eighth)}
    assert len(tests) > 150
    broken = {name: rows for name, sql in tests.items() if (rows := both.execute(sql).fetchall())}
    assert broken == {}


def test_no_record_of_the_bank_is_rejected(both: duckdb.DuckDBPyConnection) -> None:
    """The contract in SQL accepts what the bank writes."""
    assert both.execute("SELECT * FROM rejected_records").fetchall() == []


def test_the_models_follow_any_path(tmp_path: Path, project: RenderedProject) -> None:
    """A stream without a file is empty; no view fails for want of events."""
    (tmp_path / "logins.jsonl").write_bytes(build.raw(build.login()) + b"\n")
    with open_database() as db:
        load(db, event_files([tmp_path]))
        run(db, project.models)
        assert db.execute("SELECT count(*) FROM stg_logins").fetchall() == [(1,)]
        assert db.execute("SELECT count(*) FROM mv_fraud_kpis_1min").fetchall() == [(0,)]
