"""Where money is spent: merchant categories with their share, usual amount and share online."""

import random
from itertools import accumulate
from typing import NamedTuple

MERCHANTS_PER_CODE = 40


class Category(NamedTuple):
    """A merchant category: codes, share by count, median in AUD, share online."""

    codes: tuple[str, ...]
    share: float
    median: float
    online: float


CATEGORIES: tuple[Category, ...] = (
    Category(("5411",), 24, 38, 0.06),  # supermarkets
    Category(("5812",), 12, 24, 0.03),  # restaurants
    Category(("5814",), 13, 15, 0.18),  # fast food
    Category(("5541", "5542"), 7, 58, 0.0),  # fuel
    Category(("4111", "4131", "4121"), 9, 9, 0.35),  # transit, bus, taxi
    Category(("5921", "5813"), 5, 32, 0.03),  # bottle shops, bars
    Category(("5912",), 4, 26, 0.03),  # pharmacies
    Category(("5311", "5310"), 4, 45, 0.25),  # department stores
    Category(("5651", "5691"), 3, 62, 0.45),  # clothing
    Category(("5732", "5045"), 1, 140, 0.50),  # electronics
    Category(("5815", "5816", "5818", "4899"), 6, 15, 1.0),  # digital goods, streaming
    Category(("4814", "4900"), 2, 95, 0.90),  # telephone, utilities
    Category(("8011", "8021", "8099"), 2, 85, 0.05),  # medical
    Category(("7995",), 2, 30, 0.90),  # betting
    Category(("7011", "4722", "4511"), 1, 260, 0.75),  # hotels, travel, airlines
    Category(("5399", "5999", "5942", "5200"), 4, 42, 0.30),  # other shops
    Category(("6051", "4829", "6211"), 0.3, 200, 1.0),  # crypto, wire, brokers
)
CURRENCIES = {
    "AU": "AUD", "NZ": "NZD", "US": "USD", "GB": "GBP", "IE": "EUR", "NL": "EUR", "SG": "SGD",
    "HK": "HKD", "JP": "JPY", "ID": "IDR", "TH": "THB",
}  # fmt: skip
_WEB_SHOPS_ABROAD = {"US": 50, "IE": 15, "GB": 12, "HK": 8, "SG": 8, "NZ": 7}
_SHOPS_PER_COUNTRY = 10
# What stolen card numbers are tested and spent on.
TESTING_CODES = ("8398", "7523", "4899")
CASHING_OUT_CODES = ("5732", "5816", "5944", "6540", "7311", "5968")
CASH_CODE = "6011"

_IN_PERSON = tuple(accumulate(c.share * (1 - c.online) for c in CATEGORIES))
_ONLINE = tuple(accumulate(c.share * c.online for c in CATEGORIES))


class Merchant(NamedTuple):
    """A shop: its id, category code and country, and the currency it charges."""

    merchant_id: str
    code: str
    country: str
    currency: str


def category(rng: random.Random, online: bool) -> Category:
    """Draw a category by its share of payments in person, or of payments online."""
    return rng.choices(CATEGORIES, cum_weights=_ONLINE if online else _IN_PERSON)[0]


def domestic(rng: random.Random, code: str) -> Merchant:
    """Draw an Australian merchant of a category code."""
    return Merchant(f"mer_{code}_{int(rng.random() * MERCHANTS_PER_CODE)}", code, "AU", "AUD")


def abroad(rng: random.Random, code: str, country: str) -> Merchant:
    """Draw a merchant of a country; the Australian ones are those of `domestic`."""
    if country == "AU":
        return domestic(rng, code)
    shop = rng.randrange(_SHOPS_PER_COUNTRY)
    return Merchant(f"mer_{code}_{country.lower()}_{shop}", code, country, CURRENCIES[country])


def overseas(rng: random.Random, code: str) -> Merchant:
    """Draw a merchant abroad that sells online, mostly an American one."""
    countries = tuple(_WEB_SHOPS_ABROAD)
    country = rng.choices(countries, weights=tuple(_WEB_SHOPS_ABROAD.values()))[0]
    return abroad(rng, code, country)
