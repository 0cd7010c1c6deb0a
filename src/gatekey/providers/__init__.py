"""Providers: one file each, and nothing about any of them elsewhere. Pure: bodies and events in, bodies and events out.

The order inside every file: the module's words, the functions that read and write its dialect, its parameter
maps, and at the end `provider = Provider(...)`.
"""

from gatekey.providers import _bound as bound
from gatekey.providers import _read as reading
from gatekey.providers._auth import bearer, header
from gatekey.providers._compatible import compatible
from gatekey.providers._documented import DOCUMENTED
from gatekey.providers._estimate import passed, read
from gatekey.providers._shape import Shaped, address, shape
from gatekey.providers._spec import Asked, Chunk, Endpoint, Option, Provider, Theirs, To, Where
from gatekey.providers._tally import Tally, model_in, stores, units
from gatekey.providers._usage import usage

__all__ = [
    "DOCUMENTED",
    "Asked",
    "Chunk",
    "Endpoint",
    "Option",
    "Provider",
    "Shaped",
    "Tally",
    "Theirs",
    "To",
    "Where",
    "address",
    "bearer",
    "bound",
    "compatible",
    "header",
    "model_in",
    "passed",
    "read",
    "reading",
    "shape",
    "stores",
    "units",
    "usage",
]
