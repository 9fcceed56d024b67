"""Constants and numbers in words, the same in every layer."""

ACRONYMS = frozenset({"aml", "smr", "kyc", "cnp", "pep", "ip", "api", "atm", "pos", "mfa", "pin"})
DASH = "\N{EN DASH}"


def label(constant: str | None) -> str:
    """A constant as a heading: `BLOCK_CARD` is `Block card`, `REFER_AML` is `Refer AML`."""
    if not constant:
        return DASH
    words = constant.replace("_", " ").lower().split(" ")
    text = " ".join(word.upper() if word in ACRONYMS else word for word in words)
    return text[0].upper() + text[1:]


def phrase(constant: str | None) -> str:
    """A constant within a sentence: `FALSE_POSITIVE` is `false positive`; acronyms stay."""
    text = label(constant)
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def amount(value: float) -> str:
    """A number for display: thousands separated, no trailing zeros."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"


def listed(words: list[str], conjunction: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    *head, last = words
    return f"{', '.join(head)} {conjunction} {last}" if head else last


def article(noun: str) -> str:
    """The indefinite article for a noun."""
    return "an" if noun[:1] in "aeiou" else "a"


def printable(text: str) -> str:
    """Text of unknown origin, safe for a terminal: control characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
