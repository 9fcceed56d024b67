"""Merchant categories in words, by the codes of ISO 18245; the code itself is always shown too."""

_EXACT = {
    "4111": "local transport", "4112": "railways", "4121": "taxis and rides", "4131": "buses",
    "4214": "freight and couriers", "4411": "cruises", "4511": "airlines", "4722": "travel agents",
    "4812": "phones", "4814": "telephone and internet", "4816": "online services",
    "4829": "money transfer", "4899": "streaming and cable", "4900": "utilities",
    "5200": "home supplies", "5211": "building materials", "5311": "department stores",
    "5331": "variety stores", "5411": "supermarkets", "5422": "butchers", "5462": "bakeries",
    "5499": "food shops", "5511": "car dealers", "5541": "service stations",
    "5542": "fuel pumps", "5651": "clothing", "5661": "shoes", "5691": "clothing",
    "5712": "furniture", "5722": "household appliances", "5732": "electronics",
    "5734": "software shops", "5735": "music", "5812": "restaurants", "5813": "bars",
    "5814": "fast food", "5815": "digital media", "5816": "games", "5817": "apps",
    "5818": "digital goods", "5912": "pharmacies", "5921": "liquor", "5933": "pawn shops",
    "5941": "sports goods", "5942": "books", "5944": "jewellery and watches", "5945": "toys",
    "5964": "catalogue sales", "5967": "adult services", "5977": "cosmetics",
    "5993": "tobacco", "5999": "other shops", "6010": "cash at a counter",
    "6011": "cash machines", "6012": "banks", "6051": "crypto and quasi-cash",
    "6211": "securities", "6300": "insurance", "6513": "rent", "6540": "stored value",
    "7011": "hotels", "7230": "hairdressers", "7273": "dating", "7299": "services",
    "7372": "software services", "7399": "business services", "7523": "parking",
    "7538": "car workshops", "7801": "online gambling", "7832": "cinemas",
    "7922": "tickets", "7994": "game arcades", "7995": "gambling", "7997": "clubs and gyms",
    "8011": "doctors", "8021": "dentists", "8062": "hospitals", "8099": "health services",
    "8211": "schools", "8220": "universities", "8398": "charities", "8999": "professional services",
    "9311": "taxes", "9399": "government services",
}  # fmt: skip
_RANGES = [
    (1, 1500, "agriculture"), (1500, 3000, "contractors"), (3000, 3351, "airlines"),
    (3351, 3501, "car rental"), (3501, 4000, "hotels"), (4000, 4800, "transport"),
    (4800, 5000, "utilities and telephone"), (5000, 5600, "shops"), (5600, 5700, "clothing"),
    (5700, 7300, "shops"), (7300, 8000, "services"), (8000, 9000, "professional services"),
    (9000, 10_000, "government"),
]  # fmt: skip


def category(code: str | None) -> str:
    """What merchants of a four-digit category sell; empty for an unknown or missing code."""
    if code is None or not code.isdigit():
        return ""
    number = int(code)
    return _EXACT.get(code) or next((w for low, high, w in _RANGES if low <= number < high), "")
