"""Routes that tell how things stand: the stream of news, the pulse, health and metrics."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from detector.console.context import InContext
from detector.console.problems import ProblemError, problems
from detector.console.pulse import MinuteCounts, Pulse
from detector.console.security import Person, require

router = APIRouter(tags=["live"])


Reads = Annotated[Person, Depends(require("read"))]


class Health(BaseModel):
    """`status` is "ok"; anything else is a problem document."""

    status: str = "ok"


class Minutes(BaseModel):
    """How things stand, with the minutes of the last hour."""

    pulse: Pulse
    minutes: list[MinuteCounts]


@router.get(
    "/v1/stream",
    operation_id="stream",
    response_class=EventSourceResponse,
    responses=problems(401, 403),
)
async def stream(context: InContext, _: Reads) -> AsyncIterator[ServerSentEvent]:
    """News as server-sent events: `signal`, `case` and, once a second, `pulse`."""
    async for news in context.hub.listen():
        yield news


@router.get("/v1/pulse", operation_id="pulse", responses=problems(401, 403))
def pulse(context: InContext, _: Reads) -> Minutes:
    """How things stand now, and the last hour by the minute."""
    return Minutes(pulse=context.pulse.now(), minutes=context.pulse.minutes())


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Health:
    """Whether the process answers at all."""
    return Health()


@router.get("/readyz", operation_id="readyz", responses=problems(503))
def readyz(context: InContext) -> Health:
    """Whether detection runs and the views can be read."""
    if context.pipeline is not None and not context.pipeline.ready.is_set():
        raise ProblemError(503, "Detection is not running (yet).", {"Retry-After": "1"})
    context.reader.rows("SELECT 1 AS one")
    return Health()


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(context: InContext) -> Response:
    """Counters for Prometheus."""
    return Response(context.metrics.expose(), media_type=context.metrics.media_type)
