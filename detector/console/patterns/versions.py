"""Changing a rule: preview it, propose it, have it approved by a second person, roll it back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.rule_versions import RuleVersion, State
from detector.adapters.rendering import variables
from detector.analysis.history import history_of_running
from detector.analysis.preview import Preview
from detector.analysis.shadow import compared
from detector.console.access.permissions import Approves, Reads, RollsBack
from detector.console.context import Context, InContext
from detector.console.http.fields import LongText
from detector.console.http.problems import ProblemError, problems, refusals
from detector.core.data import JsonObject
from detector.core.errors import RulesError
from detector.signals.changes import CHANGEABLE, with_changes
from detector.signals.rules import Rules

router = APIRouter(tags=["rules"])
PatternId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]*$", examples=["velocity"])]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
_one_preview = threading.Lock()


class Change(BaseModel):
    """Keys of a pattern's block with new values, as in vars.patterns of the rules' file."""

    model_config = ConfigDict(extra="forbid")

    changes: dict[str, Any] = Field(min_length=1, examples=[{"threshold": 4}])


class Proposal(Change):
    """A change, and why."""

    reason: LongText


class Version(BaseModel):
    """A version of a pattern; `preview` is what it would have found when it was proposed.

    `compared` is what it and the version in force found while it was in shadow.
    """

    pattern: str
    version: int
    state: State
    changes: dict[str, Any]
    reason: str
    preview: dict[str, Any]
    author: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    shadow_since: datetime | None
    compared: dict[str, Any] | None


class Versions(BaseModel):
    """The versions of a pattern, the newest first; without a live one the file is in force."""

    versions: list[Version]


class Previewed(BaseModel):
    """What the pattern found, and what it would have found."""

    before: dict[str, Any]
    after: dict[str, Any]
    cases: dict[str, Any]


class Side(BaseModel):
    """What one of two versions found, and how often it was right by decided cases."""

    signals: int
    confirmed: int
    refuted: int
    precision: float | None
    precision_interval: tuple[float, float] | None


class Compared(BaseModel):
    """A version in shadow and the one in force, over the same events."""

    since: datetime
    signals: dict[str, int] = Field(description="By both, in_force only, challenger only.")
    in_force: Side
    challenger: Side
    differences: list[dict[str, Any]] = Field(description="The newest found by one of them only.")


class RulesInForce(BaseModel):
    """The `vars` of a rules' file."""

    rules: dict[str, Any]


class RolledBack(BaseModel):
    """The version that is in force again; 0 is the rules' file."""

    version: int


@router.get("/v1/rules", operation_id="rules", responses=problems(401, 403))
def rules_in_force(context: InContext, _: Reads) -> RulesInForce:
    """The rules as they are now: the file, the live versions, and the entries of lists."""
    return RulesInForce(rules=variables(context.rules))


@router.get(
    "/v1/patterns/{pattern}/versions",
    operation_id="rule_versions",
    responses=problems(401, 403, 404, 422),
)
def list_versions(context: InContext, _: Reads, pattern: PatternId) -> Versions:
    """Every version of a pattern: who changed what, why, and what was expected of it."""
    _known(context, pattern)
    found = context.people.rule_versions.of(pattern)
    return Versions(versions=[_shown(version) for version in found])


@router.post(
    "/v1/patterns/{pattern}/preview",
    operation_id="preview_rule",
    responses=problems(400, 401, 403, 404, 413, 422, 503),
)
def preview_rule(context: InContext, _: Approves, pattern: PatternId, body: Change) -> Previewed:
    """What a change would have found in the events of this store; changes nothing."""
    changed = _changed(context, pattern, body.changes)
    return Previewed(**_preview(context, pattern, changed))


@router.post(
    "/v1/patterns/{pattern}/versions",
    operation_id="propose_rule",
    status_code=201,
    responses=problems(400, 401, 403, 404, 413, 422, 503),
)
def propose_rule(
    context: InContext, principal: Approves, pattern: PatternId, body: Proposal
) -> Version:
    """Add a draft with its preview; it changes nothing until a second person approves it."""
    changed = _changed(context, pattern, body.changes)
    preview = _preview(context, pattern, changed)
    version = context.people.rule_versions.propose(
        principal, pattern, body.changes, body.reason, preview
    )
    return _shown(version)


@router.post(
    "/v1/patterns/{pattern}/versions/{version}/approve",
    operation_id="approve_rule",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422, 503),
)
def approve_rule(
    context: InContext, principal: Approves, pattern: PatternId, version: Number
) -> None:
    """Put a draft, or one in shadow, in force from the next event on; a second person does."""
    _store(context)
    with _decision(pattern, version):
        measures = _compared(context, pattern, version)
        context.people.rule_versions.approve(principal, pattern, version, measures)


