"""Tests of the price rules."""

import unittest

from pricing import Discount, Money, TaxTable, best_discount


class PricingTest(unittest.TestCase):
    """The rules a customer would notice."""

    def test_splitting_keeps_every_cent(self) -> None:
        """Three friends share ten euros."""
        self.assertEqual(sum(part.cents for part in Money(1000).split(3)), 1000)

    def test_the_best_usable_discount_wins(self) -> None:
        """A discount above the total is out of reach."""
        small, large = Discount("5 %", 5, Money(0)), Discount("20 %", 20, Money(10_000))
        self.assertIs(best_discount(Money(4_000), [small, large]), small)

    def test_gross_is_net_and_tax(self) -> None:
        """Nineteen percent on a hundred euros."""
        self.assertEqual(TaxTable().gross(Money(10_000), "de"), Money(11_900))


if __name__ == "__main__":
    unittest.main()
