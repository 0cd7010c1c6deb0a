"""What an exchange costs: prices, the table that they are found in, and the changes that workspaces make to them.

Pure. Money is integer nano-dollars (1 USD = 1,000,000,000); a price that is not known is None, which is never zero.
"""

from gatekey.pricing.price import UNKNOWN, Price, cost
from gatekey.pricing.rates import Rates
from gatekey.pricing.table import BadPrices, Table, spellings

__all__ = ["UNKNOWN", "BadPrices", "Price", "Rates", "Table", "cost", "spellings"]
