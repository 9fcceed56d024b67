"""Parity sees every edge: a model that is wrong by one step differs from the embedded engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detector.core.events import Event
from detector.state.windows import TrailingWindow
from tests import build
from tests.dbt.conftest import Bench


def sent(at: float, customer: str, payee: str, amount: str) -> Event:
    """A transfer to a payee."""
    return build.transaction(
        at, f"a-{customer}", customer_id=customer, payee_id=payee, amount=amount,
        transaction_type="TRANSFER", channel="MOBILE", card_present=False,
    )  # fmt: skip


def edges() -> list[Event]:
    """A log in which something happens exactly at every edge of every rule."""
    events: list[Event] = [
        # the fifth transaction exactly a minute after the first
        *(build.transaction(at, "acc-edge", customer_id="c1") for at in (0, 10, 20, 30, 60)),
        # five at one moment: peers are in each other's window
        *(build.transaction(0, "acc-ties", customer_id="c2") for _ in range(5)),
        # exactly two hours from Sydney to Perth, and two places at one moment
        build.transaction(0, card_token="tok-far", customer_id="c3", **build.SYDNEY),
        build.transaction(7200, card_token="tok-far", customer_id="c3", **build.PERTH),
        build.transaction(0, "a4", event_id="t1", card_token="tok-tie", **build.SYDNEY),
        build.transaction(100, "a4", event_id="t2", card_token="tok-tie", **build.PERTH),
        build.transaction(100, "a4", event_id="t3", card_token="tok-tie", **build.SYDNEY),
        # a profile of the same moment, two profiles of one moment, a device known for exactly a day
        build.profile(100, "c5", accounts=["a5"], devices=["d5"]),
        build.online(100, "a5", customer_id="c5", device_id="d5", amount="500.00"),
        build.profile(200, "c6", accounts=["a6"], devices=["d6"], event_id="p1"),
        build.profile(200, "c6", accounts=["a6"], event_id="p2"),
        build.online(300, "a6", customer_id="c6", device_id="d6", amount="500.00"),
        build.online(0, "a7", customer_id="c7", device_id="d7"),
        build.online(86_400, "a7", customer_id="c7", device_id="d7", amount="500.00"),
        # two types of alert exactly five minutes apart, and one type twice
        build.alert(0, "c8", alert_type="ONE_TYPE"),
        build.alert(300, "c8", alert_type="OTHER_TYPE"),
        build.alert(0, "c9", alert_type="ONE_TYPE"),
        build.alert(60, "c9", alert_type="ONE_TYPE"),
        # an account first seen at the moment of the customer's signal
        *(build.login(at, "c10") for at in (0, 1, 2)),
        build.transaction(2, "a10", customer_id="c10"),
        # two patterns exactly two minutes apart
        build.online(1000, "a11", customer_id="c11", device_id="d11", amount="600.00"),
        *(build.cash(at, "a11", customer_id="c11") for at in (1110, 1120)),
        # failed logins and spending exactly half an hour apart, which suffice only together
        *(build.login(at, "c12") for at in (0, 1, 2)),
        build.online(1802, "a12", customer_id="c12", device_id="d12", amount="600.00"),
        # a loss just below 2,000 is no case, exactly 2,000 is one: a new payee weighs 0.20
        *(
            sent(at, "c14", payee, amount)
            for at, payee, amount in ((0, "p1", "10.00"), (86_401, "p2", "24999.99"))
        ),
        *(
            sent(at, "c15", payee, amount)
            for at, payee, amount in ((0, "p1", "10.00"), (86_401, "p2", "25000.00"))
        ),
        # a customer known for exactly a day is still new
        *(sent(at, "c19", payee, "2000.00") for at, payee in ((0, "p1"), (86_400, "p2"))),
        # 31 payments, the first of them large: it is in the history of the last but one only
        *(
            build.transaction(n * 100, "a20", customer_id="c20", amount=amount)
            for n, amount in enumerate(["9000.00", *["30.00"] * 29, "2000.00", "2000.00"])
        ),
        # a burst whose payments each count once
        *(
            build.online(n, "a16", customer_id="c16", card_token="tok-16", amount="150.00")
            for n in range(9)
        ),
        # another currency, and one without a rate
        build.online(0, "a17", customer_id="c17", device_id="d17", amount="700.00", currency="USD"),
        build.online(
            0, "a18", customer_id="c18", device_id="d18", amount="9999.00", currency="XTS"
        ),
    ]
    return sorted(events, key=lambda event: event.occurred_at)


MUTANTS = {
    "a window one second short": (
        "mv_velocity_alerts",
        "interval '60 seconds' preceding",
        "interval '59 seconds' preceding",
    ),
    "a window without its first moment": (
        "mv_correlated_alert_burst",
        "interval '300 seconds' preceding",
        "interval '299999999 microseconds' preceding",
    ),
    "a window without its last moment": (
        "mv_velocity_alerts",
        "preceding and current row",
        "preceding and interval '1 microsecond' preceding",
    ),
    "rows for a range": (
        "mv_velocity_alerts",
        "range between interval '60 seconds' preceding",
        "rows between 100 preceding",
    ),
    "more than, for at least": ("mv_velocity_alerts", "observed >= 5", "observed > 5"),
    "ties in another order": (
        "mv_geo_impossible_trips",
        "order by occurred_at, event_id",
        "order by occurred_at, event_id desc",
    ),
    "a pair just outside its window": (
        "mv_geo_impossible_trips",
        "previous_at > occurred_at",
        "previous_at >= occurred_at",
    ),
    "a profile in force a moment late": (
        "mv_device_anomalies",
        "in_force_since <= watched",
        "in_force_since < watched",
    ),
    "the wrong of two profiles": (
        "mv_device_anomalies",
        "order by event_id desc",
        "order by event_id",
    ),
    "a device known a moment early": (
        "mv_device_anomalies",
        "first_seen_at >= occurred_at",
        "first_seen_at > occurred_at",
    ),
    "values that are not different": ("mv_correlated_alert_burst", "array_distinct(", "("),
    "a link a moment late": ("account_signals", "held_since <= ", "held_since < "),
    "a score that counts too long": ("risk_history", "_at > occurred_at", "_at >= occurred_at"),
    "a case that ends a moment early": (
        "fraud_cases",
        "previous_at >= occurred_at",
        "previous_at > occurred_at",
    ),
    "a case that takes more money to open": (
        "fraud_cases",
        "as decimal(7, 6)) >= 1000",
        "as decimal(7, 6)) > 1000",
    ),
    "a history that holds the payment itself": (
        "mv_unusual_amounts",
        "rows between 30 preceding and 1 preceding",
        "rows between 30 preceding and current row",
    ),
    "a history of 29": ("mv_unusual_amounts", "between 30 preceding", "between 29 preceding"),
    "a payee of a customer who is new": (
        "mv_new_payee_payments",
        "and known_since < occurred_at",
        "and known_since <= occurred_at",
    ),
    "a payment that is exposed by every firing": (
        "mv_velocity_alerts",
        "partition by account_id, fired_before_at",
        "partition by account_id",
    ),
    "money of another currency at face value": (
        "stg_transactions",
        "when 'USD' then round(amount * 1.53, 2)",
        "when 'USD' then amount",
    ),
    "cash that can be recalled": (
        "fraud_cases",
        "= 'gone' then",
        "= 'lost' then",
    ),
    "another word in the reason": ("mv_cnp_spike", "on one card", "on a card"),
}


def test_the_models_as_they_are_agree_on_every_edge(bench: Bench) -> None:
    """The mutants below are caught for what they change, not for something else."""
    report = bench.compare([edges()])
    assert report.equal and report.compared["signals"] > 10


@pytest.mark.parametrize("mutant", MUTANTS)
def test_parity_catches(bench: Bench, mutant: str) -> None:
    """Each mutant changes one model by one step, and parity reports a difference."""
    name, right, wrong = MUTANTS[mutant]
    models = [
        replace(m, sql=m.sql.replace(right, wrong)) if m.name == name else m for m in bench.models
    ]
    assert models != bench.models, f"{name} no longer holds {right!r}"
    log = edges()
    if name == "mv_cnp_spike":
        log += [build.online(200_000 + n, "a13", card_token="tok-13") for n in range(8)]
    assert not bench.compare([log], models).equal


Windowed = Callable[[Callable[..., None], Any, timedelta, timedelta], None]
BROKEN: dict[str, Windowed] = {
    "a window one second short": lambda made, window, span, lateness: made(
        window, span - timedelta(seconds=1), lateness
    ),
    "a window without its first moment": lambda made, window, span, lateness: made(
        window, span, lateness, open_start=True
    ),
    "a window that begins a moment early": lambda made, window, span, lateness: made(
        window, span + timedelta(microseconds=1), lateness
    ),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_parity_catches_a_broken_operator(
    bench: Bench, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the models are right, and the embedded engine's windows are wrong by one step."""
    made, broken = TrailingWindow.__init__, BROKEN[mistake]
    monkeypatch.setattr(
        TrailingWindow,
        "__init__",
        lambda window, span, lateness, *_: broken(made, window, span, lateness),
    )
    log = [*edges(), *(build.transaction(at, "acc-past") for at in (0, 10, 20, 30))]
    log.append(build.transaction(60.000001, "acc-past"))  # a moment outside the first one's minute
    log.sort(key=lambda event: event.occurred_at)
    report = bench.compare([log])
    assert report.differences["signals"] > 0
