"""A pattern of a known shape, added as docs/fraud_patterns.md says, from the text of that page."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from detector.adapters.dbt_models import event_files, load, run
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.rendering import RenderedProject, rendered
from detector.analysis.parity import parity
from detector.analysis.replay import replay_folder
from detector.signals.loading import load_rules
from detector.signals.rules import Rules
from scripts import pattern_docs
from tests import build
from tests.dbt.conftest import write_log
from tests.dbt.eighth import NAME, PAGE, VIEW, shown
from tests.dbt.projects import data_tests


@pytest.fixture(scope="module")
def copy(with_an_eighth: Path) -> Path:
    """A copy of the dbt project after steps 1 to 3."""
    if NAME in build.REAL.patterns:
        pytest.skip(
            f"{NAME} has been added to this project; the text says how, for a project without it"
        )
    return with_an_eighth


@pytest.fixture(scope="module")
def rules(copy: Path) -> Rules:
    """The rules with the eighth pattern."""
    return load_rules(copy / "dbt_project.yml")


@pytest.fixture(scope="module")
def eight(copy: Path, rules: Rules) -> RenderedProject:
    """The models with the eighth view."""
    return rendered(rules, copy)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Declines at the edges of window and key, and approvals that do not count."""
    declined = {"status": "DECLINED", "card_token": "tok-1"}
    folder = tmp_path_factory.mktemp("log")
    write_log(
        folder,
        [
            *(build.transaction(at, merchant_id="shop", **declined) for at in (0, 60, 120)),
            build.transaction(125, merchant_id="other", **declined),
            build.transaction(181, merchant_id="shop", **declined),
            *(build.transaction(at, card_token="tok-2", merchant_id="shop") for at in (0, 60, 120)),
        ],
    )
    return folder


@pytest.mark.usefixtures("copy")
def test_the_page_takes_its_section(rules: Rules) -> None:
    """Step 4: the section of the text is filled from the rules; without it the page is refused."""
    with pytest.raises(ValueError, match="declined_burst"):
        pattern_docs.rewritten(PAGE, rules)
    page = PAGE.replace("## Add a pattern", f"{shown('markdown')}\n## Add a pattern", 1)
    filled = pattern_docs.rewritten(page, rules)
    section = filled[filled.index(f"## {NAME}\n") : filled.index("## Add a pattern")]
    assert "**What.** " in section and "**Why.** " in section
    assert "| key | card_token, merchant_id |" in section
    assert f"`{VIEW}` | 3 or more transactions of one card and merchant within 2 minutes" in filled
    assert f"| {NAME} |" in pattern_docs.readme(pattern_docs.README.read_text("utf-8"), rules)


def test_both_engines_take_it_up_and_agree(folder: Path, rules: Rules, copy: Path) -> None:
    """Signals, risk and cases of the embedded engine and of the models are the same."""
    report = parity(folder, rules, copy)
    assert report.equal, report.examples
    assert report.compared["signals"] == report.compared["risk"] == 1


@pytest.fixture
def store(folder: Path, rules: Rules, tmp_path: Path) -> Iterator[DuckDBStore]:
    """The embedded store with eight patterns."""
    replay_folder(folder, tmp_path / "store.duckdb", rules)
    store = DuckDBStore(tmp_path / "store.duckdb", rules)
    yield store
    store.close()


def test_it_fires_where_it_should(store: DuckDBStore) -> None:
    """At the third decline, both ends of the two minutes included; at no other merchant."""
    [(observed, reason, at)] = store.query(f"SELECT observed, reason, occurred_at FROM {VIEW}")
    assert (observed, at) == (3, build.moment(120))
    assert reason == "3 declined payments at merchant shop within 2 minutes; the limit is 3."


def test_risk_and_kpis_count_it(store: DuckDBStore) -> None:
    """Its weight is in the score, its column among the KPIs."""
    assert store.query("SELECT risk_score, patterns FROM risk_history") == [(0.3, NAME)]
    assert store.query(f"SELECT sum(signals_{NAME}) FROM mv_fraud_kpis_1min") == [(1,)]


def test_the_data_tests_know_it(
    folder: Path,
    eight: RenderedProject,
    compiled: Path,
    database: duckdb.DuckDBPyConnection,
) -> None:
    """The YAML of step 3 brings its tests with it, and they hold."""
    load(database, event_files([folder]))
    run(database, eight.models)
    tests = {name: sql for name, sql in data_tests(compiled).items() if VIEW in sql}
    assert len(tests) > 10
    assert [name for name, sql in tests.items() if database.execute(sql).fetchall()] == []
