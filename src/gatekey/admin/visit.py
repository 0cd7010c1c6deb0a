"""One request to the control plane, as the function that serves it sees it."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from gatekey.admin.route import Answer, Route
from gatekey.catalog import Catalog
from gatekey.config.fields import snake
from gatekey.errors import BadBody, BadHeader, BadJson, Forbidden
from gatekey.gateway.prices import Prices
from gatekey.limits.ledger import Ledger
from gatekey.secret import Secret
from gatekey.store import audit, workspaces
from gatekey.store.database import Database, Write
from gatekey.store.directory import Directory, Principal
from gatekey.store.rows import Row
from gatekey.upstream.egress import Policy
from gatekey.vault import Vault

MAX_BODY = 1024 * 1024
"""Bytes of a body."""
MAX_PAGE = 1000
"""Rows on a page."""
MAX_SEVERAL = 1000
"""Items of a body that may be an array."""

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

T = TypeVar("T")

_unnamed = re.compile(r"Object (contains unknown|missing required) field `(.*)`")
"""What the parser says of a field that it does not name as the place of the error."""


class House(Struct, frozen=True):
    """What the control plane needs of the gateway. Without a ledger no limit says how far it is used up. `keep` takes a
    record, encoded, and says whether it is kept; `prices` says what it cost."""

    catalog: Catalog
    database: Database
    directory: Directory
    vault: Vault
    policy: Policy = Policy()
    ledger: Ledger | None = None
    keep: Callable[[bytes], bool] | None = None
    prices: Prices | None = None


class Visit:
    """Who asks for what. `content`: the body read into the route's struct; `origin`: scheme and host by which the
    caller reached the gateway."""

    def __init__(
        self,
        house: House,
        route: Route,
        principal: Principal,
        parameters: Mapping[str, str],
        query: Mapping[str, str],
        content: Any,
        trail: Row,
        origin: str = "",
    ) -> None:
        self.house = house
        self.route = route
        self.principal = principal
        self.parameters = parameters
        self.query = query
        self.content = content
        self.origin = origin
        self._trail = trail

    async def read(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """`function(connection, ...)`."""
        return await self.house.database.read(lambda connection: function(connection, *arguments, **options))

    async def write(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """`function(write, ...)`, and a row in the audit trail, both or neither. Everybody sees the change then."""

        def run(write: Write) -> T:
            result = function(write, *arguments, **options)
            audit.record(write, **self._trail, response_status_code=200)
            return result

        result = await self.house.database.write(run)
        await self.house.directory.refresh()
        return result

    async def workspace(self, given: str | None) -> str:
        """The id of the workspace that the request is about: the given one, else the caller's own.

        Raises `Forbidden` where the caller's key belongs to another one, `NotFound` where there is none.
        """
        if self.principal.workspace and given in (None, "", self.principal.workspace):
            return self.principal.workspace
        found = await self.read(workspaces.find, given or workspaces.DEFAULT)
        self.inside(found["id"])
        return str(found["id"])

    def inside(self, workspace: str | None) -> None:
        """Raises `Forbidden` where the caller may not see what belongs to `workspace`."""
        if self.principal.workspace and workspace != self.principal.workspace:
            raise Forbidden("It belongs to another workspace than your API key.")

    def page(self, size: int = 50) -> tuple[int, int]:
        """The page's number (0-based) and size, in any documented spelling. Raises `BadHeader` naming the parameter."""
        number = self._number(("current_page", "currentPage"), 0, 0, 1_000_000)
        return number, self._number(("page_size", "pageSize"), size, 1, MAX_PAGE)

    def _number(self, names: tuple[str, ...], default: int, low: int, high: int) -> int:
        for name in names:
            given = self.query.get(name, "")
            if given:
                if given.isascii() and given.isdigit() and len(given) < 10 and low <= int(given) <= high:
                    return int(given)
                raise BadHeader(f"{name}: expected an integer from {low} to {high}, got {given[:60]!r}.", param=name)
        return default


def listed(found: list[Answer], total: int) -> Answer:
    """A page of a list."""
    return {"object": "list", "total": total, "data": found}


