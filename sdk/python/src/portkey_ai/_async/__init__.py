"""The client for asyncio. `_sync` is made of it, by `generate.py`: nothing else is written twice but connections."""
