"""The live view of a terminal."""

from pathlib import Path

from rich.console import Console

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.questions import riskiest
from detector.cli.live import LiveView
from detector.pipeline.detector import Detector
from detector.pipeline.tally import Tally
from tests import build


def test_the_live_view_shows_what_was_committed(tmp_path: Path) -> None:
    """Counts, the account of highest risk with its score, the newest signal."""
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    tally = Tally(build.REAL)
    detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    work = detector.process("test", build.batch([build.cash(0), build.cash(1)]))
    store.commit(work)
    tally.publish(work)
    screen = Console(width=160, height=40, record=True, force_terminal=True)
    screen.print(LiveView(tally, build.REAL, lambda: riskiest(store), "A title").render())
    text = screen.export_text()
    store.close()
    assert "A title" in text and "events 2" in text
    assert "0.50  acc-1" in text
    assert "AML structuring" in text
