"""What the console's routes work with, in one object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import Depends, Request

from detector.adapters.desk import Desk
from detector.console.sessions import Gate
from detector.console.settings import ConsoleSettings
from detector.core.rules import Rules
from detector.pipeline.metrics import Metrics
from detector.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from detector.console.live import Hub
    from detector.console.pulse import PulseKeeper


class Reader(Protocol):
    """Answers questions over the views of design: the embedded store's or RisingWave's.

    Queries stay within what DuckDB and RisingWave both understand; parameters are `?`.
    """

    open_cases: str
    """What stands after FROM for `mv_open_fraud_cases` but for its tier, at its fastest."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, of what was committed; safe from any thread."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a route may use; built once by the `fraud` command.

    `pipeline` is None where the console only reads, over a cluster.
    """

    rules: Rules
    settings: ConsoleSettings
    reader: Reader
    pulse: "PulseKeeper"
    hub: "Hub"
    metrics: Metrics
    desk: Desk
    gate: Gate
    pipeline: Pipeline | None = None


def context_of(request: Request) -> Context:
    """The context of the app that serves the request."""
    context: Context = request.app.state.context
    return context


async def _of_request(request: Request) -> Context:
    # FastAPI would run a plain function in a thread, for every request.
    return context_of(request)


InContext = Annotated[Context, Depends(_of_request)]
