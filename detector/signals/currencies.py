"""Amounts in the base currency, by the rates in `vars.currencies`."""

from decimal import Decimal
from functools import cached_property
from typing import Annotated

from pydantic import Field, StringConstraints

from detector.signals.pattern import Block

Code = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
_MICRO = 1_000_000


class Currencies(Block):
    """The base currency, and how much of it one unit of each other currency is worth."""

    base: Code
    rates: dict[Code, Annotated[Decimal, Field(gt=0, decimal_places=6)]]

    def in_base(self, amount: str, currency: str) -> str | None:
        """A decimal amount in the base currency, halves of a cent rounded up.

        None for a currency without a rate: it is never taken one to one.
        """
        if currency == self.base:
            return amount
        rate = self._micros.get(currency)
        if rate is None:
            return None
        return decimal_of((cents_of(amount) * rate + _MICRO // 2) // _MICRO)

    @cached_property
    def _micros(self) -> dict[str, int]:
        return {code: int(rate * _MICRO) for code, rate in self.rates.items()}


def cents_of(amount: str) -> int:
    """A decimal amount with two places in cents."""
    return int(amount.replace(".", ""))


def decimal_of(cents: int) -> str:
    """Cents as a decimal amount with two places."""
    return f"{cents // 100}.{cents % 100:02d}"
