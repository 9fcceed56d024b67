"""risingwave-init: prepare a running Redpanda and RisingWave for the fraud pipeline.

Safe to repeat: topics are compared, passwords set again, dbt leaves existing models alone, grants
repeated. Arguments are passed to `dbt run`, for example `--select mv_cnp_spike+ --full-refresh`.
Exit code 0 only when all twenty views exist.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg2
import yaml
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

HOUR = 3_600_000
DAY = 24 * HOUR
# RisingWave creates these superusers, without passwords.
SUPERUSERS = ("root", "postgres", "rwadmin")
SINKS = ("sink_fraud_signals_kafka", "sink_fraud_signal_log")
READER = "fraud_reader"
CONSOLE = "fraud_console"
OTHER_VIEWS = (
    "stg_transactions", "stg_logins", "stg_card_events", "stg_alerts", "stg_kyc_profiles",
    "mv_fraud_signals", "mv_account_risk_score_realtime", "mv_fraud_kpis_1min",
    "mv_merchant_risk", "mv_channel_risk", "mv_open_fraud_cases",
)  # fmt: skip


# In seconds: what RisingWave has by default, for building models, and for everyone afterwards.
BUILD_LIMIT, STATEMENT_LIMIT = 3600, 60


class InitError(Exception):
    """The cluster cannot be prepared; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's required settings; retention in milliseconds, -1 for unlimited."""

    name: str
    partitions: int
    retention_ms: int
    retention_bytes: int = 1 << 30
    segment_ms: int = HOUR

    @property
    def configs(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(self.retention_bytes),
            "segment.ms": str(self.segment_ms),
        }


# Retention bounds how far back a rebuilt model can read. Profiles are kept: they are state, and
# small.
TOPICS = (
    Topic("banking.transactions", 6, 7 * DAY),
    Topic("banking.logins", 3, 7 * DAY),
    Topic("banking.card_events", 3, 7 * DAY),
    Topic("banking.alerts", 3, 7 * DAY),
    Topic("banking.kyc_profiles", 3, -1, retention_bytes=-1, segment_ms=DAY),
    Topic("banking.dlq", 1, 30 * DAY),
    Topic("fraud.signals", 3, 30 * DAY),
)


class Cursor(Protocol):
    """The part of a database cursor that is used here."""

    def execute(self, query: str) -> Any: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...


def main(arguments: Sequence[str]) -> int:
    """Prepare the cluster; log each step, and end with one sentence when one fails."""
    environment = os.environ
    try:
        admin_password = _needed(environment, "RISINGWAVE_PASSWORD")
        passwords = {
            READER: _needed(environment, "READER_PASSWORD"),
            CONSOLE: _needed(environment, "CONSOLE_PASSWORD"),
        }
        schema = environment.get("RISINGWAVE_SCHEMA", "public")
        database = environment.get("RISINGWAVE_DATABASE", "dev")

        with closing(_wait_for_sql(admin_password)) as connection, connection.cursor() as cursor:
            for user in ("root", "postgres"):
                cursor.execute(password_statement(user, admin_password))
            limit_statements(cursor, BUILD_LIMIT)
            say(f"passwords set; barriers: {', '.join(barrier_statements(environment))}")
            for statement in barrier_statements(environment):
                cursor.execute(statement)
            for user, password in passwords.items():
                ensure_user(cursor, user, password)
        _close_rwadmin(admin_password)

        client = _wait_for_kafka(_needed(environment, "RISINGWAVE_KAFKA_BROKERS"))
        try:
            for line in ensure_topics(client, TOPICS):
                say(line)
        finally:
            client.close()

        project = Path(__file__).with_name("fraud_detection")
        if "--full-refresh" in arguments:
            refresh(project, arguments, admin_password, schema)
        run_dbt(project, [a for a in arguments if a != "--full-refresh"])

        with closing(_connect("root", admin_password)) as connection, connection.cursor() as cursor:
            for user in passwords:
                for statement in grant_statements(user, database, schema):
                    cursor.execute(statement)
            # The console also writes analysts' reviews.
            cursor.execute(f"GRANT INSERT, UPDATE ON TABLE {schema}.case_reviews TO {CONSOLE}")
            cursor.execute("SELECT name FROM rw_catalog.rw_materialized_views")
            standing = {row[0] for row in cursor.fetchall()}
            limit_statements(cursor, STATEMENT_LIMIT)
        if missing := [view for view in expected_views(project) if view not in standing]:
            raise InitError(f"dbt ran, but these views are missing: {', '.join(missing)}")
        check_doors(_accepts_any_password)
    except (InitError, psycopg2.Error, KafkaError) as error:
        say(f"FAILED: {str(error).strip()}")
        return 1
    say("done: 20 views stand, fraud_reader and fraud_console may read them")
    return 0


