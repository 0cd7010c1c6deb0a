# Made of _async/__init__.py by generate.py: change it there.
"""The client for asyncio. `_sync` is made of it, by `generate.py`: nothing else is written twice but connections."""
