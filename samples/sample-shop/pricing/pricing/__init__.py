"""Prices of the shop: whole cents in, whole cents out."""

from .discounts import Discount, best_discount
from .money import Money
from .tax import TaxTable

__all__ = ["Discount", "Money", "TaxTable", "best_discount"]
