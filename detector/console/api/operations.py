"""What operators do to the running process: back its store up, release a pattern from shadow."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from detector.cases.principals import Principal
from detector.console.access.permissions import Administers, Approves
from detector.console.context import Context, InContext
from detector.console.http.problems import ProblemError, problems
from detector.core.data import JsonObject
from detector.pipeline.pipeline import Pipeline

router = APIRouter(tags=["operations"])


class BackupMade(BaseModel):
    """Where a backup is, on the machine of the process."""

    folder: str


@router.post(
    "/v1/backups", operation_id="back_up", status_code=201, responses=problems(401, 403, 503)
)
def back_up(context: InContext, principal: Administers) -> BackupMade:
    """Copy the store as of now into a new folder beside it; detection goes on meanwhile."""
    folder = _pipeline(context).store.back_up()
    _record(context, principal, "back_up", "store", folder.name, {})
    return BackupMade(folder=str(folder))


@router.post(
    "/v1/patterns/{pattern}/release",
    operation_id="release_pattern",
    status_code=204,
    responses=problems(401, 403, 404, 422, 503),
)
def release_pattern(
    context: InContext,
    principal: Approves,
    pattern: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]*$", examples=["velocity"])],
) -> None:
    """Give a pattern that was put in shadow, because it fired on too many, effect again."""
    pipeline = _pipeline(context)
    if pattern not in pipeline.detector.braked:
        raise ProblemError(404, f"The pattern {pattern} was not put in shadow.")
    pipeline.release(pattern)
    _record(context, principal, "release_pattern", "pattern", pattern, {})


def _pipeline(context: Context) -> Pipeline:
    if context.pipeline is None:
        raise ProblemError(503, "This console shows a cluster, which has no store of its own.")
    return context.pipeline


def _record(
    context: Context, principal: Principal, action: str, kind: str, subject: str, detail: JsonObject
) -> None:
    with context.people.audit.transaction() as transaction:
        transaction.record(principal, action, kind, subject, detail)
