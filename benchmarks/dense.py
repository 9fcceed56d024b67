"""Dense work: about a sixth of the events fire. `python -m benchmarks.dense OUT [EVENTS]`.

Transactions at 2,000 a second of event time, of 50,000 accounts drawn at random, so that an account
pays 2.4 times a minute; a third without the card; a few cards are in two cities at once.
"""

import argparse
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

RATE, ACCOUNTS, WITHOUT_CARD, TRAVELS = 2_000, 50_000, 0.36, 0.0006
START = datetime(2026, 1, 5, tzinfo=UTC)
_CITIES = (("Sydney", -33.87, 151.21), ("Perth", -31.95, 115.86))


def write_dense(out: Path, events: int, seed: int = 1) -> None:
    """Write `transactions.jsonl` into a folder; the same seed writes the same file."""
    draw = random.Random(seed).random
    out.mkdir(parents=True, exist_ok=True)
    with (out / "transactions.jsonl").open("w", encoding="utf-8") as file:
        for n in range(events):
            moment = START + timedelta(milliseconds=1000 * n // RATE)
            at = moment.isoformat(timespec="milliseconds")
            who = int(draw() * ACCOUNTS)
            present = draw() >= WITHOUT_CARD
            city, latitude, longitude = _CITIES[draw() < TRAVELS]
            file.write(
                f'{{"event_id":"e{n:09}","occurred_at":"{at}","transaction_id":"t{n:09}",'
                f'"account_id":"acc-{who:06}","customer_id":"cust-{who:06}",'
                f'"transaction_type":"PURCHASE","channel":"{"POS" if present else "ECOMMERCE"}",'
                f'"card_present":{str(present).lower()},"amount":"{1 + int(draw() * 150)}.00",'
                f'"currency":"AUD","status":"APPROVED","card_token":"tok-{who:06}",'
                f'"card_bin":"411111","card_last4":"1111","merchant_id":"mer-{n % 5000:04}",'
                f'"merchant_category":"5411","merchant_country":"AU","city":"{city}",'
                f'"latitude":{latitude},"longitude":{longitude},"device_id":null,'
                '"ip_address":null}\n'
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    given = parser.parse_args()
    write_dense(given.out, given.events)
