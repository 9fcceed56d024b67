"""The meaning of detection in its plainest form, O(n²), straight from design.md §2-§4.

Nothing here shares code with the detector but the event types and the parameters of cases.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import md5
from math import acos, cos, floor, log, radians, sin, sqrt
from typing import Any

from detector.core.events import Event, FraudAlert, KycProfile, Login, Transaction
from detector.signals.rules import Rules

Where = Callable[[Any], bool]
Observed = dict[str, float]


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def burst(events: list[Any], key: str, window: timedelta, k: int, where: Where) -> Observed:
    """>= k events of the key in [t - window, t]; observed is how many."""
    chosen = [e for e in events if where(e) and getattr(e, key) is not None]
    counts = {e.event_id: len(_in_window(chosen, e, key, window)) for e in chosen}
    return {name: n for name, n in counts.items() if n >= k}


def distinct_burst(
    events: list[Any], key: str, value: str, window: timedelta, k: int, where: Where
) -> Observed:
    """>= k different values of the key in [t - window, t]; observed is how many."""
    chosen = [
        e
        for e in events
        if where(e) and getattr(e, key) is not None and getattr(e, value) is not None
    ]
    counts = {
        e.event_id: len({getattr(f, value) for f in _in_window(chosen, e, key, window)})
        for e in chosen
    }
    return {name: n for name, n in counts.items() if n >= k}


def pair(events: list[Any], key: str, window: timedelta, limit_km: float, where: Where) -> Observed:
    """> limit from the key's event before it by (time, id), less than the window apart."""
    found = {}
    chosen = [e for e in events if where(e) and getattr(e, key) is not None]
    for e in chosen:
        earlier = [
            f for f in chosen if getattr(f, key) == getattr(e, key) and _order(f) < _order(e)
        ]
        if not earlier:
            continue
        before = max(earlier, key=_order)
        km = kilometres(before, e)
        if e.occurred_at - before.occurred_at < window and km > limit_km:
            found[e.event_id] = round(km, 1)
    return found


def novelty(
    events: list[Any],
    profiles: list[KycProfile],
    key: str,
    value: str,
    window: timedelta,
    least: float,
    where: Where,
) -> Observed:
    """Amount >= least with a value neither registered in the profile in force nor long known."""
    found = {}
    for e in events:
        if getattr(e, value) is None or not where(e) or float(e.base_amount or 0) < least:
            continue
        so_far = [
            p
            for p in profiles
            if getattr(p, key) == getattr(e, key) and p.occurred_at <= e.occurred_at
        ]
        in_force = max(so_far, key=_order, default=None)
        registered = in_force.registered_device_ids if in_force else []
        sightings = [
            f.occurred_at
            for f in events
            if getattr(f, key) == getattr(e, key) and getattr(f, value) == getattr(e, value)
        ]
        long_known = e.occurred_at - min(sightings) > window
        if getattr(e, value) not in registered and not long_known:
            found[e.event_id] = float(e.base_amount)
    return found


def new_values(
    events: list[Any], key: str, value: str, window: timedelta, least: float, where: Where
) -> Observed:
    """Amount >= least with a value first seen within the window, of a key known for longer."""
    found = {}
    for e in events:
        if getattr(e, value) is None or not where(e) or float(e.base_amount or 0) < least:
            continue
        own = [f for f in events if getattr(f, key) == getattr(e, key) and getattr(f, value)]
        since = min(f.occurred_at for f in own)
        first = min(f.occurred_at for f in own if getattr(f, value) == getattr(e, value))
        if first >= e.occurred_at - window and since < e.occurred_at - window:
            found[e.event_id] = float(e.base_amount)
    return found


