"""Builds the console around a running pipeline, or over a cluster, and serves it."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from detector.adapters.database import console_file, owner_only
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.idle import IdleClaims
from detector.adapters.people.mirror import ReviewMirror, mirrored
from detector.adapters.people.store import PeopleStore
from detector.cli.targets import risingwave
from detector.cli.tuning import take_short_turns
from detector.console.access.middleware import DEMO_TOKEN
from detector.console.access.sessions import demo_token, session_key_file, signing_key
from detector.console.app import build_app
from detector.console.context import Context, assemble
from detector.console.live.pulse import Vitals
from detector.console.live.watcher import Watcher
from detector.console.queries.minutes import read_minutes
from detector.console.queries.queue import case_gauges
from detector.console.server import address, listen, serving
from detector.console.settings import ConsoleSettings
from detector.core.errors import InputError
from detector.pipeline.buckets import Buckets
from detector.pipeline.gauges import gauges_of
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from detector.signals.rules import Rules


class Served(NamedTuple):
    """Where a console is, and the URL to open first: in the demo it signs in."""

    address: str
    entry: str


@contextmanager
def console_beside(
    pipeline: Pipeline, store: DuckDBStore, tally: Tally, rules: Rules, settings: ConsoleSettings
) -> Iterator[Served]:
    """Serve the console of a pipeline that has not started yet."""
    listener = _listener(settings)
    take_short_turns()
    minutes = Buckets(rules, timedelta(minutes=1), 60, read_minutes(rules, store))
    seconds = Buckets(rules, timedelta(seconds=1), 60)
    vitals = Vitals(tally, minutes, seconds, lambda: pipeline.alarms, store.sizes)
    people = store.people(four_eyes=settings.four_eyes)
    people.reviews.on_closing = pipeline.review
    people.follow_rules(pipeline.adopt, store.rules_given)
    key = session_key(store.path)
    if settings.demo:
        settings = settings.model_copy(update={"demo_token": demo_token(key)})
    context = assemble(rules, settings, store, people, key, vitals, pipeline)
    context.metrics.gauges += [
        partial(gauges_of, pipeline),
        partial(case_gauges, store),
    ]
    greet(context)
    pipeline.sinks = [*pipeline.sinks, minutes, seconds, context.hub, context.metrics]
    said = console_file(store.path)
    with open(said, "w", opener=owner_only) as file:
        file.write(address(listener))
    with following(people, settings), serving(build_app(context), listener), removed(said):
        place = address(listener)
        yield Served(
            place, f"{place}/?{DEMO_TOKEN}={settings.demo_token}" if settings.demo else place
        )


@contextmanager
def removed(path: Path) -> Iterator[None]:
    """Remove a file at the end."""
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def serve_cluster(url: str, people_path: Path, rules: Rules, settings: ConsoleSettings) -> None:
    """Serve a console over RisingWave until it is stopped."""
    cluster = risingwave(url)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as ends:
        listener = _listener(settings)
        cluster.open()
        ends.callback(cluster.close)
        people = PeopleStore.open(people_path, four_eyes=settings.four_eyes)
        ends.callback(people.close)
        context = assemble(rules, settings, cluster, people, session_key(people_path))
        greet(context)
        ends.enter_context(following(people, settings, cluster))
        ends.enter_context(Watcher(cluster, context.hub))
        ends.enter_context(serving(build_app(context), listener))
        print(f"Console: {address(listener)}", file=sys.stderr)
        stop.wait()


def session_key(database: Path) -> bytes:
    """The key that signs sessions, in a file beside the database of users."""
    return signing_key(session_key_file(database))


def _listener(settings: ConsoleSettings) -> socket.socket:
    """A listener on the configured port; any free port if the default one is taken."""
    try:
        return listen(settings.host, settings.port)
    except InputError:
        if "port" in settings.model_fields_set:
            raise
        print(f"Port {settings.port} is in use; the console uses another.", file=sys.stderr)
        return listen(settings.host, 0)


@contextmanager
def following(
    people: PeopleStore, settings: ConsoleSettings, mirror: ReviewMirror | None = None
) -> Iterator[None]:
    """Deliver the audit log to webhooks and reviews to a cluster, and release idle claims."""
    followers = []
    if settings.webhooks:
        # Imported here, as few consoles need its client of HTTP and that takes long.
        from detector.adapters.people.webhook import Webhook

        secret = settings.webhook_secret.get_secret_value()
        followers += [Webhook(str(url), secret).follow(people.audit) for url in settings.webhooks]
    if mirror is not None:
        followers.append(mirrored(people, mirror))
    with ExitStack() as ends:
        idle_after = timedelta(minutes=settings.claim_minutes)
        ends.enter_context(IdleClaims(people.reviews, idle_after))
        for follower in followers:
            follower.start()
            ends.callback(follower.stop)
        yield


def greet(context: Context) -> None:
    """Where no user can sign in yet, add an administrator and print the one-time password."""
    if context.settings.demo:
        return
    password = context.sessions.first_admin()
    if password is not None:
        print(
            f"No user can sign in yet. Sign in as admin with the one-time password {password}",
            file=sys.stderr,
        )
