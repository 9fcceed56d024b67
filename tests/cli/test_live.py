"""The live view of a terminal."""

from pathlib import Path

import pytest
from rich.console import Console

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.questions import riskiest
from detector.cli.live import LiveView
from detector.pipeline.detector import Detector
from detector.pipeline.tally import Tally
from tests import build

URL = "http://127.0.0.1:8000/?demo=" + "0123456789ab" * 4


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 40)])
def test_the_live_view_shows_what_was_committed(tmp_path: Path, width: int, height: int) -> None:
    """The whole URL, counts and every pattern at every width; on a wide screen the accounts."""
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    tally = Tally(build.REAL)
    detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    work = detector.process("test", build.batch([build.cash(0), build.cash(1)]))
    store.commit(work)
    tally.publish(work)
    screen = Console(width=width, height=height, record=True, force_terminal=True)
    view = LiveView(tally, build.REAL, lambda: riskiest(store), "A title", URL, screen)
    screen.print(view.render())
    text = screen.export_text()
    store.close()
    assert "A title" in text and "events 2" in text
    assert URL in text.replace("│\n│ ", "").replace(" ", "")
    assert all(pattern.title in text for pattern in build.REAL.patterns.values())
    assert "cash transactions" in text and "09:00:01" in text
    assert "dead letters 0   duplicates 0   late 0   future 0   Ctrl-C stops" in text
    assert ("0.50  acc-1" in text) == (width == 160)
