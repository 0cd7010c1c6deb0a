"""Which ledger it is: Redis where its address is set, the database otherwise."""

from gatekey.limits.ledger import Ledger
from gatekey.store.database import Database
from gatekey.store.ledger import SqlLedger


def ledger(database: Database, redis_url: str) -> Ledger:
    """The ledger of a worker. Raises ImportError without the extra `redis`, ValueError where the URL is no such."""
    if not redis_url:
        return SqlLedger(database)
    from gatekey.store.redis_ledger import RedisLedger

    return RedisLedger(redis_url)
