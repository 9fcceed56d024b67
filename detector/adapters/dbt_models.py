"""The dbt models on DuckDB: the same detection as batch SQL, over a folder of event files.

dbt compiles the models once per change of the project; the compiled SQL runs here in order of its
dependencies, so neither a server nor a second dbt run is needed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from detector.adapters.database import literal
from detector.adapters.sources.files import SUFFIXES, find_files, parquet_query
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.core.events import STREAMS, contract_fields
from detector.signals.rules import DEFAULT_PATH

PROJECT = DEFAULT_PATH.parent
DATABASE = "fraud"
KEPT = 4
"""Number of compiled projects kept, so that processes with other settings can share them."""

_REVIEWS = """CREATE TABLE IF NOT EXISTS case_reviews (case_id VARCHAR, customer_id VARCHAR,
  status VARCHAR, owner VARCHAR, closed_until TIMESTAMPTZ)"""


@dataclass(frozen=True)
class Model:
    """One compiled model: its name, its query and the models that it reads."""

    name: str
    sql: str
    reads: frozenset[str]


@dataclass(frozen=True)
class DataTest:
    """One compiled data test: a query whose rows are failures."""

    name: str
    sql: str


@dataclass(frozen=True)
class CompiledProject:
    """The models, each after those it reads, and the data tests."""

    models: list[Model]
    tests: list[DataTest]

    def needed_for(self, names: Collection[str]) -> list[Model]:
        """These models and everything they read, in order."""
        wanted = set(names)
        for model in reversed(self.models):
            if model.name in wanted:
                wanted |= model.reads
        return [model for model in self.models if model.name in wanted]


def compiled(
    amounts: Mapping[str, float] | None = None, project: Path = PROJECT
) -> CompiledProject:
    """The project compiled for DuckDB; dbt runs only if the project has changed.

    `amounts` are the named amounts in force (`Rules.amounts`), where they may differ from the
    project's. Raises `InputError` when dbt is missing or rejects the project.
    """
    environment = {name.upper(): f"{value:g}" for name, value in (amounts or {}).items()}
    target = _targets(project) / f"reference-{_digest(project, environment)}"
    manifest = target / "manifest.json"
    if not manifest.exists():
        _compile(project, target, environment)
        by_age = sorted(target.parent.glob("reference-*"), key=lambda path: path.stat().st_mtime)
        for old in by_age[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    return _read(manifest)


def load(
    db: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[Path]],
    set_aside: str = "SELECT NULL::VARCHAR AS stream, NULL::VARCHAR AS event_id WHERE false",
) -> None:
    """Fill the raw tables with the records of each stream's files.

    Skips records that are not JSON objects, and the events (`stream`, `event_id`) that the query
    `set_aside` returns.
    A stream without files has an empty table; so have the reviews, unless someone filled them.
    """
    db.execute(f"CREATE OR REPLACE TEMP TABLE set_aside AS {set_aside}")
    db.execute(_REVIEWS)
    for stream in STREAMS:
        columns = ", ".join(f"{field} JSON" for field in contract_fields(stream))
        db.execute(f"CREATE OR REPLACE TABLE src_{stream} ({columns})")
        for path in files.get(stream, ()):
            try:
                db.execute(
                    f"INSERT INTO src_{stream} FROM ({_records(db, path, stream)}) "
                    "WHERE event_id ->> '$' IS NOT NULL AND (event_id ->> '$') NOT IN "
                    f"(SELECT event_id FROM set_aside WHERE stream = '{stream}')"
                )
            except duckdb.Error as error:
                raise InputError(f"{path} cannot be read: {error}") from error


def event_files(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The files of each stream among folders and files.

    A file's name starts with its stream: `transactions.jsonl`, `logins-2026-01.parquet`, …. Raises
    `InputError` for a missing file or an unknown stream.
    """
    found: dict[str, list[Path]] = {stream: [] for stream in STREAMS}
    for path in paths:
        if path.is_dir():
            for stream, files in _folder_files(path).items():
                found[stream] += files
            continue
        stream = _stream_of(path)
        if stream not in STREAMS or not path.name.endswith(SUFFIXES):
            raise InputError(
                f"{path.name} does not name a stream; expected names such as "
                f"transactions-2026-01.parquet, of {', '.join(STREAMS)}; as {', '.join(SUFFIXES)}."
            )
        if not path.is_file():
            raise InputError(f"{path} is not a file.")
        found[stream].append(path)
    return found


