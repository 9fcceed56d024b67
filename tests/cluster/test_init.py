"""risingwave-init: what it says to RisingWave, and which topics it makes."""

from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from detector.adapters.duckdb.views import view_names
from detector.signals.loading import load_rules
from producers.models import TOPICS as PRODUCED
from scripts import cluster_init
from scripts.cluster_init import InitError
from tests.cluster.conftest import ROOT


class Users:
    """A cursor on a database that knows these users and records its statements."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.told: list[str] = []

    def execute(self, query: str) -> None:
        self.told.append(query)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [(name,) for name in self.names]


def test_the_reader_is_made_once_and_may_do_nothing_else() -> None:
    """A new user gets no right but to log in; an existing one only its password."""
    new, old = Users("root", "postgres"), Users("root", "fraud_reader")
    cluster_init.ensure_user(new, "fraud_reader", "o'clock")
    cluster_init.ensure_user(old, "fraud_reader", "o'clock")
    assert new.told[-1] == (
        "CREATE USER fraud_reader WITH NOSUPERUSER NOCREATEDB NOCREATEUSER LOGIN "
        "PASSWORD 'o''clock'"
    )
    assert old.told[-1] == "ALTER USER fraud_reader WITH PASSWORD 'o''clock'"


def test_the_reader_may_only_select() -> None:
    """Its grants are CONNECT, USAGE and SELECT, nothing that writes."""
    rights = {line.split()[1] for line in cluster_init.grant_statements("r", "dev", "public")}
    assert rights == {"CONNECT", "USAGE", "SELECT"}


def test_the_expected_views_are_the_eighteen() -> None:
    """The names are those of the embedded store."""
    expected = cluster_init.expected_views(ROOT / "fraud_detection")
    assert sorted(expected) == sorted(view_names(load_rules()))
    assert len(expected) == 11 + len(load_rules().patterns)


def test_every_topic_that_is_written_is_made() -> None:
    """Five event topics, dead letters, signals: nothing relies on topics that make themselves."""
    names = {topic.name for topic in cluster_init.TOPICS}
    assert names == {*PRODUCED, "banking.dlq", "fraud.signals"}
    macros = (ROOT / "fraud_detection/macros/settings.sql").read_text(encoding="utf-8")
    assert "'signals_topic': 'fraud.signals'" in macros


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BARRIER_INTERVAL_MS", "10"),
        ("BARRIER_INTERVAL_MS", "1; DROP"),
        ("CHECKPOINT_FREQUENCY", "0"),
    ],
)
def test_unusable_barrier_settings_are_refused(name: str, value: str) -> None:
    """RisingWave takes no interval below 50 ms; the text names the setting."""
    with pytest.raises(InitError, match=name):
        cluster_init.barrier_statements({name: value})


def test_barriers_have_defaults() -> None:
    """An empty setting is the default, as in .env.example."""
    assert cluster_init.barrier_statements({"BARRIER_INTERVAL_MS": ""}) == [
        "ALTER SYSTEM SET barrier_interval_ms = 1000",
        "ALTER SYSTEM SET checkpoint_frequency = 1",
    ]


def test_statements_are_limited_and_an_old_release_only_warns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A viewer of Grafana may send any SELECT; building a model may take longer."""
    users = Users()
    cluster_init.limit_statements(users, cluster_init.STATEMENT_LIMIT)
    assert users.told == ["ALTER SYSTEM SET statement_timeout = 60"]

    class Old(Users):
        def execute(self, query: str) -> None:
            raise psycopg2.ProgrammingError("unrecognized parameter")

    cluster_init.limit_statements(Old(), 60)
    assert "WARNING: statements stay without a limit" in capsys.readouterr().out


def test_a_restarted_playground_is_prepared_again() -> None:
    """Compose restarts the init service with RisingWave."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    waits = compose["services"]["risingwave-init"]["depends_on"]
    assert waits["risingwave"] == {"condition": "service_healthy", "restart": True}


def test_an_open_door_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong password that is let in fails; for rwadmin, whom only itself can close, it warns."""
    cluster_init.check_doors(lambda user: False)
    assert capsys.readouterr().out == ""
    cluster_init.check_doors(lambda user: user == "rwadmin")
    assert "WARNING" in capsys.readouterr().out
    with pytest.raises(InitError, match="postgres"):
        cluster_init.check_doors(lambda user: user == "postgres")


def test_a_missing_password_ends_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and what to do, no traceback."""
    monkeypatch.delenv("RISINGWAVE_PASSWORD", raising=False)
    assert cluster_init.main([]) == 1
    assert "make env" in capsys.readouterr().out


def test_dbt_gets_the_path_of_its_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments are passed on; a failing dbt fails the init."""
    program = tmp_path / "dbt"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexit 3\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(InitError, match="exit code 3"):
        cluster_init.run_dbt(Path("/app/fraud_detection"), ["--select", "mv_x+"])
    assert (tmp_path / "said").read_text(encoding="utf-8") == (
        "run --target risingwave --select mv_x+ "
        "--project-dir /app/fraud_detection --profiles-dir /app/fraud_detection\n"
    )
