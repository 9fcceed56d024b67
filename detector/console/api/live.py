"""The live stream, the pulse, health and metrics."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from detector.console.access.permissions import Reads, may_still
from detector.console.context import InContext
from detector.console.http.fields import CASE_ID
from detector.console.http.problems import ProblemError, problems
from detector.console.live.hub import Viewer
from detector.console.live.pulse import Pulse
from detector.console.queries.minutes import MinuteCounts

router = APIRouter(tags=["live"])

Watched = Annotated[str | None, Query(pattern=CASE_ID, description="The case that is open.")]


class Health(BaseModel):
    """`status` is "ok"; anything else is a problem document."""

    status: str = "ok"


class PulseAnswer(BaseModel):
    """The pulse, with the minutes of the last hour."""

    pulse: Pulse
    minutes: list[MinuteCounts]


@router.get(
    "/v1/stream",
    operation_id="stream",
    response_class=EventSourceResponse,
    responses=problems(401, 403),
)
async def stream(
    request: Request, context: InContext, principal: Reads, case_id: Watched = None
) -> AsyncIterator[ServerSentEvent]:
    """Live updates: `signal`, `case`, `review` (of a case) and, once a second, `pulse`.

    With a case, also `viewers`: who has it open. The stream ends when the session or the key that
    opened it does.
    """
    async for update in context.hub.listen(Viewer(principal.name, case_id)):
        if not may_still(request, "read"):
            return
        yield update


@router.get("/v1/pulse", operation_id="pulse", responses=problems(401, 403))
def pulse(context: InContext, _: Reads) -> PulseAnswer:
    """The current counts, and the last hour by the minute."""
    return PulseAnswer(pulse=context.pulse.now(), minutes=context.pulse.minutes())


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Health:
    """Whether the process answers."""
    return Health()


@router.get("/readyz", operation_id="readyz", responses=problems(503))
def readyz(context: InContext) -> Health:
    """Whether detection is running and sees, its store can be written and its views be read."""
    if context.pipeline is not None and not context.pipeline.ready.is_set():
        raise ProblemError(503, "Detection is not running (yet).", {"Retry-After": "1"})
    # Answered without sign-in, so it gives no details.
    if context.pipeline is not None and context.pipeline.trouble:
        raise ProblemError(
            503, "The store cannot be written; the log says why.", {"Retry-After": "5"}
        )
    if context.pipeline is not None and context.pipeline.blind:
        raise ProblemError(
            503,
            "Most records of the source are late or in the future; the overview says which.",
            {"Retry-After": "5"},
        )
    context.reader.rows("SELECT 1 AS one")
    return Health()


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(context: InContext) -> Response:
    """Metrics for Prometheus."""
    return Response(context.metrics.expose(), media_type=context.metrics.media_type)
