"""Value added tax by country."""

from __future__ import annotations

from .money import Money

STANDARD_RATES = {"AT": 20, "DE": 19, "FR": 20, "IT": 22, "SI": 22}


class TaxTable:
    """Looks up the rate of a country and works out gross and net."""

    def __init__(self, rates: dict[str, int] | None = None) -> None:
        self._rates = dict(STANDARD_RATES if rates is None else rates)

    def rate(self, country: str) -> int:
        """Return the rate in percent.

        Raises:
            KeyError: the shop does not deliver to ``country``.
        """
        return self._rates[country.upper()]

    def gross(self, net: Money, country: str) -> Money:
        """Return the price with the tax of ``country`` in it."""
        return net + net.percent(self.rate(country))


def tax_included(gross: Money, rate: int) -> Money:
    net = (gross.cents * 100 + (100 + rate) // 2) // (100 + rate)
    return Money(gross.cents - net, gross.currency)
