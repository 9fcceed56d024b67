"""The rules of detection, read from `vars` in the dbt project: the only place for parameters."""

import os
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from detector.core.errors import RulesError
from detector.core.events import STREAMS

DEFAULT_PATH = Path(__file__).resolve().parents[2] / "fraud_detection" / "dbt_project.yml"

Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Level = Literal["critical", "high", "medium", "low"]
Verdict = Literal["approve", "review", "decline"]
Operator = Literal["burst", "distinct_burst", "pair", "novelty"]
Scalar = bool | int | float | str

# What a reason may mention beside the fields of the firing event.
_FACTS: dict[str, set[str]] = {
    "burst": set(),
    "distinct_burst": set(),
    "pair": {"from_city", "to_city", "minutes"},
    "novelty": {"value"},
}
_NEEDS: dict[str, set[str]] = {
    "burst": set(),
    "distinct_burst": {"value"},
    "pair": {"measure"},
    "novelty": {"value", "measure", "registered_in"},
}
_NUMBERS = {"amount", "latitude", "longitude", "confidence"}
_PLACE = {"latitude", "longitude"}
PAIR_MEASURES = ("distance_km",)


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Block):
    """One test of one field; a field that is null passes only `is_null: true`."""

    field: str
    equals: Scalar | None = None
    in_: Annotated[list[Scalar] | None, Field(alias="in", min_length=1)] = None
    not_in: Annotated[list[Scalar] | None, Field(min_length=1)] = None
    at_least: float | None = None
    below: float | None = None
    is_null: bool | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> "Condition":
        if not self.model_dump(exclude={"field"}, exclude_none=True):
            raise ValueError("give one of equals, in, not_in, at_least, below, is_null")
        return self


