"""Builds the console around a running pipeline, or over a cluster, and serves it."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from detector.adapters.desk import Desk
from detector.adapters.duckdb_store import DuckDBStore
from detector.adapters.mirror import ReviewMirror, mirrored
from detector.adapters.webhook import Webhook
from detector.cli.readers import risingwave
from detector.cli.tuning import take_short_turns
from detector.console.app import build_app
from detector.console.assembly import assemble
from detector.console.context import Context
from detector.console.pulse import Vitals, read_minutes
from detector.console.server import address, listen, serving
from detector.console.sessions import signing_key
from detector.console.settings import ConsoleSettings
from detector.console.watch import Watcher
from detector.core.errors import InputError
from detector.core.rules import Rules
from detector.pipeline.buckets import Buckets
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally


@contextmanager
def console_beside(
    pipeline: Pipeline, store: DuckDBStore, tally: Tally, rules: Rules, settings: ConsoleSettings
) -> Iterator[str]:
    """Serve the console of a pipeline that has not started yet; gives its address."""
    listener = _listener(settings)
    take_short_turns()
    minutes = Buckets(rules, timedelta(minutes=1), 60, read_minutes(rules, store))
    seconds = Buckets(rules, timedelta(seconds=1), 60)
    vitals = Vitals(tally, minutes, seconds)
    desk = store.desk(four_eyes=settings.four_eyes)
    key = session_key(store.path)
    context = assemble(rules, settings, store, desk, key, vitals, pipeline=pipeline)
    greet(context)
    pipeline.sinks = [*pipeline.sinks, minutes, seconds, context.hub, context.metrics]
    with following(desk, settings), serving(build_app(context), listener):
        yield address(listener)


def serve_cluster(url: str, desk_path: Path, rules: Rules, settings: ConsoleSettings) -> None:
    """Serve a console over RisingWave until it is told to stop."""
    cluster = risingwave(url)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as ends:
        listener = _listener(settings)
        cluster.open()
        ends.callback(cluster.close)
        desk = Desk.open(desk_path, four_eyes=settings.four_eyes)
        ends.callback(desk.close)
        context = assemble(rules, settings, cluster, desk, session_key(desk_path))
        greet(context)
        ends.enter_context(following(desk, settings, cluster))
        ends.enter_context(Watcher(cluster, context.hub))
        ends.enter_context(serving(build_app(context), listener))
        print(f"Console: {address(listener)}", file=sys.stderr)
        stop.wait()


def session_key(database: Path) -> bytes:
    """The key that signs sessions; it lies beside the database that knows the users."""
    return signing_key(database.with_name(database.name + ".session-key"))


def _listener(settings: ConsoleSettings) -> socket.socket:
    """The port that was asked for, or any free one when none was and the usual one is taken."""
    try:
        return listen(settings.host, settings.port)
    except InputError:
        if "port" in settings.model_fields_set:
            raise
        print(f"Port {settings.port} is taken; the console takes another.", file=sys.stderr)
        return listen(settings.host, 0)


@contextmanager
def following(
    desk: Desk, settings: ConsoleSettings, mirror: ReviewMirror | None = None
) -> Iterator[None]:
    """Carry what people do to webhooks, and over a cluster to its views, as long as it is open."""
    secret = settings.webhook_secret.get_secret_value()
    followers = [Webhook(str(url), secret).follow(desk.log) for url in settings.webhooks]
    if mirror is not None:
        followers.append(mirrored(desk, mirror))
    with ExitStack() as ends:
        for follower in followers:
            follower.start()
            ends.callback(follower.stop)
        yield


def greet(context: Context) -> None:
    """Let the first person in: say the administrator's one-time password, once, on stderr."""
    if context.settings.demo:
        return
    password = context.gate.first_admin()
    if password is not None:
        print(
            f"Nobody can sign in yet. Sign in as admin with the one-time password {password}",
            file=sys.stderr,
        )