def say(text: str) -> None:
    """Print a log line."""
    print(f"risingwave-init: {text}", flush=True)


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def password_statement(user: str, password: str) -> str:
    """Return the statement that gives a user its password."""
    return f"ALTER USER {user} WITH PASSWORD {quoted(password)}"


def barrier_statements(environment: Mapping[str, str]) -> list[str]:
    """Return the statements for freshness; runbook: "How fresh, at what cost"."""
    interval = _whole(environment, "BARRIER_INTERVAL_MS", 1000, at_least=50)
    frequency = _whole(environment, "CHECKPOINT_FREQUENCY", 1, at_least=1)
    return [
        f"ALTER SYSTEM SET barrier_interval_ms = {interval}",
        f"ALTER SYSTEM SET checkpoint_frequency = {frequency}",
    ]


def limit_statements(cursor: Cursor, seconds: int) -> None:
    """End statements of new sessions after so long; a viewer of Grafana may send any SELECT."""
    try:
        cursor.execute(f"ALTER SYSTEM SET statement_timeout = {seconds}")
    except psycopg2.Error as error:
        say(f"WARNING: statements stay without a limit of {seconds} s: {str(error).strip()}")


def ensure_user(cursor: Cursor, user: str, password: str) -> None:
    """Create a user that may only sign in, or renew its password."""
    cursor.execute("SELECT usename FROM pg_catalog.pg_user")
    if user in {row[0] for row in cursor.fetchall()}:
        cursor.execute(password_statement(user, password))
    else:
        cursor.execute(
            f"CREATE USER {user} WITH NOSUPERUSER NOCREATEDB NOCREATEUSER LOGIN "
            f"PASSWORD {quoted(password)}"
        )


def grant_statements(user: str, database: str, schema: str) -> list[str]:
    """Return the grants of a reader; a recreated view has lost its own, so they are repeated."""
    kinds = ("TABLES", "MATERIALIZED VIEWS", "VIEWS")
    return [
        f"GRANT CONNECT ON DATABASE {database} TO {user}",
        f"GRANT USAGE ON SCHEMA {schema} TO {user}",
        *(f"GRANT SELECT ON ALL {kind} IN SCHEMA {schema} TO {user}" for kind in kinds),
    ]


def expected_views(project: Path) -> list[str]:
    """Return the names of the twenty views; those of the signals are in the dbt project."""
    text = (project / "dbt_project.yml").read_text(encoding="utf-8")
    patterns = yaml.safe_load(text)["vars"]["patterns"]
    return [*OTHER_VIEWS, *(pattern["view"] for pattern in patterns.values())]


def ensure_topics(client: Any, topics: Iterable[Topic]) -> list[str]:
    """Create the topics that are missing and bring the settings of the others in line.

    The number of partitions of an existing topic is left alone, because it decides where a key
    goes; a difference is reported.
    """
    lines = []
    for topic in topics:
        fresh = {
            "num_partitions": topic.partitions,
            "replication_factor": 1,
            "configs": topic.configs,
        }
        try:
            client.create_topics({topic.name: fresh}, wait_for_metadata=True)
            lines.append(f"topic {topic.name} created with {topic.partitions} partitions")
            continue
        except TopicAlreadyExistsError:
            pass
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, topic.configs)
        answer = client.alter_configs([resource], raise_on_unknown=False)["topic"][topic.name]
        if answer != "OK":
            raise InitError(f"topic {topic.name} cannot be given its settings: {answer}")
        found = len(client.describe_topics([topic.name])[0]["partitions"])
        note = "" if found == topic.partitions else f"; {topic.partitions} are set here"
        lines.append(f"topic {topic.name} stands with {found} partitions{note}")
    return lines


def run_dbt(project: Path, arguments: Sequence[str]) -> None:
    """Run the models; what exists already is left alone unless asked by the arguments."""
    command = ["dbt", "run", "--target", "risingwave", *arguments]
    say(" ".join(command))
    where = ["--project-dir", str(project), "--profiles-dir", str(project)]
    code = subprocess.run([*command, *where], check=False).returncode
    if code:
        raise InitError(f"dbt ended with exit code {code}; its log above names the model.")


