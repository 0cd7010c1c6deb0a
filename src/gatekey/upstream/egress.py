"""Where the gateway may connect to: one policy for every outgoing address.

A host is judged twice: as it is written, before anything is looked up, and as the addresses that it
resolves to; the connection is then made to one of those very addresses, so that a second look-up cannot
change the answer. All is pure but `resolve`, which asks a resolver that is handed in. Nothing here connects.

An address is judged as what the operating system would make of it: `0x7f.1`, `2130706433` and
`[::ffff:127.0.0.1]` are 127.0.0.1.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from gatekey.errors import EgressRefused, Unreachable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]

URL_LIMIT = 2048  # characters of a caller's URL (portkey-api.md 5.9)
LOOKUP_TIMEOUT = 5.0  # seconds that a name may take to resolve

_ADVICE = "An operator can allow it in GATEKEY_TRUSTED_HOSTS."

# What cloud machines ask for their own credentials: refused inside trusted networks too, unless listed itself.
_METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # AWS, Google, Azure, Oracle, DigitalOcean, OpenStack
            "169.254.170.2",  # AWS ECS task credentials
            "169.254.170.23",  # AWS EKS pod identity
            "169.254.169.253",  # AWS resolver
            "169.254.42.42",  # Scaleway
            "169.254.0.23",  # Tencent
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "168.63.129.16",  # Azure's host channel: an address that looks public
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
            "fd00:42::42",  # Scaleway
        ),
    )
)
# IANA's special-purpose registries, written out: `is_global` differs between Python releases.
_SPECIAL_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_NAMES = frozenset(["metadata.azure.com", "metadata.goog", "metadata.google.internal", "kubernetes.default"])
_SUFFIXES = (
    frozenset({"local", "internal", "localhost", "localdomain", "intranet", "lan", "home", "home.arpa", "corp"})
    | {"private", "test", "invalid", "example", "onion", "svc"}
    # Wildcard DNS, a name for any address: what it resolves to is judged too, but nothing honest is lost here.
    | {"nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "lacolhost.com", "traefik.me", "rbndr.us"}
)
# Remote shells, mail, names, files, databases, queues, orchestrators: nothing there answers a completion.
_PORTS = (
    frozenset({21, 22, 23, 25, 53, 110, 111, 135, 139, 143, 389, 445, 465, 514, 587, 636, 873, 993, 995, 1433, 1521})
    | {2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 5900, 6379, 6443, 9042, 9092, 9200, 9300, 10250}
    | {11211, 26379, 27017, 27018}
)

_URL = re.compile(r"(?i:(https?))://([^/?#]*)([\x21-\x7e]*)")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_ENTRY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):([0-9]{1,5})")


class Origin(NamedTuple):
    """Scheme, host (lower case, no trailing dot; an address in its plain notation) and port of a URL."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own: a Host header's value."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def split_url(url: str, param: str | None = None) -> tuple[Origin, str]:
    """The origin of a URL and its request target (path and query). Raises `EgressRefused`: no http(s) URL."""
    match = _URL.fullmatch(url)
    if match is None or "\\" in url:
        raise EgressRefused(f"{_shown(param)} is not an http or https URL in plain ASCII without spaces.", param=param)
    scheme, authority, rest = match[1].lower(), match[2], match[3].partition("#")[0]
    if "@" in authority:
        raise EgressRefused(f"{_shown(param)} carries credentials; send them in a header instead.", param=param)
    parts = _AUTHORITY.fullmatch(authority)
    port = int(parts[2] or (443 if scheme == "https" else 80)) if parts else 0
    if parts is None or not 0 < port < 65536:
        raise EgressRefused(f"{_shown(param)} has no valid host and port.", param=param)
    return Origin(scheme, _host(parts[1], param), port), rest if rest.startswith("/") else "/" + rest


def allowed(address: Address) -> bool:
    """Whether an address is a public one, to which anybody may be sent. No trust is considered here."""
    if address in _METADATA:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    inner = _embedded(address)
    if inner is not None:
        return allowed(inner)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


