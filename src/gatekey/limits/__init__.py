"""Budgets and rates: what may be spent, as arithmetic. Who asks when, and where it is kept, is decided elsewhere."""