@router.post(
    "/v1/patterns/{pattern}/versions/{version}/reject",
    operation_id="reject_rule",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def reject_rule(
    context: InContext, principal: Approves, pattern: PatternId, version: Number
) -> None:
    """Decide against a draft, or end the shadow of a version."""
    with _decision(pattern, version):
        measures = _compared(context, pattern, version)
        context.people.rule_versions.reject(principal, pattern, version, measures)


@router.post(
    "/v1/patterns/{pattern}/versions/{version}/shadow",
    operation_id="shadow_rule",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422, 503),
)
def shadow_rule(
    context: InContext, principal: Approves, pattern: PatternId, version: Number
) -> None:
    """Run a draft in shadow beside the version in force: computed and compared, without effect."""
    _store(context)
    with _decision(pattern, version):
        context.people.rule_versions.try_out(principal, pattern, version)


@router.get(
    "/v1/patterns/{pattern}/versions/{version}/shadow",
    operation_id="compare_rule",
    responses=problems(401, 403, 404, 422),
)
def compare_rule(context: InContext, _: Reads, pattern: PatternId, version: Number) -> Compared:
    """What a version in shadow and the one in force found since it is there; afterwards, until."""
    _known(context, pattern)
    found = _compared(context, pattern, version)
    if found is None:
        raise ProblemError(404, f"Version {version} of {pattern} was never in shadow.")
    return Compared(**found)


@router.post(
    "/v1/patterns/{pattern}/rollback",
    operation_id="roll_back_rule",
    responses=problems(401, 403, 404, 409, 422, 503),
)
def roll_back_rule(context: InContext, principal: RollsBack, pattern: PatternId) -> RolledBack:
    """Put the version before the live one, or the rules' file, in force again, at once.

    If the brake had put the pattern in shadow, it has effect again.
    """
    _store(context)
    _known(context, pattern)
    with refusals():
        number = context.people.rule_versions.roll_back(principal, pattern)
    if context.pipeline is not None and pattern in context.pipeline.detector.braked:
        context.pipeline.release(pattern)
    return RolledBack(version=number)


def _changed(context: Context, pattern: str, changes: dict[str, Any]) -> Rules:
    """The rules in force, with the pattern as the file has it but for these changes."""
    store = _store(context)
    _known(context, pattern)
    if wrong := sorted(changes.keys() - set(CHANGEABLE)):
        raise ProblemError(
            422, f"A version cannot change {', '.join(wrong)}; only {', '.join(CHANGEABLE)}."
        )
    try:
        block = with_changes(store.rules_given, pattern, changes).patterns[pattern]
    except RulesError as error:
        raise ProblemError(422, str(error)) from error
    return store.rules.model_copy(update={"patterns": {**store.rules.patterns, pattern: block}})


def _preview(context: Context, pattern: str, changed: Rules) -> JsonObject:
    store = _store(context)
    with _one_preview, history_of_running(store, pattern) as db:
        found = Preview(db, store.rules, pattern).compare(changed)
    return {name: found[name] for name in ("before", "after", "cases")}


def _compared(context: Context, pattern: str, version: int) -> JsonObject | None:
    """The comparison of a version; None if it never was in shadow, or is none."""
    versions = context.people.rule_versions.of(pattern)
    found = next((known for known in versions if known.version == version), None)
    if found is None or found.shadow_since is None:
        return None
    if found.state != "shadow":
        return found.compared
    return compared(context.reader, context.rules.patterns[pattern], version, found.shadow_since)


@contextmanager
def _decision(pattern: str, version: int) -> Iterator[None]:
    """Refusals of a decision on a version as problems."""
    with refusals():
        try:
            yield
        except KeyError as error:
            raise ProblemError(404, f"{pattern} has no version {version}.") from error


def _store(context: Context) -> DuckDBStore:
    if context.pipeline is None or not isinstance(context.reader, DuckDBStore):
        raise ProblemError(
            503,
            "This console shows a cluster: change the rules' file, then `make dbt-upgrade "
            "MODEL=<view>`.",
        )
    return context.reader


def _known(context: Context, pattern: str) -> None:
    if pattern not in context.rules.patterns:
        raise ProblemError(404, f"There is no pattern {pattern}.")


def _shown(version: RuleVersion) -> Version:
    return Version(**asdict(version))
