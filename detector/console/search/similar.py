"""Finds by less than an id: its beginning, a card's last four digits, a place."""

from urllib.parse import quote

from detector.console.search.hit import Hit, Kind
from detector.core.data import Row
from detector.pipeline.ports import ConsoleReader

_SHORTEST = 3
_MOST = 10
_MOST_ACCOUNTS = 20
_PREFIXED: dict[str, Kind] = {
    "account_id": "account",
    "customer_id": "customer",
    "merchant_id": "merchant",
    "device_id": "device",
    "card_token": "card",
}


def similar(reader: ConsoleReader, q: str) -> list[Hit]:
    """What begins with the text, has it as last four digits, or happened in a place of that name.

    Looks at payments only, and gives ten of each kind, the most recently used first.
    """
    if len(q) < _SHORTEST:
        return []
    found = []
    if len(q) == 4 and q.isdigit():
        found += _used(reader, "card_token", "card", "card_last4 = ?", q, f"card ending in {q}")
    found += _used(reader, "city", "place", "LOWER(city) = ?", q.lower(), "payments in this place")
    for column, kind in _PREFIXED.items():
        test = f"POSITION(? IN {column}) = 1"
        found += _used(reader, column, kind, test, q, f"begins with {q}")
    return found


def _used(
    reader: ConsoleReader, column: str, kind: Kind, test: str, value: str, detail: str
) -> list[Hit]:
    rows = reader.rows(
        f"""SELECT {column} AS id, MAX(occurred_at) AS last_at, COUNT(*) AS payments
        FROM stg_transactions WHERE {test} GROUP BY {column}
        ORDER BY MAX(occurred_at) DESC, {column} LIMIT {_MOST}""",
        [value],
    )
    return [_hit(reader, column, kind, row, detail) for row in rows]


def _hit(reader: ConsoleReader, column: str, kind: Kind, row: Row, detail: str) -> Hit:
    href = f"/{kind}s/{quote(row['id'], safe='')}" if kind in ("account", "customer") else None
    accounts = reader.rows(
        f"""SELECT account_id FROM stg_transactions WHERE {column} = ? GROUP BY account_id
        ORDER BY MAX(occurred_at) DESC, account_id LIMIT {_MOST_ACCOUNTS}""",
        [row["id"]],
    )
    count = row["payments"]
    return Hit(
        kind=kind,
        id=row["id"],
        detail=f"{detail}; {count} payment{'' if count == 1 else 's'}",
        href=href,
        accounts=[account["account_id"] for account in accounts],
        last_at=row["last_at"],
    )
