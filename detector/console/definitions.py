"""Patterns in words: what each watches, when it fires, and which events it looks at."""

from detector.console.words import label, number
from detector.core.rules import Condition, Pattern, Scalar

_SOURCES = {
    "transactions": "transactions",
    "logins": "logins",
    "card_events": "card events",
    "alerts": "alerts",
}
_NAMES = {"account_id": "account", "customer_id": "customer", "card_token": "card"}


def definition(pattern: Pattern) -> str:
    """When the pattern fires, in one sentence."""
    key = " and ".join(field(name) for name in pattern.key)
    events, window = _SOURCES[pattern.source], pattern.window_text
    limit = number(pattern.threshold)
    if pattern.operator == "burst":
        return f"{limit} or more {events} of one {key} within {window}."
    if pattern.operator == "distinct_burst":
        values = field(pattern.value or "")
        return (
            f"{events.capitalize()} of {limit} or more different {values}s of one {key} "
            f"within {window}."
        )
    if pattern.operator == "pair":
        return (
            f"Two {events} of one {key} in a row, more than {limit} km and less than {window} "
            "apart."
        )
    measure = field(pattern.measure or "")
    value = field(pattern.value or "")
    return (
        f"A {events.removesuffix('s')} with {_article(measure)} {measure} of {limit} or more, by "
        f"{_article(value)} {value} that the {key} has not registered and first used less than "
        f"{window} ago."
    )


def field(name: str) -> str:
    """A field as people call it: `card_token` is a card, `amount` an amount."""
    return _NAMES.get(name) or name.removesuffix("_id").replace("_", " ")


def condition(test: Condition) -> str:
    """One test of an event in words."""
    name = field(test.field)
    said = []
    if test.equals is not None:
        if isinstance(test.equals, bool):
            return name if test.equals else f"not {name}"
        said.append(f"is {_value(test.equals)}")
    if test.in_ is not None:
        said.append(f"is {_any_of(test.in_)}")
    if test.not_in is not None:
        said.append(f"is not {_any_of(test.not_in)}")
    if test.at_least is not None:
        said.append(f"is at least {number(test.at_least)}")
    if test.below is not None:
        said.append(f"is below {number(test.below)}")
    if test.is_null is not None:
        said.append("is missing" if test.is_null else "is known")
    return f"{name} {' and '.join(said)}"


def _any_of(values: list[Scalar]) -> str:
    return " or ".join(_value(value) for value in values)


def _value(value: Scalar) -> str:
    return label(value).lower() if isinstance(value, str) else f"{value:g}"


def _article(noun: str) -> str:
    return "an" if noun[:1] in "aeiou" else "a"
