"""A pattern's `where` as parameterised SQL."""

from typing import Any

from detector.core.rules import Condition


def condition_sql(conditions: list[Condition]) -> tuple[str, list[Any]]:
    """Conditions as SQL over the columns of their stream, with its parameters in order."""
    parts: list[str] = ["true"]
    values: list[Any] = []
    for c in conditions:
        if c.equals is not None:
            parts.append(f"{c.field} = ?")
            values.append(c.equals)
        if c.in_ is not None:
            parts.append(f"{c.field} IN (SELECT unnest(?))")
            values.append(c.in_)
        if c.not_in is not None:
            parts.append(f"{c.field} NOT IN (SELECT unnest(?))")
            values.append(c.not_in)
        if c.is_null is not None:
            parts.append(f"{c.field} IS {'' if c.is_null else 'NOT '}NULL")
        if c.at_least is not None:
            parts.append(f"{c.field} >= ?")
            values.append(c.at_least)
        if c.below is not None:
            parts.append(f"{c.field} < ?")
            values.append(c.below)
    return " AND ".join(parts), values
