"""The seven definitions, written down as plainly as they can be and slowly evaluated.

`signals(events)` returns (pattern, event) for each event at which a pattern fires. It knows no
truth and shares no code with the bank, so it can judge what the bank makes.
"""

from collections import defaultdict
from datetime import timedelta
from math import asin, cos, radians, sin, sqrt

from producers.models import FraudAlert, KycProfile, Login, Transaction


def signals(events, threshold=10_000):
    """Return every (pattern, event) of a stream that is in order of time."""
    by_account, by_card, failures, alerts = (defaultdict(list) for _ in range(4))
    cash, cnp = defaultdict(list), defaultdict(list)
    profiles, first_seen = {}, defaultdict(dict)
    found = []
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


def trailing(past, event, seconds):
    """Add the event to its key's past and return those within the window, it included."""
    past.append(event)
    earliest = event.occurred_at - timedelta(seconds=seconds)
    return [other for other in past if other.occurred_at >= earliest]


def burst(past, event, seconds):
    """Return how many events of the key lie in the window that ends at this one."""
    return len(trailing(past, event, seconds))


def takes_over(event, profiles, first_seen):
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


def distance_km(a, b):
    """Return the great-circle distance of two payments."""
    lat_a, lat_b = radians(a.latitude), radians(b.latitude)
    square = (
        sin((lat_b - lat_a) / 2) ** 2
        + cos(lat_a) * cos(lat_b) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * 6371.0 * asin(sqrt(square))
