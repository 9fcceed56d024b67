"""The questions that have names, as the commands ask them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from detector.adapters.questions import Found, QuestionName
from detector.adapters.questions import ask as answers
from detector.console.context import InContext
from detector.console.problems import problems
from detector.console.security import Person, require

router = APIRouter(tags=["questions"])
MOST_ROWS = 10_000


@router.get(
    "/v1/questions/{name}",
    operation_id="ask",
    responses=problems(401, 403, 422),
    response_model_exclude_unset=True,
)
def ask(
    context: InContext,
    person: Annotated[Person, Depends(require("read"))],
    name: QuestionName,
    limit: Annotated[int | None, Query(ge=1, le=MOST_ROWS, description="Most rows.")] = None,
) -> Found:
    """Risk, cases, KPIs, fraud rate or status: what `fraud risk --json` and its like print."""
    rows = answers(context.reader, name, limit)
    return Found.model_validate({"question": name, "rows": rows})
