"""The named questions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from detector.adapters.questions import QuestionAnswer, QuestionName, ask
from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.problems import problems

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
