"""Brings foreign data in: a CSV or Parquet file and a mapping become event files."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import duckdb
import msgspec
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detector.adapters.bank_files import TRUTH_FILE
from detector.adapters.database import confine, literal
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.core.events import Record, contract_fields, decode
from detector.signals.predicate import BOOLEANS, DECIMALS, NUMBERS

CHUNK = 10_000
EXAMPLES = 3
_LISTS = {"account_ids", "registered_device_ids"}


class Mapping(BaseModel):
    """How the columns of a file become the fields of a stream's events.

    `fields` are SQL expressions over the file's columns, `constants` plain values. Times without a
    zone are of `timezone`. `labels` say which events are fraud, and of which kind.
    """

    model_config = ConfigDict(extra="forbid")

    stream: Literal["transactions", "logins", "card_events", "alerts", "kyc_profiles"]
    fields: dict[str, str] = Field(min_length=1)
    constants: dict[str, str | bool | int | float] = {}
    timezone: str = "UTC"
    labels: dict[Literal["is_fraud", "kind"], str] = {}

    @classmethod
    def read(cls, path: Path) -> "Mapping":
        """The mapping in a YAML file; raises `InputError` with what is wrong in it."""
        try:
            mapping = cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{path} cannot be read: {error}") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise InputError(f"{path} is not a mapping: {wrong}") from None
        known = contract_fields(mapping.stream)
        if unknown := sorted({*mapping.fields, *mapping.constants} - set(known)):
            raise InputError(
                f"{path}: {', '.join(unknown)} is no field of {mapping.stream}; there are "
                f"{', '.join(known)}."
            )
        return mapping


def import_file(
    source: Path, mapping: Mapping, out: Path, progress: Callable[[int], None] = lambda _: None
) -> JsonObject:
    """Write the events of a file into a folder, in order of time, and with labels the truth.

    What breaks the contract is left out and counted by reason, with examples by the number of the
    row. Raises `InputError` for a file or an expression that cannot be read, and for an event file
    that is there already.
    """
    out.mkdir(parents=True, exist_ok=True)
    events, truth = out / f"{mapping.stream}.jsonl", out / TRUTH_FILE
    if events.exists():
        raise InputError(f"{events} already exists. Name another folder.")
    left_out: Counter[str] = Counter()
    examples: dict[str, list[JsonObject]] = {}
    written = labelled = 0
    with duckdb.connect() as db, events.open("wb") as lines, truth.open("ab") as labels:
        rows = _rows(db, source, mapping)
        while chunk := rows.fetchmany(CHUNK):
            for number, payload, is_fraud, kind in chunk:
                raw = payload.encode()
                try:
                    event = decode(Record(mapping.stream, raw, source.name, number))
                except ValueError as error:
                    reason = str(error)
                    left_out[reason] += 1
                    if len(examples.setdefault(reason, [])) < EXAMPLES:
                        examples[reason].append({"row": number, "event": msgspec.json.decode(raw)})
                    continue
                lines.write(raw + b"\n")
                written += 1
                if is_fraud:
                    labelled += 1
                    labels.write(_label(event.event_id, kind) + b"\n")
            progress(len(chunk))
    if not truth.stat().st_size:
        truth.unlink()
    reasons = [
        {"reason": reason, "rows": count, "examples": examples[reason]}
        for reason, count in left_out.most_common()
    ]
    return {
        "events": written,
        "labelled": labelled,
        "left_out": left_out.total(),
        "reasons": reasons,
        "folder": str(out),
    }


def _rows(db: duckdb.DuckDBPyConnection, source: Path, mapping: Mapping) -> Any:
    """Number, JSON and label of every row, in order of time."""
    reader = "read_parquet" if source.suffix == ".parquet" else "read_csv"
    options = "" if source.suffix == ".parquet" else ", all_varchar = true"
    file = f"{reader}({literal(str(source.resolve()))}{options})"
    pairs = [(name, _typed(name, f"({text})")) for name, text in mapping.fields.items()]
    pairs += [(name, literal(str(value))) if isinstance(value, str) else (name, str(value).lower())
              for name, value in mapping.constants.items()]  # fmt: skip
    payload = ", ".join(f"{literal(name)}, {text}" for name, text in pairs)
    fraud = f"coalesce(try_cast(({mapping.labels.get('is_fraud', 'false')}) AS BOOLEAN), false)"
    kind = f"CAST(({mapping.labels.get('kind', 'NULL')}) AS VARCHAR)"
    at = _typed("occurred_at", f"({mapping.fields.get('occurred_at', 'NULL')})")
    try:
        db.execute(f"SET TimeZone = {literal(mapping.timezone)}")
        confine(db, source.resolve().parent)
        return db.execute(
            f"SELECT row_number() OVER () AS number, json_object({payload})::VARCHAR, {fraud}, "
            f"{kind} FROM {file} ORDER BY {at}, number"
        )
    except duckdb.Error as error:
        raise InputError(f"{source} cannot be read with this mapping: {error}") from error


def _typed(name: str, expression: str) -> str:
    """An expression as the type that the contract wants of a field; null where it cannot be."""
    if name == "occurred_at":
        instant = f"timezone('UTC', try_cast({expression} AS TIMESTAMPTZ))"
        return f"strftime({instant}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if name in DECIMALS:
        # What is no amount of cents keeps its own text, which the contract then refuses.
        cents = f"try_cast({expression} AS DECIMAL(18, 2))"
        exact = f"{cents} = try_cast({expression} AS DECIMAL(28, 8))"
        return f"CASE WHEN {exact} THEN {cents}::VARCHAR ELSE CAST({expression} AS VARCHAR) END"
    if name in NUMBERS or name.startswith("home_"):
        return f"try_cast({expression} AS DOUBLE)"
    if name in BOOLEANS:
        return f"try_cast({expression} AS BOOLEAN)"
    return expression if name in _LISTS else f"CAST({expression} AS VARCHAR)"


def _label(event_id: str, kind: str | None) -> bytes:
    label = {"event_id": event_id, "is_fraud": True}
    return msgspec.json.encode({**label, "kind": kind} if kind is not None else label)