def outlier(
    events: list[Any],
    key: str,
    k: int,
    prior: tuple[float, float, int],
    least: float,
    limit: float,
    where: Where,
) -> Observed:
    """Deviations of the logarithm from the mean of the last k, the prior counted in."""
    usual, spread, weight = prior
    found = {}
    chosen = sorted((e for e in events if where(e) and float(e.base_amount or 0) > 0), key=_order)
    for place, e in enumerate(chosen):
        before = [f for f in chosen[:place] if getattr(f, key) == getattr(e, key)][-k:]
        if len(before) < weight or float(e.base_amount) < least:
            continue
        steps = [floor(100 * log(float(f.base_amount))) for f in before]
        centre, sd = floor(100 * log(usual)), floor(100 * spread)
        mean = (sum(steps) + weight * centre) / (len(steps) + weight)
        square = sum(s * s for s in steps) + weight * (sd * sd + centre * centre)
        deviation = sqrt(square / (len(steps) + weight) - mean * mean)
        own = floor(100 * log(float(e.base_amount)))
        observed = floor((own - mean) / deviation * 10) / 10
        if observed >= limit:
            found[e.event_id] = observed
    return found


def all_patterns(events_of: Iterable[Event]) -> Observed:
    """The table of design.md §3, line by line, with its numbers, and the two of habit."""
    events = list(events_of)
    tx = [e for e in events if isinstance(e, Transaction)]
    logins = [e for e in events if isinstance(e, Login)]
    alerts = [e for e in events if isinstance(e, FraudAlert)]
    profiles = [e for e in events if isinstance(e, KycProfile)]
    in_cash = {"CASH_DEPOSIT", "CASH_WITHDRAWAL"}
    answers = {
        "velocity": burst(tx, "account_id", seconds(60), 5, lambda e: True),
        "geo_impossible": pair(
            tx,
            "card_token",
            seconds(2 * 3600),
            1000,
            lambda e: e.card_present and e.latitude is not None and e.longitude is not None,
        ),
        "account_takeover": novelty(
            tx,
            profiles,
            "customer_id",
            "device_id",
            seconds(24 * 3600),
            500,
            lambda e: not e.card_present,
        ),
        "cnp_spike": burst(tx, "card_token", seconds(300), 8, lambda e: not e.card_present),
        "brute_force_login": burst(
            logins, "customer_id", seconds(60), 3, lambda e: e.outcome == "FAILURE"
        ),
        "structuring": burst(
            tx,
            "account_id",
            seconds(3600),
            2,
            lambda e: (
                e.transaction_type in in_cash
                and 9000 <= float(e.base_amount or 0) < 10000
                and e.status not in {"DECLINED", "REVERSED"}
            ),
        ),
        "compound": distinct_burst(
            alerts, "customer_id", "alert_type", seconds(300), 2, lambda e: True
        ),
        "unusual_amount": outlier(
            tx,
            "customer_id",
            30,
            (40, 1.2, 5),
            200,
            2.5,
            lambda e: e.transaction_type != "CASH_DEPOSIT" and e.status == "APPROVED",
        ),
        "new_payee_large": new_values(
            tx,
            "customer_id",
            "payee_id",
            seconds(86_400),
            1000,
            lambda e: e.transaction_type in {"TRANSFER", "BILL_PAYMENT"} and e.status == "APPROVED",
        ),
    }
    return {f"{name}:{e}": n for name, found in answers.items() for e, n in found.items()}


CUSTOMER_LEVEL = {"brute_force_login", "compound"}
BURSTS: dict[str, tuple[str, float, Where]] = {
    "velocity": ("account_id", 60, lambda e: True),
    "cnp_spike": ("card_token", 300, lambda e: not e.card_present),
    "structuring": (
        "account_id",
        3600,
        lambda e: (
            e.transaction_type in {"CASH_DEPOSIT", "CASH_WITHDRAWAL"}
            and 9000 <= float(e.base_amount or 0) < 10000
            and e.status not in {"DECLINED", "REVERSED"}
        ),
    ),
}


