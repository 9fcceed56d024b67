"""The rules of detection: what `vars` of the dbt project says, the only place for parameters."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from detector.signals.currencies import Currencies
from detector.signals.lists import NamedList, mentioned
from detector.signals.operators import OPERATORS
from detector.signals.pattern import PARAMETERS, Block, Pattern
from detector.signals.predicate import Predicate

Level = Literal["critical", "high", "medium", "low"]
Verdict = Literal["approve", "review", "decline"]
LEVELS: tuple[Level, ...] = ("critical", "high", "medium", "low")


class Risk(Block):
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
        """The level of a score above 0."""
        if score >= self.levels["critical"]:
            return "critical"
        if score >= self.levels["high"]:
            return "high"
        return "medium" if score >= self.levels["medium"] else "low"


class Cases(Block):
    """When signals become a case, and when it is due."""

    gap_seconds: Annotated[int, Field(gt=0)]
    opens_at: Literal["critical", "high", "medium"]
    opens_at_loss: Annotated[float, Field(gt=0)]
    due_seconds: dict[Level, Annotated[int, Field(gt=0)]]

    @model_validator(mode="after")
    def _is_due_at_every_level(self) -> "Cases":
        if missing := [level for level in LEVELS if level not in self.due_seconds]:
            raise ValueError(f"due_seconds lacks {', '.join(missing)}")
        return self

    @cached_property
    def gap(self) -> timedelta:
        """A longer period without signals ends a session."""
        return timedelta(seconds=self.gap_seconds)

    @cached_property
    def opens_at_micros(self) -> int:
        """The expected loss at which a case opens, in cents times a million squared.

        It is the exposure times the square of the score, as in the queue before any decision. A
        whole number, so that every engine compares the same.
        """
        return round(self.opens_at_loss * 100) * 10**12

    def due_after(self, level: Level) -> timedelta:
        """The time from opening to due date for a case of this level."""
        return timedelta(seconds=self.due_seconds[level])


class BrakeRule(Block):
    """When a pattern is put in shadow by itself: it fired on more than `share` of the customers
    who were active within the window, and on at least so many.

    Or on more than `surge_share` within `surge_seconds`, so that a rule that fires on everyone is
    stopped before the window has seen it for long.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.25
    at_least: Annotated[int, Field(gt=0)] = 50
    window_seconds: Annotated[int, Field(gt=0)] = 300
    surge_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    surge_seconds: Annotated[int, Field(gt=0)] = 30


def _checked(pattern: Pattern) -> Pattern:
    operator = OPERATORS.get(pattern.operator)
    if operator is None:
        raise ValueError(
            f"operator {pattern.operator!r} not known; known are {', '.join(OPERATORS)}"
        )
    given = {name for name in PARAMETERS if getattr(pattern, name) is not None}
    if not operator.parameters <= given <= operator.parameters | operator.optional:
        wants = ", ".join(sorted(operator.parameters)) or f"none of {', '.join(PARAMETERS)}"
        raise ValueError(f"operator {pattern.operator} needs {wants}; given: {sorted(given)}")
    operator.check(pattern)
    known = {"observed", "threshold", "window"} | pattern.fields | operator.facts
    try:
        pattern.reason.format_map(dict.fromkeys(known, ""))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"reason mentions {error}; known are {', '.join(sorted(known))}") from None
    return pattern


_CheckedPattern = Annotated[Pattern, AfterValidator(_checked)]


ListName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_LISTS = TypeAdapter(dict[ListName, NamedList])


class Rules(Block):
    """All rules of detection; while they are in use only `Pipeline.adopt` replaces a pattern."""

    allowed_lateness_seconds: Annotated[int, Field(ge=0)]
    allowed_clock_skew_seconds: Annotated[int, Field(ge=0)]
    amounts: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    lists: dict[ListName, NamedList] = Field(default_factory=dict)
    currencies: Currencies
    risk: Risk
    cases: Cases
    brake: BrakeRule = BrakeRule()
    patterns: Annotated[dict[str, _CheckedPattern], Field(min_length=1)]
    challengers: Annotated[dict[str, Pattern], Field(default_factory=dict, exclude=True)]
    """Versions that run in shadow beside the pattern in force, by `challenger_id`."""

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

    @model_validator(mode="before")
    @classmethod
    def _resolve_amounts(cls, data: Any) -> Any:
        """Turn multiples of a named amount into amounts, as the dbt macro `conditions` does."""
        if not isinstance(data, dict) or not isinstance(data.get("patterns"), dict):
            return data
        amounts = data.get("amounts", {})
        resolved = {
            name: {**block, "where": [_in_amounts(test, amounts) for test in block["where"]]}
            if isinstance(block, dict) and isinstance(block.get("where"), list)
            else block
            for name, block in data["patterns"].items()
        }
        return {**data, "patterns": resolved}

    @model_validator(mode="before")
    @classmethod
    def _give_conditions_their_lists(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("patterns"), dict):
            return data
        lists = _LISTS.validate_python(data.get("lists", {}))
        told = {
            name: {**block, "where": _with_lists(block["where"], lists)}
            if isinstance(block, dict) and isinstance(block.get("where"), list | str)
            else block
            for name, block in data["patterns"].items()
        }
        return {**data, "lists": lists, "patterns": told}

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
        return self

    @model_validator(mode="after")
    def _asks_about_lists_that_there_are(self) -> "Rules":
        for pattern in self.patterns.values():
            for test in pattern.where:
                asked = test.asked if isinstance(test, Predicate) else {}
                for name, columns in asked.items():
                    if name not in self.lists:
                        raise ValueError(
                            f"patterns.{pattern.id}.where asks about list {name!r}; vars.lists has "
                            f"{', '.join(self.lists) or 'none'}"
                        )
                    if wrong := sorted(columns - set(self.lists[name].of)):
                        raise ValueError(
                            f"patterns.{pattern.id}.where looks for {', '.join(wrong)} in list "
                            f"{name!r}, which is of {', '.join(self.lists[name].of)}"
                        )
        return self

    @property
    def running(self) -> dict[str, Pattern]:
        """Every pattern that the engine evaluates, by id."""
        return {**self.patterns, **self.challengers}

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
        """The weight of distinct patterns at which a case opens."""
        return self.risk.levels[self.cases.opens_at]


def _in_amounts(test: Any, amounts: Any) -> Any:
    if not isinstance(test, dict) or test.get("of") is None:
        return test
    if test["of"] not in amounts:
        raise ValueError(f"`of` names {test['of']!r}; vars.amounts has {', '.join(amounts)}")
    return {
        name: round(value * amounts[test["of"]], 2) if name in ("at_least", "below") else value
        for name, value in test.items()
    }


def _with_lists(where: Any, lists: Mapping[str, NamedList]) -> list[Any]:
    """The tests of a pattern, those in SQL with the lists that they ask about."""
    tests = []
    for test in [{"sql": where}] if isinstance(where, str) else where:
        if isinstance(test, dict) and isinstance(text := test.get("sql"), str):
            asked = sorted(mentioned(text) & lists.keys())
            test = {**test, "lists": {name: lists[name] for name in asked}}
        tests.append(test)
    return tests