@dataclass(frozen=True, slots=True)
class Policy:
    """Which hosts and addresses are trusted beyond the public ones. The port is None where any is meant."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: frozenset[tuple[Network, int | None]] = frozenset()

    @classmethod
    def parse(cls, text: str, loopback: bool) -> "Policy":
        """From a comma list of names, `*.domain`, addresses and networks, each of them with `:port` or without.

        `loopback` trusts this machine as well: for a gateway that itself listens on loopback only.
        Raises `ValueError` naming the entry.
        """
        names: set[tuple[str, int | None]] = set()
        networks: set[tuple[Network, int | None]] = set()
        if loopback:
            names |= {("localhost", None), ("*.localhost", None)}
            networks |= {(network, None) for network in _LOOPBACK}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            pattern, port = _entry(entry)
            if isinstance(pattern, str):
                names.add((pattern, port))
            else:
                networks.add((pattern, port))
        return cls(frozenset(names), frozenset(networks))

    def check_url(self, url: str, param: str) -> Origin:
        """A caller's base URL as far as it can be judged without a look-up. Raises `EgressRefused` naming `param`."""
        if len(url) > URL_LIMIT:
            raise EgressRefused(f"{param} is longer than {URL_LIMIT} characters.", param=param)
        origin, _ = split_url(url, param)
        if "?" in url or "#" in url:
            raise EgressRefused(f"{param} has a query or a fragment, behind which no path can be put.", param=param)
        self.check(origin, param)
        return origin

    def check(self, origin: Origin, param: str | None = None) -> None:
        """Refuse a host, port or literal address that is not allowed, before any look-up. Raises `EgressRefused`."""
        host, port = origin.host, origin.port
        address = _literal(host)
        if port in _PORTS and not self._trusts(host, address, port, exact=True):
            raise EgressRefused(f"Port {port} of {host} is not for HTTP: refused. {_ADVICE}", param=param)
        if address is not None:
            self.approve(origin, [address], param)
        elif not self._trusts(host, None, port) and _private(host):
            raise EgressRefused(f"{host} is not a public host: refused. {_ADVICE}", param=param)

    def approve(self, origin: Origin, addresses: Iterable[Address], param: str | None = None) -> list[str]:
        """The addresses, when all may be connected to. Raises `EgressRefused` when one of them may not."""
        found = [_plain(address) for address in addresses]
        if any(not self._approves(origin, address) for address in found):
            # The address stays unsaid: the answer must not tell callers what an inner resolver knows.
            raise EgressRefused(f"{origin.host} is at an address that is not public: refused. {_ADVICE}", param=param)
        return [str(address) for address in found]

    def _approves(self, origin: Origin, address: Address) -> bool:
        if address in _METADATA or _embedded(address) in _METADATA:
            return any(
                network.num_addresses == 1 and address in network and port in (None, origin.port)
                for network, port in self.networks
            )
        return allowed(address) or self._trusts(origin.host, address, origin.port)

    def _trusts(self, host: str, address: Address | None, port: int, exact: bool = False) -> bool:
        """`exact`: only entries that name the port."""
        ports = (port,) if exact else (None, port)
        domains = host.split(".")
        names = [host, *("*." + ".".join(domains[cut:]) for cut in range(1, len(domains)))]
        if any((name, each) in self.names for name in names for each in ports):
            return True
        return address is not None and any(
            address in network
            for network, each in self.networks
            if each in ports and network.version == address.version
        )


async def lookup(host: str, port: int) -> list[str]:
    """The addresses of a name, by the operating system's resolver. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve(origin: Origin, policy: Policy | None, resolver: Resolver = lookup) -> list[str]:
    """The addresses to connect to, in the resolver's order. No policy: every address will do.

    Raises `EgressRefused` where any of them is refused, `Unreachable` where there is none within 5 seconds.
    """
    literal = _literal(origin.host)
    if literal is not None:
        return policy.approve(origin, [literal]) if policy else [origin.host]
    try:
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            found = await resolver(origin.host, origin.port)
    except (OSError, UnicodeError):  # TimeoutError is an OSError
        found = []
    if not found:
        raise Unreachable(f"The name {origin.host} cannot be resolved: check its spelling and this machine's DNS.")
    return policy.approve(origin, map(ip_address, found)) if policy else found


def _host(text: str, param: str | None) -> str:
    if text.startswith("["):
        try:
            return str(_plain(IPv6Address(text[1:-1])))
        except ValueError:
            raise EgressRefused(f"{_shown(param)} has no valid IPv6 address.", param=param) from None
    host = text.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise EgressRefused(f"{_shown(param)} has no valid host name.", param=param)
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    address = _inet_aton(labels)
    if address is None:
        raise EgressRefused(f"{host} is neither a host name nor an IP address.", param=param)
    return str(address)


def _inet_aton(parts: list[str]) -> IPv4Address | None:
    """An IPv4 address in any notation of the C function: decimal, octal, hexadecimal; one to four parts."""
    if len(parts) > 4:
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *high, last = numbers
    if any(number > 255 for number in high) or last >= 256 ** (4 - len(high)):
        return None
    return IPv4Address(sum(number << (24 - 8 * place) for place, number in enumerate(high)) + last)


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text, 16)
    return int(text, 8) if text.startswith("0") and len(text) > 1 else int(text)


def _literal(host: str) -> Address | None:
    if ":" not in host and not host[-1:].isdigit():
        return None
    try:
        return ip_address(host)
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """An IPv4 address out of the IPv6 one that stands for it on the same machine."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that a relay or translator would send to: mapped, 6to4, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _private(host: str) -> bool:
    """Whether a name means something only inside some network, or can be made to mean any address."""
    labels = host.split(".")
    suffixes = {labels[-1], ".".join(labels[-2:])}
    return len(labels) == 1 or host in _NAMES or not suffixes.isdisjoint(_SUFFIXES)


def _entry(entry: str) -> tuple[str | Network, int | None]:
    match = _ENTRY.fullmatch(entry)
    text, port = (match[1], int(match[2])) if match else (entry, None)
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"GATEKEY_TRUSTED_HOSTS: {entry!r} has no valid port")
    try:
        return ip_network(text.strip("[]")), port
    except ValueError:
        name = text.lower().removesuffix(".")
    labels = name.removeprefix("*.").split(".")
    if not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
        raise ValueError(
            f"GATEKEY_TRUSTED_HOSTS: {entry!r} is no host name, *.domain, IP address or network (such as 10.0.0.0/8)"
        )
    return name, port


def _shown(param: str | None) -> str:
    return param or "The upstream URL"
