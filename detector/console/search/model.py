"""Finds what an id belongs to: a case, an account, a customer, or the users of a card or device."""

from collections.abc import Iterable
from urllib.parse import quote

from pydantic import BaseModel

from detector.adapters.people.store import PeopleStore
from detector.console.search.hit import Hit, Kind
from detector.console.search.similar import similar
from detector.core.data import Row
from detector.core.names import split
from detector.pipeline.ports import ConsoleReader

_COLUMNS: dict[str, Kind] = {
    "account_id": "account",
    "customer_id": "customer",
    "card_token": "card",
    "device_id": "device",
    "ip_address": "ip",
    "merchant_id": "merchant",
    "event_id": "event",
    "transaction_id": "event",
}
_IN_STREAM = {
    "stg_transactions": list(_COLUMNS),
    "stg_logins": ["customer_id", "device_id", "ip_address", "event_id"],
    "stg_card_events": ["account_id", "customer_id", "card_token", "event_id"],
    "stg_alerts": ["customer_id", "event_id"],
    "stg_kyc_profiles": ["customer_id", "event_id"],
}
_MOST_ROWS = 500


class SearchResults(BaseModel):
    """The matches of an id, the most specific kind first."""

    q: str
    hits: list[Hit]


def search(reader: ConsoleReader, people: PeopleStore, q: str) -> SearchResults:
    """Find by exact id; without a match, by what begins so, last four digits, or a place."""
    q = q.strip()
    if not q:
        return SearchResults(q=q, hits=[])
    hits = [*_cases(reader, people, q), *_others(reader, q)]
    return SearchResults(q=q, hits=hits or similar(reader, q))


def _cases(reader: ConsoleReader, people: PeopleStore, q: str) -> list[Hit]:
    rows = reader.rows(
        f"""SELECT case_id, account_ids, level, status, last_signal_at FROM {reader.open_cases}
        WHERE POSITION(? IN case_id) = 1 ORDER BY case_id LIMIT 10""",
        [q],
    )
    closed = people.reviews.snapshot(q)
    if closed is not None and all(row["case_id"] != q for row in rows):
        rows.append({**closed, "status": people.reviews.get(q).status})
    return [
        Hit(
            kind="case",
            id=row["case_id"],
            detail=f"{row['level']}, {row['status'].lower().replace('_', ' ')}",
            href=f"/cases/{quote(row['case_id'], safe='')}",
            accounts=split(row["account_ids"]),
            last_at=row["last_signal_at"],
        )
        for row in rows
    ]


def _others(reader: ConsoleReader, q: str) -> list[Hit]:
    found: dict[Kind, list[Row]] = {}
    for stream, columns in _IN_STREAM.items():
        tests = " OR ".join(f"{column} = ?" for column in columns)
        shown = dict.fromkeys([*columns, *(["account_id"] if stream == "stg_alerts" else [])])
        rows = reader.rows(
            f"""SELECT {", ".join(shown)}, occurred_at FROM {stream} WHERE {tests}
            ORDER BY occurred_at DESC LIMIT {_MOST_ROWS}""",
            [q] * len(columns),
        )
        for row in rows:
            kind = next(_COLUMNS[column] for column in columns if row[column] == q)
            found.setdefault(kind, []).append({**row, "stream": stream})
    order = list(dict.fromkeys(_COLUMNS.values()))
    return [_hit(kind, q, found[kind]) for kind in order if kind in found]


def _hit(kind: Kind, q: str, rows: list[Row]) -> Hit:
    accounts = _distinct(rows, "account_id")
    customers = _distinct(rows, "customer_id")
    href = None
    if kind in ("account", "customer"):
        href = f"/{kind}s/{quote(q, safe='')}"
    elif kind == "event":
        href = f"/accounts/{quote(accounts[0], safe='')}" if accounts else None
        href = href or f"/customers/{quote(customers[0], safe='')}"
    count = f"{len(rows)}{'+' if len(rows) >= _MOST_ROWS else ''}"
    events = "event" if len(rows) == 1 else "events"
    people = f"{len(customers)} customer{'' if len(customers) == 1 else 's'}"
    return Hit(
        kind=kind,
        id=q,
        detail=f"{count} {events} of {people}",
        href=href,
        accounts=accounts[:20],
        last_at=max(row["occurred_at"] for row in rows),
    )


def _distinct(rows: Iterable[Row], column: str) -> list[str]:
    return list(dict.fromkeys(row[column] for row in rows if row.get(column)))
