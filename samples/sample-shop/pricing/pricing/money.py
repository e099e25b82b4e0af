"""Amounts of money that cannot lose a cent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Money:
    """An amount in whole cents of one currency."""

    cents: int
    currency: str = "EUR"

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.cents + other.cents, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.cents - other.cents, self.currency)

    def percent(self, rate: int) -> Money:
        """Return ``rate`` percent of the amount, half a cent rounded up."""
        return Money((self.cents * rate + 50) // 100, self.currency)

    def split(self, parts: int) -> list[Money]:
        if parts < 1:
            raise ValueError("parts must be at least 1")
        share, rest = divmod(self.cents, parts)
        return [Money(share + (1 if i < rest else 0), self.currency) for i in range(parts)]

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def parse_money(text: str) -> Money:
    amount, _, currency = text.strip().partition(" ")
    whole, _, fraction = amount.replace(",", ".").partition(".")
    cents = int(whole) * 100 + int((fraction + "00")[:2])
    return Money(cents, currency or "EUR")
