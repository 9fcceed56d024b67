"""The models, once a session, and a database to run them in."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.rendering import PROJECT, Model, RenderedProject, rendered
from detector.analysis.parity import MODELS, ParityReport, compare
from detector.core.events import STREAMS, Event
from detector.signals.rules import Rules
from tests import build
from tests.dbt.eighth import NAME, project_with_it
from tests.dbt.projects import dbt


@pytest.fixture(scope="session")
def project() -> RenderedProject:
    """The models for DuckDB."""
    return rendered(build.REAL)


@pytest.fixture(scope="session")
def with_an_eighth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more pattern, unless it has been added already."""
    if NAME in build.REAL.patterns:
        return PROJECT
    return project_with_it(tmp_path_factory.mktemp("project") / "fraud_detection")


@pytest.fixture(scope="session")
def compiled(with_an_eighth: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dbt itself compiles for DuckDB, with that pattern: dbt takes long to start."""
    out = tmp_path_factory.mktemp("compiled")
    dbt("compile --no-populate-cache", "duckdb", out, project=with_an_eighth)
    return out


class Bench:
    """Runs logs through the embedded detector and the models, side by side in one database."""

    def __init__(self, project: RenderedProject, scratch: Path) -> None:
        self.db = open_database()
        self.db.execute("SET threads = 1")  # what two threads would share is too little
        self.models = project.needed_for(MODELS)
        self._folder = scratch
        self.db.execute("CREATE SCHEMA embedded")
        schema = Path(build.__file__).parents[1] / "detector" / "adapters" / "duckdb" / "schema.sql"
        self.db.execute("USE fraud.embedded")
        self.db.execute(schema.read_text("utf-8"))
        for stream, kind in STREAMS.items():
            columns = ", ".join(kind.__struct_fields__)
            self.db.execute(
                f"CREATE VIEW stg_{stream} AS SELECT {columns} FROM fraud.embedded.{stream} "
                "WHERE ingest_status = 'evaluated'"
            )
        self.db.execute("USE fraud.main")

    def compare(
        self, batches: Iterable[Iterable[Event]], models: Iterable[Model] | None = None
    ) -> ParityReport:
        """Feed the batches to both; `models` may stand in for the project's."""
        batches = [list(batch) for batch in batches]
        self._embed(build.detect(batches))
        self.run_models([event for batch in batches for event in batch], models)
        return compare(self.db)

    def run_models(self, arrived: Iterable[Event], models: Iterable[Model] | None = None) -> None:
        """Run the models alone over events in their order of arrival."""
        write_log(self._folder, arrived)
        load(self.db, event_files([self._folder]))
        run(self.db, self.models if models is None else models)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query over what the models built."""
        found: list[tuple[Any, ...]] = self.db.execute(query).fetchall()
        return found

    def _embed(self, ledger: build.Ledger) -> None:
        evaluated: dict[str, list[Any]] = {stream: [] for stream in STREAMS}
        for event, ingest_status in ledger.events.values():
            row = msgspec.structs.asdict(event)
            row |= {"ingest_status": ingest_status, "received_at": build.NOW}
            evaluated[build.stream_of(event)].append(row)
        for stream, rows in evaluated.items():
            self._fill(stream, rows)
        self._fill("fraud_signals", map(msgspec.structs.asdict, ledger.signals.values()))
        links = [
            {"account_id": a, "signal_id": s, "occurred_at": ledger.signals[s].occurred_at}
            for a, s in ledger.attributed
        ]
        self._fill("account_signals", links)
        points = [
            {**msgspec.structs.asdict(point), "patterns": ", ".join(point.patterns)}
            for point in ledger.risk.values()
        ]
        self._fill("risk_history", points)
        lists = ("account_ids", "patterns", "actions")
        self._fill(
            "cases",
            [
                {**row, **{name: ", ".join(row[name]) for name in lists}}
                for row in map(msgspec.structs.asdict, ledger.cases.values())
            ],
        )

    def _fill(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        name = f"fraud.embedded.{table}"
        self.db.execute(f"TRUNCATE {name}")
        if rows := list(rows):
            file = self._folder / "rows.json"
            file.write_bytes(msgspec.json.Encoder().encode_lines(rows))
            kinds = dict(
                self.db.execute(
                    "SELECT column_name, data_type FROM duckdb_columns() "
                    "WHERE schema_name = 'embedded' AND table_name = ?",
                    [table],
                ).fetchall()
            )
            columns = ", ".join(f"{column}: '{kinds[column]}'" for column in rows[0])
            self.db.execute(
                f"INSERT INTO {name} BY NAME SELECT * FROM read_json('{file}', "
                f"format = 'newline_delimited', columns = {{{columns}}})"
            )


def write_log(folder: Path, arrived: Iterable[Event]) -> None:
    """Write events to files by stream, in their order of arrival; no file for no events."""
    by_stream: dict[str, list[bytes]] = {stream: [] for stream in STREAMS}
    for event in arrived:
        by_stream[build.stream_of(event)].append(build.raw(event) + b"\n")
    for stream, lines in by_stream.items():
        path = folder / f"{stream}.jsonl"
        path.unlink(missing_ok=True)
        if lines:
            path.write_bytes(b"".join(lines))


@pytest.fixture(scope="session")
def bench(project: RenderedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench with nothing on it."""
    bench = Bench(project, tmp_path_factory.mktemp("bench"))
    yield bench
    bench.db.close()


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in which models can run."""
    with open_database() as db:
        yield db


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The rules as they stand in the project."""
    return build.REAL