def exposing(log: Iterable[Event], names: Iterable[str]) -> dict[str, list[Transaction]]:
    """The transactions that each signal makes suspicious.

    A burst exposes what is in its window and lies between the same two firings as its event.
    """
    tx = [e for e in log if isinstance(e, Transaction)]
    by_id = {e.event_id: e for e in tx}
    fired = [name.split(":") for name in names]
    found: dict[str, list[Transaction]] = {}
    for pattern, event_id in fired:
        e = by_id.get(event_id)
        if e is None or pattern in CUSTOMER_LEVEL:
            found[f"{pattern}:{event_id}"] = []
        elif pattern in BURSTS:
            key, window, where = BURSTS[pattern]
            chosen = [f for f in tx if getattr(f, key) == getattr(e, key) and where(f)]
            firing = [f for f in chosen if [pattern, f.event_id] in fired]

            def before(f: Any, firing: list[Any] = firing) -> datetime | None:
                times = [g.occurred_at for g in firing if _order(g) < _order(f)]
                return max(times, default=None)

            found[f"{pattern}:{event_id}"] = [
                f for f in _in_window(chosen, e, key, seconds(window)) if before(f) == before(e)
            ]
        elif pattern == "geo_impossible":
            earlier = [
                f
                for f in tx
                if f.card_token == e.card_token
                and f.card_present
                and f.latitude is not None
                and f.longitude is not None
                and _order(f) < _order(e)
            ]
            found[f"{pattern}:{event_id}"] = [max(earlier, key=_order), e]
        else:
            found[f"{pattern}:{event_id}"] = [e]
    return found


def cents(event: Transaction) -> int:
    """What is lost if the transaction is fraud, in cents of the base currency."""
    if event.status != "APPROVED" or event.transaction_type == "CASH_DEPOSIT":
        return 0
    return round(float(event.base_amount or 0) * 100)


