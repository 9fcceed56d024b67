"""The tour is what the engine does with the rules of this console."""

from contextlib import closing
from pathlib import Path

from detector.analysis.tour import played
from tests.build import SHIPPED
from tests.console.harness import Harness


def test_the_takeover_is_found_in_the_scenes_where_it_happens(tmp_path: Path) -> None:
    """Signals, the case, each question once; nothing of it reaches the store."""
    found = list(played(SHIPPED))
    fired = {scene.clock: [s.pattern for s in scene.signals] for scene in found if scene.signals}
    assert fired["10:14"] == ["brute_force_login"] and fired["11:00"] == ["account_takeover"]
    assert next(scene.clock for scene in found if scene.cases) == "11:00"
    asked = [text for scene in found for text in scene.ask]
    assert len(asked) == len(set(asked)) == 2
    with closing(Harness(tmp_path)) as harness:
        before = harness.store.rows("SELECT count(*) AS n FROM fraud_signals")
        html = harness.person("vic").get("/tour").text
        assert "Guesses the password, try 3." in html and "Hold payment" in html
        assert harness.store.rows("SELECT count(*) AS n FROM fraud_signals") == before
