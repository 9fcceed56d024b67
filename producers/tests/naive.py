"""The seven definitions, written down as plainly as they can be and slowly evaluated.

`signals(events)` returns (pattern, event) for each event at which a pattern fires. It knows no
truth and shares no code with the bank, so it can judge what the bank makes.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from producers.models import FraudAlert, KycProfile, Login, Transaction

Past = defaultdict[str | None, list[Any]]


def signals(events: Any, threshold: Any = 10_000) -> Any:
    """Return every (pattern, event) of a stream that is in order of time."""
    by_account: Past = defaultdict(list)
    by_card: Past = defaultdict(list)
    failures: Past = defaultdict(list)
    alerts: Past = defaultdict(list)
    cash: Past = defaultdict(list)
    cnp: Past = defaultdict(list)
    profiles: dict[str, list[KycProfile]] = {}
    first_seen: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    found: list[tuple[str, Any]] = []
    for event in events:
        at = event.occurred_at
        if isinstance(event, KycProfile):
            profiles.setdefault(event.customer_id, []).append(event)
        elif isinstance(event, Login) and event.outcome == "FAILURE":
            if burst(failures[event.customer_id], event, 60) >= 3:
                found.append(("brute_force_login", event))
        elif isinstance(event, FraudAlert):
            recent = trailing(alerts[event.customer_id], event, 300)
            if len({alert.alert_type for alert in recent}) >= 2:
                found.append(("compound", event))
        elif isinstance(event, Transaction):
            if burst(by_account[event.account_id], event, 60) >= 5:
                found.append(("velocity", event))
            if event.card_present:
                last = by_card[event.card_token]
                near_in_time = last and at - last[-1].occurred_at < timedelta(hours=2)
                if near_in_time and distance_km(last[-1], event) > 1_000:
                    found.append(("geo_impossible", event))
                last.append(event)
            else:
                if event.card_token and burst(cnp[event.card_token], event, 300) >= 8:
                    found.append(("cnp_spike", event))
                if takes_over(event, profiles, first_seen[event.customer_id]):
                    found.append(("account_takeover", event))
            if (
                event.transaction_type in ("CASH_DEPOSIT", "CASH_WITHDRAWAL")
                and event.status == "APPROVED"
                and threshold * 9 / 10 <= event.amount < threshold
                and burst(cash[event.account_id], event, 3_600) >= 2
            ):
                found.append(("structuring", event))
            if event.device_id:
                first_seen[event.customer_id].setdefault(event.device_id, at)
    return found


def trailing(past: Any, event: Any, seconds: float) -> Any:
    """Add the event to its key's past and return those within the window, it included."""
    past.append(event)
    earliest = event.occurred_at - timedelta(seconds=seconds)
    return [other for other in past if other.occurred_at >= earliest]


def burst(past: Any, event: Any, seconds: float) -> Any:
    """Return how many events of the key lie in the window that ends at this one."""
    return len(trailing(past, event, seconds))


def takes_over(event: Any, profiles: Any, first_seen: Any) -> Any:
    """True for 500 or more, without the card, from a device neither registered nor known."""
    if event.amount < 500 or event.device_id is None:
        return False
    published = [
        p for p in profiles.get(event.customer_id, ()) if p.occurred_at < event.occurred_at
    ]
    if published and event.device_id in published[-1].registered_device_ids:
        return False
    seen = first_seen.get(event.device_id, event.occurred_at)
    return event.occurred_at - seen <= timedelta(hours=24)


def distance_km(a: Any, b: Any) -> Any:
    """Return the great-circle distance of two payments."""
    lat_a, lat_b = radians(a.latitude), radians(b.latitude)
    square = (
        sin((lat_b - lat_a) / 2) ** 2
        + cos(lat_a) * cos(lat_b) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * 6371.0 * asin(sqrt(square))
