"""Everything the console's routes need, in one object."""

from dataclasses import dataclass
from typing import Annotated

import pytz
from fastapi import Depends, Request

from detector.adapters.people.store import PeopleStore
from detector.console.access.oidc import OidcFlow, Provider
from detector.console.access.sessions import SessionKeeper
from detector.console.http.formatting import show_in
from detector.console.live.hub import Hub
from detector.console.live.pulse import PulseKeeper, Vitals
from detector.console.settings import ConsoleSettings
from detector.pipeline.metrics import Metrics
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.ports import ConsoleReader
from detector.signals.rules import Rules


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a route may use; built once by the `fraud` command.

    `pipeline` is None where the console only reads, over a cluster.
    """

    rules: Rules
    settings: ConsoleSettings
    reader: ConsoleReader
    pulse: PulseKeeper
    hub: Hub
    metrics: Metrics
    people: PeopleStore
    sessions: SessionKeeper
    oidc: OidcFlow | None = None
    pipeline: Pipeline | None = None


def assemble(
    rules: Rules,
    settings: ConsoleSettings,
    reader: ConsoleReader,
    people: PeopleStore,
    key: bytes,
    vitals: Vitals | None = None,
    pipeline: Pipeline | None = None,
) -> Context:
    """A context; `key` signs sessions, `vitals` and `pipeline` where this process detects."""
    pulse = PulseKeeper(rules, reader, vitals)
    hub = Hub(pulse)
    people.audit.listeners.append(hub.tell)
    return Context(
        rules=rules,
        settings=settings,
        reader=reader,
        pulse=pulse,
        hub=hub,
        metrics=Metrics(),
        people=people,
        sessions=SessionKeeper(
            people.users, people.keys, key, settings.session_minutes * 60, settings.demo
        ),
        oidc=_oidc(settings, key),
        pipeline=pipeline,
    )


def _oidc(settings: ConsoleSettings, key: bytes) -> OidcFlow | None:
    if not settings.oidc_issuer:
        return None
    provider = Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        settings.oidc_groups_claim,
        settings.oidc_roles,
    )
    return OidcFlow(provider, key)


def context_of(request: Request) -> Context:
    """The context of the app that serves the request."""
    context: Context = request.app.state.context
    return context


async def _of_request(request: Request) -> Context:
    # FastAPI would run a plain function in a thread, for every request.
    context = context_of(request)
    show_in(pytz.timezone(context.settings.timezone))
    return context


InContext = Annotated[Context, Depends(_of_request)]
