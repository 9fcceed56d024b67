"""Puts a context together: the parts that every console has, over whatever it reads."""

from typing import Any

from detector.console.context import Context, Reader
from detector.console.live import Hub
from detector.console.pulse import PulseKeeper, Vitals
from detector.console.settings import ConsoleSettings
from detector.core.rules import Rules
from detector.pipeline.metrics import Metrics


def assemble(
    rules: Rules,
    settings: ConsoleSettings,
    reader: Reader,
    vitals: Vitals | None = None,
    **parts: Any,
) -> Context:
    """A context; `vitals` where this process detects, `parts` as in `Context`."""
    keeper = PulseKeeper(rules, reader, vitals)
    return Context(
        rules=rules,
        settings=settings,
        reader=reader,
        pulse=keeper,
        hub=Hub(keeper),
        metrics=Metrics(),
        **parts,
    )
