"""Discounts, and which of them is best for the customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .money import Money


@dataclass(frozen=True)
class Discount:
    """A percentage off, from a certain amount on."""

    name: str
    percent: int
    minimum: Money

    def applies_to(self, total: Money) -> bool:
        return total >= self.minimum

    def apply(self, total: Money) -> Money:
        """Return what is left to pay; ``total`` itself when it is too small."""
        return total - total.percent(self.percent) if self.applies_to(total) else total


def best_discount(total: Money, discounts: Iterable[Discount]) -> Discount | None:
    usable = [discount for discount in discounts if discount.applies_to(total)]
    return max(usable, key=lambda discount: discount.percent, default=None)


class LoyaltyAccount:
    def __init__(self, customer: str, points: int = 0) -> None:
        self.customer = customer
        self.points = points

    def earn(self, paid: Money) -> int:
        """Add one point for every full euro paid and return the points earned."""
        earned = paid.cents // 100
        self.points += earned
        return earned

    def redeem(self, points: int) -> Money:
        if points > self.points:
            raise ValueError(f"{self.customer} has only {self.points} points")
        self.points -= points
        return Money(points * 5)
