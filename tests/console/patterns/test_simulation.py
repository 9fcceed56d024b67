"""The truth of the synthetic bank, beside what detection found."""

from datetime import timedelta

from detector.adapters.sources.synthetic import Label, SyntheticSource
from detector.console.patterns.simulation import Truth, judge
from producers.config import ProducerSettings
from tests.build import START, moment

_LABELS = [
    Label("a1", moment(0), "velocity", "spree-1"),
    Label("a2", moment(10), "velocity", "spree-1"),
    Label("b1", moment(20), "velocity", "spree-2"),
    Label("c1", moment(30), "structuring", "cash-1"),
    Label("d1", moment(100), "velocity", "spree-3"),
]


def test_frauds_are_found_at_any_of_their_events() -> None:
    """Of two that are over, one was found; one signal rests on honest events alone."""
    signals = {"1": ("a2", {"a1", "a2"}), "2": ("d1", {"d1"}), "3": ("honest", {"honest"})}
    truths = judge(_LABELS, {"velocity": signals, "structuring": {}}, moment(110))
    assert truths["velocity"] == Truth(signals=3, right=2, instances=2, found=1)
    assert truths["structuring"] == Truth(signals=0, right=0, instances=1, found=0)


def test_another_patterns_fraud_makes_a_signal_right_but_finds_nothing() -> None:
    """A velocity signal amid structuring is not false, nor does it find the structuring."""
    signals = {"velocity": {"1": ("c1", {"c1"})}, "structuring": dict[str, tuple[str, set[str]]]()}
    truths = judge(_LABELS, signals, START + timedelta(hours=1))
    assert truths["velocity"].right == 1
    assert truths["structuring"].found == truths["velocity"].found == 0


def test_a_signal_is_right_when_any_event_it_rests_on_is_fraudulent() -> None:
    """The burst began with a fraud and fired at an honest payment, as `fraud evaluate` counts."""
    signals = {"velocity": {"1": ("honest", {"a1", "a2", "honest"})}}
    truths = judge(_LABELS, signals, moment(110))
    assert (truths["velocity"].right, truths["velocity"].found) == (1, 0)


def test_the_bank_keeps_its_truth_beside_the_records() -> None:
    """Labels name frauds of the bank, and none of it is in the bytes that detection reads."""
    settings = ProducerSettings(
        seed=5, fraud_rate=0.5, transaction_rate=200, customer_pool_size=500
    )
    source = SyntheticSource(settings)
    source.open(None)
    records = [next(source._events)[1].raw for _ in range(3000)]
    labelled = {label.event_id for label in source.truth}
    sent = b"".join(records).decode()
    assert len(labelled) > 20 and all(f'"{event_id}"' in sent for event_id in list(labelled)[:-1])
    assert "scenario" not in sent and "is_fraud" not in sent