def _folder_files(folder: Path) -> dict[str, list[Path]]:
    """The files of a folder: one for each stream, or those of an archive by day."""
    by_day = [p for p in sorted(folder.glob("*-*.parquet")) if _stream_of(p) in STREAMS]
    if not by_day:
        return {stream: [file] for stream, file in find_files(folder)[0].items()}
    found: dict[str, list[Path]] = {}
    for path in [*by_day, *folder.glob("kyc_profiles.parquet")]:
        found.setdefault(_stream_of(path), []).append(path)
    return found


def _stream_of(path: Path) -> str:
    return re.split(r"[^a-z_]", path.name, maxsplit=1)[0]


def run(db: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> None:
    """Build the models as tables over the raw tables that `load` filled."""
    for model in models:
        db.execute(f"CREATE OR REPLACE TABLE {model.name} AS {model.sql}")


def open_database(path: Path | None = None, memory_limit: str | None = None) -> Any:
    """A DuckDB connection with the database name that compiled models use, on disk or in memory."""
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    if memory_limit:
        db.execute("SET memory_limit = ?", [memory_limit])
    where = ":memory:" if path is None else str(path)
    if path is not None:
        db.execute("SET temp_directory = ?", [f"{path}.tmp"])
    db.execute(f"ATTACH {literal(where)} AS {DATABASE}")
    db.execute(f"USE {DATABASE}")
    return db


def _records(db: duckdb.DuckDBPyConnection, path: Path, stream: str) -> str:
    """A query for the records of a file, each field as JSON."""
    fields = contract_fields(stream)
    if path.suffix == ".parquet":
        kinds = json.dumps(dict.fromkeys(fields, "JSON"))
        query = parquet_query(db, path, stream)
        return f"SELECT unnest(json_transform(payload, '{kinds}')) FROM ({query})"
    columns = ", ".join(f"{field}: 'JSON'" for field in fields)
    return (
        f"FROM read_json({literal(str(path))}, format = 'newline_delimited', "
        f"columns = {{{columns}}}, ignore_errors = true)"
    )


def _targets(project: Path) -> Path:
    """Where compiled models are kept: dbt's target folder in a checkout, else the user's cache."""
    if (project.parent / "pyproject.toml").exists():
        return project / "target"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "fraud-detection-streaming"


def _digest(project: Path, environment: Mapping[str, str]) -> str:
    """A hash of everything that the compiled models depend on."""
    digest = hashlib.blake2b(repr(sorted(environment.items())).encode(), digest_size=8)
    files = [project / "dbt_project.yml", project / "profiles.yml"]
    for folder in ("macros", "models", "tests"):
        files += sorted(p for p in (project / folder).rglob("*") if p.is_file())
    for path in files:
        digest.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _compile(project: Path, target: Path, environment: Mapping[str, str]) -> None:
    if find_spec("dbt") is None:
        raise InputError(
            "The dbt models need dbt, which is not installed. Install the extra `dbt`: "
            "pip install -e '.[dbt]' in a checkout, or 'fraud-detection-streaming[dbt]'."
        )
    scratch = target.with_name(target.name + ".partial")
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "compile", "--no-populate-cache"]
    command += ["--target", "duckdb", "--project-dir", str(project), "--profiles-dir", str(project)]
    command += ["--target-path", str(scratch), "--log-path", str(scratch), "--no-partial-parse"]
    command += ["--no-send-anonymous-usage-stats"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        shutil.rmtree(scratch, ignore_errors=True)
        raise InputError(f"dbt does not compile {project}:\n{done.stdout}{done.stderr}")
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)


def _read(manifest: Path) -> CompiledProject:
    nodes: JsonObject = json.loads(manifest.read_text("utf-8"))["nodes"]
    models = {key: n for key, n in nodes.items() if n["resource_type"] == "model"}
    order: list[str] = []
    pending = set(models)
    while pending:
        ready = sorted(
            key for key in pending if not pending & set(models[key]["depends_on"]["nodes"])
        )
        order += ready
        pending -= set(ready)
    return CompiledProject(
        models=[
            Model(
                name=models[key]["name"],
                sql=models[key]["compiled_code"],
                reads=frozenset(
                    models[parent]["name"]
                    for parent in models[key]["depends_on"]["nodes"]
                    if parent in models
                ),
            )
            for key in order
        ],
        tests=[
            DataTest(name=n["name"], sql=n["compiled_code"])
            for _, n in sorted(nodes.items())
            if n["resource_type"] == "test" and n["config"]["enabled"]
        ],
    )
