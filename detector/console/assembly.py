"""Puts a context together: the parts that every console has, over whatever it reads."""

from typing import Any

from detector.adapters.desk import Desk
from detector.console.context import Context, Reader
from detector.console.live import Hub
from detector.console.pulse import PulseKeeper, Vitals
from detector.console.sessions import Gate
from detector.console.settings import ConsoleSettings
from detector.core.rules import Rules
from detector.pipeline.metrics import Metrics


def assemble(
    rules: Rules,
    settings: ConsoleSettings,
    reader: Reader,
    desk: Desk,
    key: bytes,
    vitals: Vitals | None = None,
    **parts: Any,
) -> Context:
    """A context; `key` signs sessions, `vitals` where this process detects, `parts` as in it."""
    keeper = PulseKeeper(rules, reader, vitals)
    return Context(
        rules=rules,
        settings=settings,
        reader=reader,
        pulse=keeper,
        hub=Hub(keeper),
        metrics=Metrics(),
        desk=desk,
        gate=Gate(desk.staff, key, settings.session_minutes * 60),
        **parts,
    )
