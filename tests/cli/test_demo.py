"""The guided tour is what the engine does, not a text about it."""

from detector.analysis.tour import played
from tests import build
from tests.cli.conftest import Fraud


def test_the_takeover_is_found_as_it_happens(fraud: Fraud) -> None:
    """The third wrong password, then the payment from the strange device, which opens a case."""
    steps = fraud("demo", "--json")
    fired = [(s["second"], [x["pattern"] for x in s["signals"]]) for s in steps if s["signals"]]
    assert fired[0] == (614, ["brute_force_login"])
    assert dict(fired)[660] == ["account_takeover"]
    assert next(s["second"] for s in steps if s["cases"]) == 660
    assert not [s for s in steps if s["who"] == "customer" and s["signals"]]
    assert "Takes AUD 2,950." in fraud("demo", "--fast")


def test_without_the_strange_device_there_is_no_takeover() -> None:
    """Other rules, another tour."""
    pattern = build.REAL.patterns["account_takeover"].model_copy(update={"threshold": 99_999.0})
    rules = build.REAL.model_copy(
        update={"patterns": {**build.REAL.patterns, "account_takeover": pattern}}
    )
    fired = [signal.pattern for scene in played(rules) for signal in scene.signals]
    assert "brute_force_login" in fired and "account_takeover" not in fired
