"""Which ledger it is: Redis where its address is set, the database otherwise."""

from gatekey.limits.ledger import Ledger
from gatekey.store.database import Database
from gatekey.store.ledger import SqlLedger


def ledger(database: Database, redis_url: str) -> Ledger:
    """The ledger of a worker. Raises ValueError where the URL is not Redis', or the package for it is missing."""
    return redis(redis_url) if redis_url else SqlLedger(database)


def redis(url: str) -> Ledger:
    """The ledger in Redis. Connects to nothing yet."""
    try:
        from gatekey.store.redis_ledger import RedisLedger

        return RedisLedger(url)
    except ImportError:
        raise ValueError("GATEKEY_REDIS_URL needs a package: pip install 'gatekey[redis]'") from None
    except ValueError:  # what it says may have a part of the password
        raise ValueError(
            "GATEKEY_REDIS_URL must be redis://..., rediss://... or unix://..., with options that the client has"
        ) from None