class Pattern(_Block):
    """One fraud pattern: what to watch, when it fires and what a firing means."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    view: Annotated[str, Field(pattern=r"^mv_[a-z0-9_]+$")]
    rule_id: str
    source: Literal["transactions", "logins", "card_events", "alerts"]
    operator: Operator
    key: Annotated[list[str], Field(min_length=1)]
    level: Literal["account", "customer"]
    where: list[Condition]
    window_seconds: Annotated[int, Field(gt=0)]
    threshold: Annotated[float, Field(gt=0)]
    weight: Annotated[float, Field(gt=0, le=1)]
    severity: Severity
    alert_type: str
    reason: str
    action: str
    value: str | None = None
    measure: str | None = None
    registered_in: str | None = None

    @cached_property
    def window(self) -> timedelta:
        """The trailing window; both of its ends count."""
        return timedelta(seconds=self.window_seconds)

    @property
    def window_text(self) -> str:
        """The window as an analyst would say it."""
        for seconds, unit in ((3600, "hour"), (60, "minute")):
            if self.window_seconds % seconds == 0:
                count = self.window_seconds // seconds
                return f"{count} {unit}" + ("s" if count != 1 else "")
        return f"{self.window_seconds} seconds"

    @model_validator(mode="after")
    def _names_real_fields(self) -> "Pattern":
        fields = set(STREAMS[self.source].__struct_fields__)
        used = {*self.key, *(c.field for c in self.where), *([self.value] if self.value else [])}
        if self.operator == "pair" and self.measure:
            _known("measure", {self.measure}, set(PAIR_MEASURES))
            used |= _PLACE
        elif self.measure:
            used.add(self.measure)
        if self.level == "account":
            used.add("account_id")
        _known("fields", used, fields)
        present = {c.field for c in self.where if c.is_null is False}
        if self.operator == "pair" and (missing := sorted(_PLACE - present)):
            raise ValueError(f"distance_km needs `is_null: false` in where for {missing}")
        compared = {c.field for c in self.where if c.at_least is not None or c.below is not None}
        if self.measure and self.operator != "pair":
            compared.add(self.measure)
        _known("numbers", compared, _NUMBERS & fields)
        needs = _NEEDS[self.operator]
        given = {name for name in ("value", "measure", "registered_in") if getattr(self, name)}
        if given != needs:
            wants = ", ".join(sorted(needs)) or "none of value, measure, registered_in"
            raise ValueError(f"operator {self.operator} needs {wants}; given: {sorted(given)}")
        if self.registered_in:
            profile = set(STREAMS["kyc_profiles"].__struct_fields__)
            _known("registered_in", {self.registered_in}, profile)
            _known("key", set(self.key), profile)
        placeholders = {"observed", "threshold", "window"} | fields | _FACTS[self.operator]
        try:
            self.reason.format_map(dict.fromkeys(placeholders, ""))
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(
                f"reason mentions {error}; known are {', '.join(sorted(placeholders))}"
            ) from None
        return self


class Risk(_Block):
    """How signals add up to a score: Σ weight of the patterns in (t - window, t], at most 1."""

    window_seconds: Annotated[int, Field(gt=0)]
    levels: dict[Literal["critical", "high", "medium"], Annotated[float, Field(gt=0, le=1)]]
    decisions: dict[Level, Verdict]

    @model_validator(mode="after")
    def _levels_rise(self) -> "Risk":
        if set(self.levels) != {"critical", "high", "medium"}:
            raise ValueError("levels needs exactly critical, high and medium")
        if not self.levels["critical"] > self.levels["high"] > self.levels["medium"]:
            raise ValueError("levels must fall from critical over high to medium")
        if missing := {"critical", "high", "medium", "low"} - set(self.decisions):
            raise ValueError(f"decisions lacks {', '.join(sorted(missing))}")
        return self

    @property
    def window(self) -> timedelta:
        """How long a signal counts."""
        return timedelta(seconds=self.window_seconds)

    def level(self, score: float) -> Level:
        """Name the level of a score above 0."""
        if score >= self.levels["critical"]:
            return "critical"
        if score >= self.levels["high"]:
            return "high"
        return "medium" if score >= self.levels["medium"] else "low"


class Cases(_Block):
    """When signals become a case and how soon an analyst should decide it."""

    gap_seconds: Annotated[int, Field(gt=0)]
    opens_at: Literal["critical", "high", "medium"]
    due_seconds: dict[Level, Annotated[int, Field(gt=0)]]

    @property
    def gap(self) -> timedelta:
        """A silence longer than this starts another case."""
        return timedelta(seconds=self.gap_seconds)

    def due_after(self, level: Level) -> timedelta | None:
        """How soon after its opening a case of this level should be decided."""
        return timedelta(seconds=self.due_seconds[level]) if level in self.due_seconds else None


class Rules(_Block):
    """All rules of detection."""

    allowed_lateness_seconds: Annotated[int, Field(ge=0)]
    allowed_clock_skew_seconds: Annotated[int, Field(ge=0)]
    risk: Risk
    cases: Cases
    patterns: Annotated[dict[str, Pattern], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _name_the_patterns(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("patterns"), dict):
            named = {
                name: {**block, "id": name} if isinstance(block, dict) else block
                for name, block in data["patterns"].items()
            }
            return {**data, "patterns": named}
        return data

    @model_validator(mode="after")
    def _is_consistent(self) -> "Rules":
        for attribute in ("view", "rule_id", "alert_type"):
            seen: dict[str, str] = {}
            for pattern in self.patterns.values():
                value = getattr(pattern, attribute)
                if value in seen:
                    raise ValueError(
                        f"patterns {seen[value]} and {pattern.id} share {attribute} {value!r}"
                    )
                seen[value] = pattern.id
        missing = {"critical", "high", "medium"} - set(self.cases.due_seconds)
        order = ("critical", "high", "medium")
        needed = set(order[: order.index(self.cases.opens_at) + 1])
        if missing & needed:
            raise ValueError(f"cases.due_seconds lacks {', '.join(sorted(missing & needed))}")
        return self

    @property
    def lateness(self) -> timedelta:
        """How far behind the watermark an event may be and still be evaluated."""
        return timedelta(seconds=self.allowed_lateness_seconds)

    @property
    def clock_skew(self) -> timedelta:
        """How far ahead of the clock an event may be and still be evaluated."""
        return timedelta(seconds=self.allowed_clock_skew_seconds)

    @cached_property
    def case_score(self) -> float:
        """The score at which a case opens."""
        return self.risk.levels[self.cases.opens_at]


def load_rules(path: Path | None = None) -> Rules:
    """Read and check the rules: of a path, of PATTERNS_FILE, or of the repository's dbt project.

    Raises `RulesError` naming the key, what came and what is known.
    """
    path = path or Path(os.environ.get("PATTERNS_FILE") or DEFAULT_PATH)
    try:
        project = yaml.safe_load(path.read_text("utf-8"))
        block = project["vars"]
    except OSError as error:
        raise RulesError(f"The rules of detection cannot be read: {error}.") from error
    except (UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise RulesError(f"{path} is not a dbt project with a `vars` block: {error}") from error
    try:
        return Rules.model_validate(block)
    except ValidationError as error:
        raise RulesError(_explain(path, error)) from None


def _known(what: str, used: set[str], known: set[str]) -> None:
    if unknown := sorted(used - known):
        raise ValueError(f"{what} {unknown} not known; known are {', '.join(sorted(known))}")


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"{path.name} has a malformed rule:"]
    for detail in error.errors():
        key = ".".join(["vars", *map(str, detail["loc"])])
        came = detail["input"]
        shown = repr(came) if isinstance(came, Scalar | None) else type(came).__name__
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            message = "not a known key"
        lines.append(f"  {key}: {message} (came: {shown})")
    return "\n".join(lines)
