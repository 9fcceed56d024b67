"""What RisingWave would be asked to do, checked without one."""

import os
import re
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from scripts import model_rows
from tests import build
from tests.dbt.lint import Schema, lint
from tests.dbt.projects import dbt, nodes

GOLDEN = Path(__file__).parent / "golden" / "live.sql"
QUERIES = {"view", "materialized_view"}


class Recorder:
    """Stands in for a connection to RisingWave: notes what it is sent and knows of no objects."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.description = None
        self.statusmessage = "SELECT 0"
        self.rowcount = 0
        self.info = None
        self.closed = 0
        self.autocommit = True

    def cursor(self) -> "Recorder":
        return self

    def execute(self, sql: str, bindings: Any = None) -> None:
        self.statements.append(sql)

    def fetchall(self) -> list[Any]:
        return []

    fetchmany = fetchone = fetchall

    def close(self) -> None: ...

    commit = rollback = close

    def get_backend_pid(self) -> int:
        return 1


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """The models of a `dbt run` in live mode without a server, and the statements it sent."""
    out, recorder = tmp_path_factory.mktemp("live"), Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg2, "connect", lambda *_, **__: recorder)
        dbt("run", "risingwave", out)
    return nodes(out), recorder.statements


@pytest.fixture(scope="module")
def live(run: tuple[dict[str, Any], list[str]]) -> dict[str, Any]:
    """The models as they are in live mode."""
    return run[0]


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The models compiled for RisingWave in replay mode."""
    out = tmp_path_factory.mktemp("replay")
    dbt("compile --no-populate-cache", "risingwave", out, {"replay": True})
    return nodes(out)


def schema_of(models: dict[str, Any]) -> Schema:
    """The columns that the YAML files and the DDL give the models."""
    columns = {
        name: {c["name"]: c["data_type"] for c in node["columns"].values() if c["data_type"]}
        for name, node in models.items()
    }
    counts = {f"signals_{name}": "bigint" for name in build.REAL.patterns}
    columns["mv_fraud_kpis_1min"] |= counts
    broker = {"received_at": "timestamptz", "kafka_partition": "varchar", "kafka_offset": "varchar"}
    for name, node in models.items():
        if name.startswith("src_"):
            fields = re.findall(r"^ +(\w+) (varchar(?:\[\])?),?$", node["compiled_code"], re.M)
            columns[name] = {**dict(fields), "payload": "jsonb", **broker}
        if name.startswith("raw_"):
            columns[name] = {"record": "bytea", **broker}
    return {"dev": {"public": {name: found for name, found in columns.items() if found}}}


@pytest.mark.parametrize("mode", ["live", "replay"])
def test_risingwave_would_take_every_query(mode: str, request: pytest.FixtureRequest) -> None:
    """The linter finds nothing in what dbt compiles."""
    models = request.getfixturevalue(mode)
    schema = schema_of(models)
    queries = {n: m for n, m in models.items() if m["config"]["materialized"] in QUERIES}
    assert len(queries) == 11 + len(build.REAL.patterns) + 5
    found = {name: lint(node["compiled_code"], schema) for name, node in queries.items()}
    assert {name: messages for name, messages in found.items() if messages} == {}


def test_eighteen_views_are_materialized(live: dict[str, Any]) -> None:
    """The views of the design, the one that shows rejected records, and the links, whose state two
    views would otherwise hold twice."""
    materialized = {
        name for name, node in live.items() if node["config"]["materialized"] == "materialized_view"
    }
    views = {name for name in materialized if name.startswith(("stg_", "mv_"))}
    assert len(views) == 11 + len(build.REAL.patterns)
    assert materialized - views == {"rejected_records", "account_links"}


def test_every_stream_job_that_watches_windows_is_bounded(live: dict[str, Any]) -> None:
    """An over-window keeps its rows for ever, so in live mode none reads without a lower bound."""
    for pattern in build.REAL.patterns.values():
        sql = live[pattern.view]["compiled_code"]
        bounds = [int(n) for n in re.findall(r"occurred_at > now\(\) - interval '(\d+) sec", sql)]
        if pattern.operator == "novelty":
            assert bounds == [21_600]
        else:
            assert bounds == [21_600 + pattern.window_seconds + 60, 21_600]


def test_what_bounds_each_model_is_said(live: dict[str, Any]) -> None:
    """The runbook's table of rows has every model, with its bound; of patterns the shipped ones."""
    runbook = (Path(__file__).parents[2] / "docs/runbook.md").read_text("utf-8")
    views = {p.view for p in build.REAL.patterns.values()}
    kept = {n for n in live if n.startswith("stg_")} | model_rows.BOUNDS.keys()
    shipped = {name for name in views if f"| `{name}` |" in runbook}
    assert kept <= live.keys() and len(shipped) >= 9
    for name in kept | shipped:
        assert re.search(
            rf"^\| `{name}` \| [\d,]+ \| -?[\d,]+ \| {re.escape(model_rows.bound(name))} \|$",
            runbook,
            re.M,
        ), name


def test_raw_records_are_appended_and_kept_for_a_time(live: dict[str, Any]) -> None:
    """With a primary key a table is an upsert stream: each min() below it keeps all its rows."""
    for name, node in live.items():
        if name.startswith("src_"):
            sql = node["compiled_code"]
            assert "append only" in sql and "primary key" not in sql.lower()
            assert ("retention_seconds" in sql) == (name != "src_kyc_profiles")
        if name.startswith("stg_"):
            assert "select distinct on (event_id)" in node["compiled_code"]


def test_a_replay_knows_no_clock(replay: dict[str, Any]) -> None:
    """In replay mode nothing depends on now, and nothing is sent out or logged."""
    assert not [n for n, node in replay.items() if re.search(r"\bnow\(", node["compiled_code"])]
    assert not {"fraud_signal_log", "sink_fraud_signal_log", "sink_fraud_signals_kafka"} & set(
        replay
    )


def test_the_log_has_the_columns_of_a_signal(live: dict[str, Any]) -> None:
    """The sink names no columns, so the log has them in the order in which the union gives them."""
    ddl = live["fraud_signal_log"]["compiled_code"]
    logged = re.findall(r"^ {4}(\w+) ", ddl, re.M)
    assert logged == list(live["mv_fraud_signals"]["columns"])


def test_dbt_sends_exactly_this(run: tuple[dict[str, Any], list[str]]) -> None:
    """Golden: every statement by which `dbt run` builds an empty RisingWave, in order.

    UPDATE_GOLDEN=1 writes the file anew; read the diff before you commit it.
    """
    created = [tidy(s) for s in run[1] if "create " in s.lower()]
    sent = "\n\n".join(created) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(sent, "utf-8")
    assert sent == GOLDEN.read_text("utf-8")


def tidy(statement: str) -> str:
    """A statement without dbt's comment line, blank lines and trailing blanks."""
    text = re.sub(r"/\*.*?\*/", "", statement, flags=re.S)
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join(line for line in lines if line)