def moment(milliseconds: int | None) -> str | None:
    """ms since the epoch as ISO 8601 in UTC."""
    if milliseconds is None:
        return None
    told = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return told.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str | None, name: str) -> int | None:
    """An ISO 8601 moment as ms since the epoch; without an offset it is UTC. Raises `BadBody` naming the field."""
    if not text:
        return None
    try:
        told = datetime.datetime.fromisoformat(text)
        told = (told if told.tzinfo else told.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise BadBody(f"{name}: expected a date such as 2027-01-31T00:00:00Z, got {text[:60]!r}.", param=name) from None
    return (told - EPOCH) // datetime.timedelta(milliseconds=1)  # through a float, one moment of 200 is another


def content(data: bytes, kind: type[Struct]) -> Any:
    """A body read into its struct; fields may be in camelCase too. Raises `BadJson`, or `BadBody` naming the field.

    Where the struct names one of its fields as `REST`, that object takes the fields which the struct has not.
    """
    spelled: dict[str, str] = {}
    try:
        if data.lstrip()[:1] == b"{":
            named, spelled = _fields(msgspec.json.decode(data, type=dict[str, Raw]), kind)
            data = msgspec.json.encode(named)
        return msgspec.json.decode(data or b"{}", type=kind, dec_hook=_secret)
    except msgspec.ValidationError as error:
        told, _, place = str(error).partition(" - at `$")
        unnamed = _unnamed.fullmatch(told)
        parts = (place.rstrip("`").lstrip("."), unnamed[2] if unnamed else "")
        first, *below = [part for part in parts if part] or [""]
        field = ".".join((spelled.get(first, first), *below))
        reason = told
        if unnamed:
            reason = "missing" if unnamed[1].startswith("missing") else "there is no such field"
        raise BadBody(f"{field or 'the body'}: {reason}.", param=field or None) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadJson(f"The request body is not valid JSON. {error}") from None


def contents(data: bytes, kind: type[Struct]) -> list[Any]:
    """A body of one item or several: an object, an array, or an array as one client writes it: `{"0": ..., "1": ...}`.

    Raises `BadJson`, or `BadBody` naming item and field.
    """
    try:
        given = msgspec.json.decode(data or b"null", type=list[Raw] | dict[str, Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadJson(f"The request body is not a JSON object or an array of them. {error}") from None
    if isinstance(given, dict):
        if list(given) != [str(number) for number in range(len(given))] or not given:
            return [content(data, kind)]
        given = list(given.values())
    if not 0 < len(given) <= MAX_SEVERAL:
        raise BadBody(f"The body has {len(given)} items; it may have from 1 to {MAX_SEVERAL}.")
    found = []
    for number, item in enumerate(given):
        try:
            found.append(content(bytes(item), kind))
        except BadBody as failure:
            raise BadBody(f"Item {number}: {failure.message}", param=f"[{number}].{failure.param or ''}") from None
    return found


def _fields(given: dict[str, Raw], kind: type[Struct]) -> tuple[dict[str, Any], dict[str, str]]:
    """A body's fields as its struct calls them, and how the caller spells those. Raises `BadBody`."""
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    rest: str | None = getattr(kind, "REST", None)
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    others: dict[str, Raw] = {}
    for spelling, value in given.items():
        name = spelling if spelling in known or snake(spelling) not in known else snake(spelling)
        if name in found:
            raise BadBody(f"{spelling}: it means the same as {spelled[name]}; send one.", param=spelling)
        if rest and name not in known:
            others[spelling] = value
        else:
            found[name], spelled[name] = value, spelling
    if rest and others:
        nested = bytes(found.get(rest, b"{}"))
        if nested[:1] in (b"{", b"n"):
            found[rest] = {**(msgspec.json.decode(nested, type=dict[str, Raw] | None) or {}), **others}
    return found, spelled


def _secret(kind: type, given: Any) -> Any:
    if kind is Secret and isinstance(given, str):
        return Secret(given)
    raise ValueError("Expected `str`")


def shown(data: bytes, kind: type[Struct] | None) -> str | None:
    """A body as the audit trail keeps it: what its struct does not name is hidden, a misspelt key too."""
    try:
        given = audit.masked(msgspec.json.decode(data)) if data else None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(given, dict):
        return None
    known = {field.encode_name for field in msgspec.structs.fields(kind)} if kind else frozenset()
    kept = {name: value if name in known or snake(name) in known else audit.HIDDEN for name, value in given.items()}
    return msgspec.json.encode(kept).decode()
