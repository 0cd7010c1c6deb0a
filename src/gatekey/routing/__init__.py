"""Routing: plans that decide which target is tried next. Pure: they yield what to do and are sent what came of it."""
