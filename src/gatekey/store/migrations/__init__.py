"""Migrations of the store, run on start."""
