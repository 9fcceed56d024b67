"""An hour at a small bank in which every pattern fires."""

from typing import Any

from detector.core.events import Event
from tests.build import MELBOURNE, PERTH, SYDNEY, alert, cash, login, online, profile, transaction

LONDON: dict[str, Any] = {
    "city": "London",
    "latitude": 51.5074,
    "longitude": -0.1278,
    "merchant_country": "GB",
}


def eventful_day() -> list[Event]:
    """Events in order of time: quiet shopping, and trouble for five customers."""
    events: list[Event] = []
    for number in range(1, 9):
        events.append(
            profile(
                number,
                f"cust-{number}",
                accounts=[f"acc-{number}"],
                devices=[f"dev-{number}"],
                risk_tier=["LOW", "MEDIUM", "HIGH"][number % 3],
            )
        )
    for minute in range(60):
        for number in range(1, 9):
            shop = {"merchant_id": f"shop-{number}", "merchant_category": "5411"}
            events.append(
                transaction(
                    60 * minute + 7 * number,
                    f"acc-{number}",
                    customer_id=f"cust-{number}",
                    card_token=f"card-{number}",
                    **SYDNEY,
                    **shop,
                )
            )
    events += _takeover(900) + _travel(1800) + _card_testing(2400) + _cash(2700)
    events += [
        alert(3000, "cust-5", alert_type="CNP_FRAUD"),
        alert(3100, "cust-5", alert_type="VELOCITY"),
    ]
    return sorted(events, key=lambda e: e.occurred_at)


def _takeover(at: float) -> list[Event]:
    """Failed logins, then spending from a device that customer 1 never used: a critical case."""
    device = {"customer_id": "cust-1", "card_token": "card-1", "device_id": "dev-strange"}
    return [
        *(login(at + n, "cust-1", ip_address="198.51.100.7") for n in range(5)),
        *(online(at + 60 + 2 * n, "acc-1", amount="900.00", **device) for n in range(9)),
    ]


def _travel(at: float) -> list[Event]:
    """Card 2 shows up in Perth, card 6 in London, minutes after Sydney: high cases."""
    return [
        transaction(at, "acc-2", customer_id="cust-2", card_token="card-2", **PERTH),
        transaction(at + 40, "acc-6", customer_id="cust-6", card_token="card-6", **LONDON),
    ]


def _card_testing(at: float) -> list[Event]:
    """Many small payments on card 3: velocity and a spike."""
    shop = {"customer_id": "cust-3", "card_token": "card-3", "merchant_id": "shop-online"}
    return [
        online(at + 3 * n, "acc-3", amount="1.50", status="DECLINED", **shop) for n in range(12)
    ]


def _cash(at: float) -> list[Event]:
    """Customer 4 pays in cash just under the threshold: structuring."""
    return [
        cash(at + 300 * n, "acc-4", customer_id="cust-4", amount=f"9{n}00.00", **MELBOURNE)
        for n in range(1, 4)
    ]
