"""Ingesting events, and decisions on single transactions."""

import asyncio
import time
from concurrent.futures import Future
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from detector.cases.principals import Principal
from detector.console.access.permissions import require
from detector.console.context import Context, InContext
from detector.console.http.problems import ProblemError, problems
from detector.core.data import JsonObject
from detector.core.events import STREAMS, Record
from detector.pipeline.decision import Answer
from detector.pipeline.pipeline import InvalidTransaction, Pipeline, Stopped
from detector.pipeline.work import Work
from producers.models import Transaction

router = APIRouter(tags=["intake"])

MOST_EVENTS = 10_000
MOST_BYTES = 16 << 20
MOST_WAITING = 20_000
TURN = 20


class Envelope(msgspec.Struct):
    """One event as on the topic of its stream."""

    stream: str
    event: msgspec.Raw


class IngestRequest(msgspec.Struct):
    """Events in the order in which they should be evaluated."""

    events: list[Envelope]


class Rejection(BaseModel):
    """An event that broke the contract; it is stored as a dead letter."""

    index: int = Field(description="Its place in the batch, from 0.")
    reason: str


class Receipt(BaseModel):
    """The result of a batch, all of which is committed."""

    evaluated: int
    duplicates: int
    late: int
    future: int
    signals: list[str] = Field(description="Ids of the new signals.")
    rejected: list[Rejection]


_read_request = msgspec.json.Decoder(IngestRequest).decode
_INTAKE_PROBLEMS = problems(400, 401, 403, 413, 422, 503)


@router.post(
    "/v1/events",
    operation_id="ingest",
    responses=_INTAKE_PROBLEMS,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {
        "type": "object",
        "required": ["events"],
        "properties": {"events": {"type": "array", "maxItems": MOST_EVENTS, "items": {
            "type": "object",
            "required": ["stream", "event"],
            "properties": {
                "stream": {"type": "string", "enum": list(STREAMS)},
                "event": {"type": "object"},
            },
        }}},
    }}}}},
)  # fmt: skip
async def ingest(
    request: Request, context: InContext, _: Annotated[Principal, Depends(require("ingest"))]
) -> Receipt:
    """Ingest a batch of events and answer once it is committed.

    Events that break the contract are listed and stored as dead letters; the others are ingested.
    Resending a batch changes nothing.
    """
    pipeline = _ready(context)
    try:
        envelopes = _read_request(await request.body()).events
    except msgspec.MsgspecError as error:
        raise ProblemError(422, f"The batch cannot be read: {error}") from error
    if len(envelopes) > MOST_EVENTS:
        raise ProblemError(413, f"{len(envelopes)} events came; at most {MOST_EVENTS} at once.")
    records = [
        Record(envelope.stream, bytes(envelope.event), "api", index)
        for index, envelope in enumerate(envelopes)
    ]
    try:
        submitted = await asyncio.to_thread(_submit, pipeline, records)
    except Stopped as error:
        raise ProblemError(503, str(error), {"Retry-After": "1"}) from error
    works = [work for work, _committed in submitted]
    for _work, committed in submitted:
        await asyncio.wrap_future(committed)
    return Receipt(
        evaluated=sum(work.count("evaluated") for work in works),
        duplicates=sum(work.duplicates for work in works),
        late=sum(work.count("late") for work in works),
        future=sum(work.count("future") for work in works),
        signals=[signal.signal_id for work in works for signal in work.new_signals],
        rejected=[
            Rejection(index=letter.offset, reason=letter.reason)
            for work in works
            for letter in work.dead_letters
        ],
    )


def _submit(pipeline: Pipeline, records: list[Record]) -> "list[tuple[Work, Future[None]]]":
    """Evaluate a batch in short turns, because decisions wait for the end of a turn."""
    submitted = []
    for start in range(0, len(records), TURN) or (0,):
        submitted.append(pipeline.submit(records[start : start + TURN]))
        time.sleep(0)
    return submitted


@router.post(
    "/v1/score",
    operation_id="score",
    response_class=Response,
    responses={
        200: {"description": "The decision", "content": {"application/json": {"schema": {
            "$ref": "#/components/schemas/Answer"}}}},
        **_INTAKE_PROBLEMS,
    },
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/Transaction"}}}}},
)  # fmt: skip
async def score(
    request: Request, context: InContext, _: Annotated[Principal, Depends(require("score"))]
) -> Response:
    """Decide on one transaction before it is processed: approve, review or decline.

    The transaction is evaluated and stored like any other; its commit follows within some tens of
    milliseconds. A repeated event_id gets the same answer.
    """
    pipeline, body = _ready(context), await request.body()
    started = time.perf_counter()
    try:
        decision = pipeline.score(body)
    except InvalidTransaction as error:
        context.metrics.count("fraud_score_decisions_total", "invalid")
        raise ProblemError(422, f"The transaction breaks the contract: {error}") from error
    except Stopped as error:
        raise ProblemError(503, str(error), {"Retry-After": "1"}) from error
    context.metrics.observe("fraud_score_seconds", time.perf_counter() - started)
    context.metrics.count("fraud_score_decisions_total", decision.decision)
    return Response(bytes(decision.answer), media_type="application/json")


def schemas() -> JsonObject:
    """OpenAPI components of these routes that FastAPI does not generate."""
    _, answer = msgspec.json.schema_components([Answer], ref_template="#/components/schemas/{name}")
    return {**answer, "Transaction": Transaction.model_json_schema(mode="serialization")}


def _ready(context: Context) -> Pipeline:
    pipeline = context.pipeline
    if pipeline is None:
        raise ProblemError(
            503, "This console shows a cluster; send events to its topics instead.",
        )  # fmt: skip
    if pipeline.backlog > MOST_WAITING:
        raise ProblemError(503, "The store is behind; try again.", {"Retry-After": "1"})
    return pipeline
