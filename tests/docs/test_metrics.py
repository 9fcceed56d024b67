"""Every metric is listed once; the page, the alert rules and the process agree with the list."""

import re
from pathlib import Path

import yaml

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.queries.queue import case_gauges
from detector.core.metrics import METRICS
from detector.pipeline.gauges import gauges_of
from detector.pipeline.metrics import Metrics
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import DeadLetter, Work
from scripts import metric_docs
from tests import build


def test_the_page_is_written_from_the_list() -> None:
    """`make docs-metrics` would change nothing."""
    assert metric_docs.PAGE.read_text("utf-8") == metric_docs.page()


def test_alert_rules_name_metrics_that_exist() -> None:
    """A rule over a metric that is not exposed never fires."""
    rules = yaml.safe_load(metric_docs.RULES.read_text("utf-8"))["groups"][0]["rules"]
    assert len(rules) >= 8
    for rule in rules:
        used = set(re.findall(r"fraud_\w+", rule["expr"]))
        assert used, rule
        for name in used:
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert base in METRICS, name


def test_everything_in_the_list_is_exposed_and_nothing_else(tmp_path: Path) -> None:
    """With unit-free names of Prometheus, and the labels of the list."""
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    metrics = Metrics()
    source = build.ListSource([build.records([build.transaction(n) for n in range(6)])])
    pipeline = Pipeline(build.REAL, source, store, [metrics], clock=lambda: build.NOW)
    metrics.gauges += [lambda: gauges_of(pipeline), lambda: case_gauges(store)]
    store.people()
    pipeline.run()
    text = metrics.expose().decode()
    exposed = set(re.findall(r"^# HELP (\w+)(?<!_created) ", text, re.M))
    assert {name.removesuffix("_total") for name in exposed} == {
        name.removesuffix("_total") for name in METRICS
    }
    assert 'fraud_store_bytes{part="store"}' in text
    assert re.search(r"fraud_process_memory_bytes [1-9]", text)
    assert 'fraud_signals_total{pattern="velocity"} 2.0' in text
    store.close()


def test_callers_cannot_add_labels() -> None:
    """A card number sent as the name of a stream is counted as unknown."""
    metrics = Metrics()
    work = Work("", "", 0.0)
    for n in range(1000):
        name = f"4111111111111111-{n}"
        work.dead_letters.append(
            DeadLetter(stream=name, reason="", origin="api", offset=n, raw=b"")
        )
    metrics.publish(work)
    text = metrics.expose().decode()
    assert "4111111111111111" not in text
    assert 'fraud_dead_letters_total{stream="unknown"} 1000.0' in text
