"""`fraud demo`: one account takeover through the real engine, second by second."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.padding import Padding

from detector.cli.options import AsJson
from detector.cli.output import LEVEL_STYLES, print_json, shown
from detector.core.events import Record
from detector.core.text import label
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch, Work
from detector.signals.rules import Rules, load_rules

LONGEST_PAUSE_S = 2.5
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


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause between the events.")] = False,
    as_json: AsJson = False,
) -> None:
    """Walk through one account takeover: the fraudster, what the system sees, what you do."""
    rules = load_rules()
    found = []
    console = Console(highlight=False)
    asked: set[str] = set()
    pauses = sys.stdout.isatty() and not fast and not as_json
    before = 0.0
    for step, work, micros in played(rules):
        if pauses:
            time.sleep(min(LONGEST_PAUSE_S, step.at - before))
        before = step.at
        if as_json:
            found.append(_told(step, work, micros))
        else:
            _show(console, step, work, micros, rules, asked)
    if as_json:
        print_json(found)
    else:
        console.print(
            "\n[bold]You[/] would open the case, read why, ask the questions above, and press "
            "[bold]r[/] Enter to hold the payment,\n[bold]1[/] Enter to close it as fraud. Try it: "
            "`make run`, then `n` in the queue."
        )


def played(rules: Rules) -> Iterator[tuple[Step, Work, int]]:
    """Each step with what the engine made of its event, and in how many microseconds."""
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
        yield step, work, round((time.perf_counter() - began) * 1e6)


def _payment(amount: str, **fields: Any) -> dict[str, Any]:
    shop = {"transaction_type": "PURCHASE", "channel": "POS", "card_present": True}
    money = {"amount": amount, "currency": "AUD", "status": "APPROVED", "account_id": ACCOUNT}
    return {**shop, **money, **fields}


def _told(step: Step, work: Work, micros: int) -> dict[str, Any]:
    return {
        "second": step.at,
        "who": step.who,
        "tells": step.tells,
        "signals": [{"pattern": s.pattern, "reason": s.reason} for s in work.new_signals],
        "cases": [
            {"level": c.level, "score": c.score, "recommended_action": c.recommended_action}
            for c in work.cases.values()
        ],
        "evaluated_in_us": micros,
    }


def _show(
    console: Console, step: Step, work: Work, micros: int, rules: Rules, asked: set[str]
) -> None:
    style = {"fraudster": "bold red", "customer": "green"}.get(step.who, "dim")
    minutes, seconds = divmod(int(step.at), 60)
    console.print(f"{minutes:2d}:{seconds:02d}  [{style}]{step.who:<10}[/] {step.tells}")
    for signal in work.new_signals:
        pattern = rules.patterns[signal.pattern]
        line = shown(f"system     {pattern.title}, after {micros / 1000:.1f} ms: {signal.reason}")
        console.print(Padding(line, (0, 0, 0, 7)))
        if pattern.guidance and pattern.guidance.say and pattern.id not in asked:
            asked.add(pattern.id)
            console.print(Padding(shown(f"ask        {pattern.guidance.say}", "dim"), (0, 0, 0, 7)))
    for case in work.cases.values():
        said = f"{case.level}, score {case.score:.2f}, AUD {case.exposure} exposed"
        action = label(case.recommended_action)
        line = shown(f"case       {said}: {action}", LEVEL_STYLES[case.level])
        console.print(Padding(line, (0, 0, 0, 7)))
