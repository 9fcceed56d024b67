"""A guided tour: one account takeover through the real engine, event by event."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from detector.cases.case import Case
from detector.core.events import Record
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch
from detector.signals.rules import Rules
from detector.signals.signal import Signal

CUSTOMER, ACCOUNT, PHONE, STRANGE = "cust_demo", "acc_demo_1", "dev_own_phone", "dev_unknown"


class Step(NamedTuple):
    """What happens at a second of the story, and the event that the bank sees of it."""

    at: float
    who: str
    tells: str
    stream: str
    event: dict[str, Any]


def story() -> Iterator[Step]:
    """A customer's quiet morning, then the takeover."""
    card = {"card_token": "tok_demo", "card_bin": "400000", "card_last4": "4242"}
    online = {**card, "channel": "MOBILE", "card_present": False}
    profile = {
        "account_ids": [ACCOUNT], "registered_device_ids": [PHONE], "risk_tier": "LOW",
        "kyc_status": "VERIFIED", "is_pep": False, "country": "AU", "home_latitude": -33.87,
        "home_longitude": 151.21, "segment": "RETAIL",
    }  # fmt: skip
    yield Step(0, "bank", "The bank knows the customer and one phone.", "kyc_profiles", profile)
    for n, (amount, shop) in enumerate([("4.80", "café"), ("32.15", "grocer"), ("18.00", "bus")]):
        says = f"Pays AUD {amount} at the {shop}."
        yield Step(60 + 40 * n, "customer", says, "transactions", _payment(amount, **card))
    for n in range(4):
        says = f"Guesses the password, try {n + 1}."
        failed = {"outcome": "FAILURE", "failure_reason": "BAD_PASSWORD", "device_id": STRANGE}
        yield Step(600 + 7 * n, "fraudster", says, "logins", failed)
    signed = {"outcome": "SUCCESS", "device_id": STRANGE}
    yield Step(632, "fraudster", "Has bought the right one. Signs in.", "logins", signed)
    new = {**online, "device_id": STRANGE}
    yield Step(660, "fraudster", "Tests with AUD 740.", "transactions", _payment("740.00", **new))
    yield Step(675, "fraudster", "Takes AUD 2,950.", "transactions", _payment("2950.00", **new))
    large = _payment("4800.00", **new, transaction_type="TRANSFER", payee_id="pay_mule")
    yield Step(690, "fraudster", "Sends AUD 4,800 to a mule.", "transactions", large)


class Scene(NamedTuple):
    """A step, what the engine made of its event, and what to ask the customer then."""

    step: Step
    milliseconds: float
    signals: list[Signal]
    cases: list[Case]
    ask: list[str]

    @property
    def clock(self) -> str:
        """The minute and second of the story."""
        minutes, seconds = divmod(int(self.step.at), 60)
        return f"{minutes}:{seconds:02d}"


def played(rules: Rules) -> Iterator[Scene]:
    """The story through an engine of its own; each question is asked once."""
    asked: set[str] = set()
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)
    detector = Detector(rules, lambda _: set())
    for number, step in enumerate(story(), 1):
        event = {
            "event_id": f"evt_demo_{number}",
            "occurred_at": (start + timedelta(seconds=step.at)).isoformat(),
            "customer_id": CUSTOMER,
            **step.event,
        }
        if step.stream == "transactions":
            event["transaction_id"] = f"txn_demo_{number}"
        record = Record(step.stream, json.dumps(event).encode(), "demo", number)
        began = time.perf_counter()
        work = detector.process("demo", Batch([record], str(number), None))
        took = 1000 * (time.perf_counter() - began)
        fresh = [s.pattern for s in work.new_signals if s.pattern not in asked]
        asked.update(fresh)
        guidance = [rules.patterns[name].guidance for name in fresh]
        ask = [found.say for found in guidance if found and found.say]
        yield Scene(step, took, work.new_signals, list(work.cases.values()), ask)


def _payment(amount: str, **fields: Any) -> dict[str, Any]:
    shop = {"transaction_type": "PURCHASE", "channel": "POS", "card_present": True}
    money = {"amount": amount, "currency": "AUD", "status": "APPROVED", "account_id": ACCOUNT}
    return {**shop, **money, **fields}
