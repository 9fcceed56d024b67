"""The named questions over HTTP, and SQL for the owner of the store."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from detector.adapters.questions import QuestionAnswer, QuestionName, ask
from detector.console.access.permissions import Reads
from detector.console.access.sessions import OWNER
from detector.console.context import InContext
from detector.console.http.problems import ProblemError, problems
from detector.core.errors import InputError

router = APIRouter(tags=["questions"])
MOST_ROWS = 10_000


@router.get(
    "/v1/questions/{name}",
    operation_id="ask",
    responses=problems(401, 403, 422),
    response_model_exclude_unset=True,
)
def get_answer(
    context: InContext,
    _: Reads,
    name: QuestionName,
    limit: Annotated[int | None, Query(ge=1, le=MOST_ROWS, description="Most rows.")] = None,
) -> QuestionAnswer:
    """Risk, cases, KPIs, fraud rate or status, as `fraud risk --json` and the others print them."""
    return QuestionAnswer.model_validate(
        {"question": name, "rows": ask(context.reader, name, limit)}
    )


class SqlQuery(BaseModel):
    """One SELECT over the views and tables of the store."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class SqlAnswer(BaseModel):
    """The columns, and the rows in their order."""

    columns: list[str]
    rows: list[list[Any]]


@router.post("/v1/sql", operation_id="run_sql", responses=problems(400, 401, 403, 413, 422))
def run_sql(context: InContext, principal: Reads, body: SqlQuery) -> SqlAnswer:
    """Answer a query of the owner of the store's files: `fraud sql` beside a running process."""
    # The very principal of the owner's key: a user may have the same name.
    if principal is not OWNER:
        raise ProblemError(403, "Only the owner of the store's files may send SQL: `fraud sql`.")
    try:
        columns, rows = context.reader.answer(body.query)
    except InputError as error:
        raise ProblemError(422, str(error)) from error
    return SqlAnswer(columns=columns, rows=[list(row) for row in rows])