def refresh(project: Path, arguments: Sequence[str], password: str, schema: str) -> None:
    """Build models anew. Safe to repeat: what is missing afterwards, the next run creates.

    RisingWave refuses to drop a model that a sink into a table hangs on, so the sinks are dropped
    first; the log keeps its rows, and `dbt run` creates the sinks again.
    """
    with closing(_connect("root", password)) as connection, connection.cursor() as cursor:
        before = _logged(cursor, schema)
        for sink in SINKS:
            cursor.execute(f"DROP SINK IF EXISTS {schema}.{sink}")
    say(f"sinks dropped; the log holds {before} signals")
    run_dbt(project, arguments)
    run_dbt(project, [])
    with closing(_connect("root", password)) as connection, connection.cursor() as cursor:
        after = _logged(cursor, schema)
    if after < before:
        raise InitError(f"the log held {before} signals and holds {after} after the refresh.")
    say(f"refreshed; the log holds {after} signals")


def _logged(cursor: Cursor, schema: str) -> int:
    """The signals in the log; 0 before it exists."""
    cursor.execute("SELECT name FROM rw_catalog.rw_tables WHERE name = 'fraud_signal_log'")
    if not cursor.fetchall():
        return 0
    cursor.execute(f"SELECT count(*) FROM {schema}.fraud_signal_log")
    return int(cursor.fetchall()[0][0])


def check_doors(accepts_any_password: Any) -> None:
    """Fail when a user gets in with a wrong password; warn about the one that is not ours."""
    open_doors = [user for user in (*SUPERUSERS, READER, CONSOLE) if accepts_any_password(user)]
    if "rwadmin" in open_doors:
        say(
            "WARNING: user rwadmin has no password. SQL is bound to 127.0.0.1; keep it so, and "
            "read `Passwords` in docs/runbook.md."
        )
    if ours := [user for user in open_doors if user != "rwadmin"]:
        raise InitError(f"a wrong password lets in: {', '.join(ours)}")


def _connect(user: str, password: str) -> Any:
    connection = psycopg2.connect(
        host=os.environ.get("RISINGWAVE_HOST", "risingwave"),
        port=int(os.environ.get("RISINGWAVE_PORT", "4566")),
        dbname=os.environ.get("RISINGWAVE_DATABASE", "dev"),
        user=user,
        password=password,
        connect_timeout=5,
        sslmode="disable",
    )
    connection.autocommit = True
    return connection


def _wait_for_sql(password: str, limit_s: float = 180) -> Any:
    """Return a connection once RisingWave answers; a port may be open long before that.

    A user without a password is let in with any, so this works before and after the first start.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            connection = _connect("root", password)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            say("RisingWave answers")
            return connection
        except psycopg2.OperationalError as error:
            if "assword" in str(error):
                raise InitError(
                    "RisingWave refuses RISINGWAVE_PASSWORD for root. Its volume was made with "
                    "another one: put that back into .env, or read `Passwords` in docs/runbook.md."
                ) from error
            if time.monotonic() > deadline:
                raise InitError(f"RisingWave did not answer in {limit_s:.0f} s: {error}") from error
        time.sleep(1)


def _wait_for_kafka(brokers: str, limit_s: float = 60) -> Any:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return KafkaAdminClient(
                bootstrap_servers=brokers.split(","), bootstrap_timeout_ms=5_000
            )
        except KafkaError as error:
            if time.monotonic() > deadline:
                raise InitError(f"Redpanda at {brokers} did not answer: {error}") from error
        time.sleep(1)


def _close_rwadmin(password: str) -> None:
    """Give rwadmin its password, which only rwadmin itself may do."""
    try:
        with closing(_connect("rwadmin", password)) as connection, connection.cursor() as cursor:
            cursor.execute(password_statement("rwadmin", password))
    except psycopg2.Error as error:
        say(f"rwadmin keeps the password it has: {str(error).strip()}")


def _accepts_any_password(user: str) -> bool:
    try:
        _connect(user, "this-is-not-the-password").close()
    except psycopg2.Error:
        return False
    return True


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise InitError(f"{name} is not set. `make env` writes it into .env.")
    return value


def _whole(environment: Mapping[str, str], name: str, default: int, at_least: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdigit() or int(text) < at_least:
        raise InitError(f"{name} is {text!r}; allowed is a whole number from {at_least}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
