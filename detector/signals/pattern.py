"""A fraud pattern as its block in the dbt project defines it."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from detector.core.events import STREAMS
from detector.signals.predicate import Predicate

Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Scope = Literal["account", "customer"]
Scalar = bool | int | float | str
PARAMETERS = ("value", "measure", "registered_in", "established", "least", "history", "prior")
"""The fields of a block that only some operators use."""

_APART = {"threshold", "least", "reason", "title", "severity", "mode", "guidance", "examples"}
"""Fields on which neither the state of a key nor a score depends."""

_NUMBERS = {"amount", "base_amount", "latitude", "longitude", "confidence"}


class Block(BaseModel):
    """A part of the rules; unknown keys are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Block):
    """One test of one field; a field that is null passes only `is_null: true`.

    With `of`, `at_least` and `below` are multiples of that amount in `vars.amounts`.
    """

    field: str
    equals: Scalar | None = None
    in_: Annotated[list[Scalar] | None, Field(alias="in", min_length=1)] = None
    not_in: Annotated[list[Scalar] | None, Field(min_length=1)] = None
    at_least: float | None = None
    below: float | None = None
    of: str | None = None
    is_null: bool | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> "Condition":
        if not self.model_dump(exclude={"field", "of"}, exclude_none=True):
            raise ValueError("give one of equals, in, not_in, at_least, below, is_null")
        if self.of is not None and not self.compares:
            raise ValueError("`of` needs at_least or below")
        return self

    @property
    def fields(self) -> set[str]:
        """The field that it reads."""
        return {self.field}

    @property
    def present(self) -> set[str]:
        """The field, where it has to be known and nothing else."""
        return {self.field} if self.is_null is False else set()

    @property
    def compares(self) -> bool:
        """Whether it compares the field with a number."""
        return self.at_least is not None or self.below is not None


def _kind_of_condition(given: Any) -> str:
    in_sql = isinstance(given, Predicate) or (isinstance(given, dict) and "sql" in given)
    return "Predicate" if in_sql else "Condition"


CONDITION_KINDS = ("Condition", "Predicate")
_Where = Annotated[
    Annotated[Condition, Tag("Condition")] | Annotated[Predicate, Tag("Predicate")],
    Discriminator(_kind_of_condition),
]


class Prior(Block):
    """What is usual before a key has a history: worth so many `events` of it.

    `usual` is the median, `spread` the standard deviation of the logarithm.
    """

    usual: Annotated[float, Field(gt=0)]
    spread: Annotated[float, Field(gt=0)]
    events: Annotated[int, Field(gt=0)]


class Guidance(Block):
    """What an analyst does about a signal: next steps in order, and what to ask the customer.

    Without `say` the customer is not asked: to tell them of a suspicion can be an offence.
    """

    steps: Annotated[list[str], Field(min_length=1)]
    say: str | None = None


class Example(Block):
    """Events that must make a pattern fire, or a near miss, at which it must stay silent.

    A row has the fields of an event that matter, `at` in seconds, and its `stream` where that is
    not the pattern's; with `every` and `times` it stands for several. `lists` are values that the
    named lists have besides their own.
    """

    fires: str | None = None
    silent: str | None = None
    events: Annotated[list[dict[str, Any]], Field(min_length=1)]
    lists: dict[str, list[str]] = {}

    @model_validator(mode="after")
    def _is_one_of_two(self) -> "Example":
        if (self.fires is None) == (self.silent is None):
            raise ValueError("give either `fires` or `silent`, with what the example shows")
        return self

    @property
    def must_fire(self) -> bool:
        """Whether the pattern has to fire."""
        return self.fires is not None

    @property
    def text(self) -> str:
        """What it shows."""
        return self.fires or self.silent or ""


class Pattern(Block):
    """One fraud pattern: what it watches, when it fires and what a signal of it means.

    In `mode` shadow its signals are computed, kept apart and shown, without effect on scores, cases
    and anything else.

    `scope` says what a signal counts for: its account, or all accounts of its customer. The
    operator decides which of `PARAMETERS` a pattern has.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    view: Annotated[str, Field(pattern=r"^mv_[a-z0-9_]+$")]
    rule_id: str
    source: Literal["transactions", "logins", "card_events", "alerts"]
    operator: str
    key: Annotated[list[str], Field(min_length=1)]
    scope: Scope
    where: list[_Where]
    window_seconds: Annotated[int, Field(gt=0)]
    threshold: Annotated[float, Field(gt=0)]
    weight: Annotated[float, Field(gt=0, le=1)]
    severity: Severity
    alert_type: str
    reason: str
    action: str
    mode: Literal["live", "shadow"] = "live"
    guidance: Guidance | None = None
    examples: list[Example] = []
    value: str | None = None
    measure: str | None = None
    registered_in: str | None = None
    established: Literal[True] | None = None
    least: Annotated[float, Field(ge=0)] | None = None
    history: Annotated[int, Field(ge=1, le=200)] | None = None
    prior: Prior | None = None

    @cached_property
    def window(self) -> timedelta:
        """The trailing window; both ends inclusive."""
        return timedelta(seconds=self.window_seconds)

    def same_state(self, other: "Pattern") -> bool:
        """Whether what has to be known of each key, and the weight in scores, are the same."""
        return self.model_dump(exclude=_APART) == other.model_dump(exclude=_APART)

    @property
    def window_text(self) -> str:
        """The window in words."""
        for seconds, unit in ((3600, "hour"), (60, "minute")):
            if self.window_seconds % seconds == 0:
                count = self.window_seconds // seconds
                return f"{count} {unit}" + ("s" if count != 1 else "")
        return f"{self.window_seconds} seconds"

    @property
    def has_money(self) -> bool:
        """Whether the events it watches move money."""
        return self.source == "transactions"

    @property
    def fields(self) -> set[str]:
        """The fields of the events it watches."""
        return set(STREAMS[self.source].__struct_fields__)

    @field_validator("where", mode="before")
    @classmethod
    def _may_be_one_text(cls, where: Any) -> Any:
        """A text is one condition in SQL."""
        return [{"sql": where}] if isinstance(where, str) else where

    @model_validator(mode="after")
    def _names_real_fields(self) -> "Pattern":
        used = {*self.key, *(name for c in self.where for name in c.fields)}
        if self.scope == "account":
            used.add("account_id")
        check_known("fields", used, self.fields)
        self.check_numbers({c.field for c in self.where if isinstance(c, Condition) and c.compares})
        return self

    def check_numbers(self, names: set[str]) -> None:
        """Raise `ValueError` unless all of the fields are numbers."""
        check_known("numbers", names, _NUMBERS & self.fields)


def check_known(what: str, used: set[str], known: set[str]) -> None:
    """Raise `ValueError` for names that are not known."""
    if unknown := sorted(used - known):
        raise ValueError(f"{what} {unknown} not known; known are {', '.join(sorted(known))}")
