"""The process's own settings: flags, `GATEKEY_*` variables, a TOML file, defaults; the first that speaks wins.

Declared once here: the names, the defaults, what each is for. `docs/reference/settings.md` is made of it.
"""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from gatekey.errors import GatekeyError

PREFIX = "GATEKEY_"
ELSEWHERE = ("settings", "local_model", "url")
"""Variables of this prefix that are no settings: the file's name, what the local model's process reads itself, and
where commands find a running gateway."""


class BadSettings(GatekeyError):
    """A setting that cannot be used: which, and what it may be."""

    code = "invalid_settings"


def _about(text: str, **bounds: Any) -> Meta:
    return Meta(description=text, **bounds)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything `gatekey serve` can be told."""

    host: Annotated[str, _about("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _about("Port; 0: a free one, written to the file `address`.", ge=0, le=65535)] = 8787
    data: Annotated[str, _about("Folder for keys and data.")] = "data"
    workers: Annotated[int, _about("Worker processes.", ge=1, le=256)] = 1
    open: Annotated[bool, _about("Ask for no gateway key; only while listening on loopback.")] = False
    admin_key: Annotated[str, _about("The admin key, instead of one made on the first start.")] = ""
    database_url: Annotated[str, _about("postgresql://...; empty: SQLite in the data folder.")] = ""
    redis_url: Annotated[str, _about("redis(s)://... or unix://... for budgets and rates; empty: the database.")] = ""
    master_key: Annotated[str, _about("Seals stored credentials; made on the first start; older ones by commas.")] = ""
    trusted_hosts: Annotated[str, _about("Hosts allowed beside public ones: names, addresses, networks.")] = ""
    prices: Annotated[str, _about("File of prices laid over those that ship with the gateway.")] = ""
    ca_bundle: Annotated[str, _about("PEM file of certificate authorities to trust beside the system's.")] = ""
    metrics_models: Annotated[bool, _about("Tell models apart in `GET /metrics`.")] = False
    otlp_endpoint: Annotated[str, _about("http(s)://...: a collector that is sent a span of every request.")] = ""
    otlp_headers: Annotated[str, _about("Headers for it, which are secret: name=value by commas.")] = ""
    otlp_resource: Annotated[str, _about("What it is told of this gateway: name=value by commas.")] = ""
    max_body_mb: Annotated[float, _about("Largest request body in MB.", gt=0)] = 64
    max_memory_mb: Annotated[float, _about("MB that bodies being read may take in one worker.", gt=0)] = 1024
    max_calls: Annotated[int, _about("Calls at a time in one worker.", ge=1)] = 4096
    silence_s: Annotated[float, _about("Seconds without a byte after which an upstream is given up.", gt=0)] = 300
    drain_s: Annotated[float, _about("Seconds after SIGTERM of serving on, not ready.", ge=0)] = 0
    grace_s: Annotated[int, _about("Seconds that running answers may take after SIGTERM.", ge=0)] = 30
    log_retention_days: Annotated[float, _about("Days for which logs are kept.", gt=0)] = 30
    analytics_retention_days: Annotated[float, _about("Days for which sums of logs are kept.", gt=0)] = 365
    spool_mb: Annotated[float, _about("MB of records that may wait; more are lost, and counted.", gt=0)] = 1024

    @property
    def loopback(self) -> bool:
        """Whether the gateway can be reached from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def checked(self) -> "Settings":
        """These settings. Raises `BadSettings` where they contradict each other."""
        if self.open and not self.loopback:
            raise BadSettings(
                f"--open lets anybody in who can reach {self.host}: it is allowed on a loopback address only, "
                "such as --host 127.0.0.1."
            )
        if self.admin_key and len(self.admin_key) < 8:
            raise BadSettings("GATEKEY_ADMIN_KEY is shorter than 8 characters: make it long and random.")
        return self


def fields() -> dict[str, msgspec.inspect.Field]:
    """Every setting by its name."""
    kind = msgspec.inspect.type_info(Settings)
    assert isinstance(kind, msgspec.inspect.StructType)
    return {field.name: field for field in kind.fields}


def resolve(flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> tuple[Settings, list[str]]:
    """The settings, and the names of `GATEKEY_*` variables that mean nothing here. Raises `BadSettings`."""
    known = fields()
    merged: dict[str, Any] = {}
    file = flags.get("settings") or environ.get(PREFIX + "SETTINGS")
    if file:
        merged |= _toml(Path(file))
    unknown = []
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name in ELSEWHERE:
            continue
        if name in known:
            if value:
                merged[name] = value
        else:
            unknown.append(variable)
    merged |= {name: value for name, value in flags.items() if name in known and value is not None}
    try:
        return msgspec.convert(merged, Settings, strict=False).checked(), sorted(unknown)
    except msgspec.ValidationError as error:
        raise BadSettings(f"A setting is wrong: {error}") from None


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"The settings file {file} is not TOML: {error}") from None