def dollars(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"


class Bank:
    """What the signals of a log mean for its accounts and customers.

    `closings` are the moments until which cases of a customer were closed.
    """

    def __init__(
        self,
        log: Iterable[Event],
        rules: Rules,
        signals: Observed | None = None,
        closings: dict[str, list[datetime]] | None = None,
    ):
        self.rules = rules
        self.events = {e.event_id: e for e in log}
        names = all_patterns(self.events.values()) if signals is None else signals
        self.signals = [self._signal(name) for name in sorted(names)]
        self.exposed = exposing(self.events.values(), names)
        self.closings = closings or {}
        self.weights = {name: p.weight for name, p in rules.patterns.items()}

    def _signal(self, name: str) -> tuple[datetime, str, str, Any]:
        pattern, event_id = name.split(":")
        event = self.events[event_id]
        return event.occurred_at, name, pattern, event

    def attributed(self) -> set[tuple[str, str]]:
        """An account-level signal counts for its account, the others for all accounts held."""
        found = set()
        for at, name, pattern, event in self.signals:
            if pattern not in CUSTOMER_LEVEL:
                found.add((event.account_id, name))
                continue
            for link in self.events.values():
                if (
                    isinstance(link, Transaction | KycProfile)
                    and link.customer_id == event.customer_id
                    and link.occurred_at <= at
                ):
                    held = [link.account_id] if isinstance(link, Transaction) else link.account_ids
                    found |= {(account, name) for account in held}
        return found

    def of_accounts(self) -> dict[str, list[tuple[datetime, str, str, Any]]]:
        """Each account's signals in order of time and id."""
        by_name = {signal[1]: signal for signal in self.signals}
        accounts: dict[str, list[Any]] = {}
        for account, name in self.attributed():
            accounts.setdefault(account, []).append(by_name[name])
        return {account: sorted(s, key=lambda x: x[:2]) for account, s in accounts.items()}

    def score(self, patterns: Iterable[str]) -> float:
        return min(1.0, round(sum(self.weights[p] for p in set(patterns)), 6))

    def risk(self) -> dict[tuple[str, datetime], tuple[float, str, tuple[str, ...]]]:
        """The score at each moment at which a signal fired, over (t - 120 s, t]."""
        history = {}
        for account, signals in self.of_accounts().items():
            for at, *_ in signals:
                present = {p for t, _, p, _ in signals if at - seconds(120) < t <= at}
                score = self.score(present)
                history[account, at] = (score, level(score), tuple(sorted(present)))
        return history

    def cases(self) -> list[dict[str, Any]]:
        """The customer's signals from the first session on that weighs 0.50 or exposes enough."""
        found = []
        for customer in {e.customer_id for *_, e in self.signals}:
            own = sorted((s for s in self.signals if s[3].customer_id == customer), key=_when)
            closings = self.closings.get(customer, [])
            for number in range(len(closings) + 1):
                since = closings[number - 1] if number else None
                until = closings[number] if number < len(closings) else None
                signals = [
                    s
                    for s in own
                    if (since is None or s[0] > since) and (until is None or s[0] <= until)
                ]
                found += self._case(customer, number, signals)
        return sorted(found, key=lambda c: (c["customer_id"], c["first_signal_at"]))

    def _case(
        self, customer: str, number: int, signals: list[tuple[datetime, str, str, Any]]
    ) -> list[dict[str, Any]]:
        sessions: list[list[Any]] = []
        for signal in signals:
            if not sessions or signal[0] - sessions[-1][-1][0] > seconds(1800):
                sessions.append([])
            sessions[-1].append(signal)
        opening = next((n for n, s in enumerate(sessions) if self._opened_at(s)), None)
        if opening is None:
            return []
        members = [signal for session in sessions[opening:] for signal in session]
        first_at: dict[str, datetime] = {}
        for at, _, pattern, _ in members:
            first_at.setdefault(pattern, at)
        score = self.score(first_at)
        opened_at = self._opened_at(sessions[opening])
        heaviest = sorted(
            (p for p in self.rules.patterns.values() if p.id in first_at), key=lambda p: -p.weight
        )
        actions = list(dict.fromkeys(p.action for p in heaviest))
        money = self._money(members)
        gone = [e for e in money if e.card_present or e.transaction_type == "CASH_WITHDRAWAL"]
        due = {"critical": 900, "high": 3600, "medium": 14400, "low": 28800}[level(score)]
        return [
            {
                "case_id": case_id(customer, number),
                "customer_id": customer,
                "account_ids": sorted(
                    {e.account_id for _, _, p, e in members if p not in CUSTOMER_LEVEL}
                ),
                "level": level(score),
                "score": score,
                "patterns": sorted(first_at, key=lambda p: (first_at[p], p)),
                "signal_count": len(members),
                "exposure": dollars(sum(map(cents, money))),
                "already_gone": dollars(sum(map(cents, gone))),
                "first_signal_at": members[0][0],
                "last_signal_at": members[-1][0],
                "opened_at": opened_at,
                "due_at": opened_at + seconds(due),
                "recommended_action": actions[0],
                "actions": actions,
                "previous_case_id": case_id(customer, number - 1) if number else None,
            }
        ]

    def _money(self, signals: list[Any]) -> list[Transaction]:
        return list({e.event_id: e for s in signals for e in self.exposed[s[1]]}.values())

    def _opened_at(self, session: list[Any]) -> Any:
        limit = Decimal(str(self.rules.cases.opens_at_loss)) * 100
        for n in range(1, len(session) + 1):
            so_far = session[:n]
            score = self.score(p for _, _, p, _ in so_far)
            loss = sum(map(cents, self._money(so_far))) * Decimal(str(score)) ** 2
            if score >= 0.5 or loss >= limit:
                return session[n - 1][0]
        return None


def case_id(customer: str, closed_before: int) -> str:
    """The id of a customer's case after so many closed ones."""
    return "case_" + md5(f"{customer}|{closed_before}".encode()).hexdigest()[:12]


def level(score: float) -> str:
    """critical >= 0.80, high >= 0.50, medium >= 0.25, low > 0."""
    return (
        "critical" if score >= 0.8
        else "high" if score >= 0.5
        else "medium" if score >= 0.25
        else "low"
    )  # fmt: skip


def kilometres(a: Any, b: Any) -> float:
    """Great-circle distance by the law of cosines, on a sphere of 6,371 km."""
    lat1, lat2 = radians(a.latitude), radians(b.latitude)
    turn = radians(b.longitude - a.longitude)
    cosine = sin(lat1) * sin(lat2) + cos(lat1) * cos(lat2) * cos(turn)
    return 6371.0 * acos(max(-1.0, min(1.0, cosine)))


def _when(signal: tuple[datetime, str, str, Any]) -> tuple[datetime, str]:
    return signal[0], signal[1]


def _order(event: Any) -> tuple[datetime, str]:
    return event.occurred_at, event.event_id


def _in_window(events: list[Any], e: Any, key: str, window: timedelta) -> list[Any]:
    return [
        f
        for f in events
        if getattr(f, key) == getattr(e, key)
        and e.occurred_at - window <= f.occurred_at <= e.occurred_at
    ]
