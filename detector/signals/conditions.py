"""A pattern's `where` in Python, in SQL and in words: one renderer each.

The dbt macro `conditions` renders it for the models, where values are literals.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from detector.core.text import amount, article, listed, phrase
from detector.signals.pattern import Condition, Scalar
from detector.signals.predicate import Predicate


class Sql(NamedTuple):
    """A condition with a `?` for each of its parameters."""

    text: str
    parameters: list[Any]


def names(conditions: Sequence[Condition | Predicate]) -> dict[str, Any]:
    """What the expressions of `python` call."""
    return {n: f for c in conditions if isinstance(c, Predicate) for n, f in c.names.items()}


def python(condition: Condition | Predicate) -> str:
    """An expression over `event` and `names`.

    It is safe to evaluate: only field names that the rules have checked and `repr` of plain values
    go into it.
    """
    if isinstance(condition, Predicate):
        return condition.python
    field = f"event.{condition.field}"
    present = f"{field} is not None"
    parts = []
    if condition.is_null is not None:
        parts.append(f"{field} is None" if condition.is_null else present)
    if condition.equals is not None:
        parts.append(f"{field} == {condition.equals!r}")
    if condition.in_ is not None:
        parts.append(f"{field} in {tuple(condition.in_)!r}")
    if condition.not_in is not None:
        parts += [present, f"{field} not in {tuple(condition.not_in)!r}"]
    # Amounts are decimal strings; floats keep their order.
    if condition.at_least is not None:
        parts += [present, f"float({field}) >= {condition.at_least!r}"]
    if condition.below is not None:
        parts += [present, f"float({field}) < {condition.below!r}"]
    return " and ".join(parts)


def sql(conditions: Sequence[Condition | Predicate], alias: str = "") -> Sql:
    """All conditions, over the columns of a stream (of the table `alias`)."""
    tests, values = ["TRUE"], list[Any]()
    for condition in conditions:
        if isinstance(condition, Predicate):
            tests.append(condition.over(alias))
            continue
        column = f"{alias}.{condition.field}" if alias else condition.field
        if condition.equals is not None:
            tests.append(f"{column} = ?")
            values.append(condition.equals)
        for choices, operator in ((condition.in_, "IN"), (condition.not_in, "NOT IN")):
            if choices is not None:
                tests.append(f"{column} {operator} ({', '.join('?' * len(choices))})")
                values += choices
        if condition.is_null is not None:
            tests.append(f"{column} IS {'' if condition.is_null else 'NOT '}NULL")
        for bound, operator in ((condition.at_least, ">="), (condition.below, "<")):
            if bound is not None:
                tests.append(f"{column} {operator} ?")
                values.append(bound)
    return Sql(" AND ".join(tests), values)


def words(condition: Condition | Predicate) -> str:
    """One test in words: `amount is at least 9,000 and below 10,000`; SQL as it is written."""
    if isinstance(condition, Predicate):
        return condition.sql
    name = noun(condition.field)
    if isinstance(condition.equals, bool):
        return name if condition.equals else f"not {name}"
    parts = []
    if condition.equals is not None:
        parts.append(f"is {_value(condition.equals)}")
    if condition.in_ is not None:
        parts.append(f"is {listed([_value(v) for v in condition.in_])}")
    if condition.not_in is not None:
        parts.append(f"is not {listed([_value(v) for v in condition.not_in])}")
    if condition.at_least is not None:
        parts.append(f"is at least {amount(condition.at_least)}")
    if condition.below is not None:
        parts.append(f"{'' if parts else 'is '}below {amount(condition.below)}")
    if condition.is_null is not None:
        parts.append("is missing" if condition.is_null else "is known")
    return f"{name} {' and '.join(parts)}"


_NOUNS = {
    "account_id": "account",
    "base_amount": "amount",
    "customer_id": "customer",
    "card_token": "card",
}


def noun(field: str) -> str:
    """A field in words: `card_token` is a card, `device_id` a device."""
    return _NOUNS.get(field) or field.removesuffix("_id").replace("_", " ")


def with_article(field: str) -> str:
    """A field in words, with its indefinite article."""
    return f"{article(noun(field))} {noun(field)}"


def _value(value: Scalar) -> str:
    return phrase(value) if isinstance(value, str) else amount(value)
