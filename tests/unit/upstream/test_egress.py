"""The egress policy: which addresses, however they are spelled, may be connected to."""

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.errors import EgressRefused, Unreachable
from gatekey.upstream.egress import Origin, Policy, allowed, lookup, resolve, split_url

NOBODY = Policy.parse("", loopback=False)

PRIVATE = [
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.255.0.3", "0.0.0.0",
    "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "100.100.100.200", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "::", "::1", "::2", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "2001:db8::1", "3fff::1", "2001::1", "2001:2::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1",
    "fec0::1", "5f00::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.167.1.1", "9.255.255.255",
    "11.0.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2002:808:808::1", "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_no_address_of_a_special_purpose_is_allowed(text: str) -> None:
    assert not allowed(ip_address(text))
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(EgressRefused):
        NOBODY.check_url(f"https://{host}/v1", "x-portkey-custom-host")


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text: str) -> None:
    assert allowed(ip_address(text))
    host = f"[{text}]" if ":" in text else text
    NOBODY.check_url(f"https://{host}/v1", "x-portkey-custom-host")


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("2130706433", "127.0.0.1"), ("0x7f000001", "127.0.0.1"), ("0X7F.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"), ("0", "0.0.0.0"), ("0xa9fea9fe", "169.254.169.254"),
        ("2852039166", "169.254.169.254"),
        ("169.254.43518", "169.254.169.254"), ("00000012.0.0.1", "10.0.0.1"), ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ("[0:0:0:0:0:FFFF:7F00:1]", "127.0.0.1"), ("[0000::1]", "::1"),
    ],
)  # fmt: skip
def test_an_address_is_what_the_system_makes_of_it(host: str, plain: str) -> None:
    assert split_url(f"http://{host}/")[0].host == plain
    with pytest.raises(EgressRefused) as caught:
        NOBODY.check_url(f"http://{host}:8080/v1", "config.targets[1].custom_host")
    assert caught.value.param == "config.targets[1].custom_host"
    assert plain in caught.value.message
    assert "GATEKEY_TRUSTED_HOSTS" in caught.value.message


def _number(value: int, base: str) -> str:
    return {"decimal": str, "octal": lambda n: f"0{n:o}", "hex": hex, "HEX": lambda n: f"0X{n:X}"}[base](value)


PRIVATE_V4 = st.one_of(
    *(
        st.integers(int(IPv4Address(first)), int(IPv4Address(last)))
        for first, last in [
            ("10.0.0.0", "10.255.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("100.64.0.0", "100.127.255.255"),
        ]
    )
)


BASES = st.lists(st.sampled_from(["decimal", "octal", "hex", "HEX"]), min_size=4, max_size=4)


@given(number=PRIVATE_V4, cuts=st.integers(0, 3), bases=BASES, dot=st.booleans())
def test_a_private_address_is_refused_in_every_spelling(number: int, cuts: int, bases: list[str], dot: bool) -> None:
    high = [(number >> shift) & 255 for shift in (24, 16, 8)][:cuts]
    last = number & ((1 << (32 - 8 * cuts)) - 1)
    host = ".".join(_number(part, base) for part, base in zip([*high, last], bases, strict=False)) + "." * dot
    with pytest.raises(EgressRefused):
        NOBODY.check_url(f"http://{host}/", "x")


@given(number=PRIVATE_V4, prefix=st.sampled_from(["mapped", "6to4", "nat64"]), exploded=st.booleans())
def test_a_private_address_is_refused_inside_ipv6(number: int, prefix: str, exploded: bool) -> None:
    if prefix == "6to4":
        address = IPv6Address((0x2002 << 112) | (number << 80) | 1)
    else:
        address = IPv6Address((0xFFFF << 32 if prefix == "mapped" else 0x64FF9B << 96) | number)
    with pytest.raises(EgressRefused):
        NOBODY.check_url(f"http://[{address.exploded if exploded else address}]/", "x")


@pytest.mark.parametrize(
    "url",
    [
        "", "api.example.com", "ftp://api.example.com", "file:///etc/passwd", "//api.example.com",
        "https:api.example.com",
        "https:///v1", "https://", "https://:443/", "https://user@api.openai.com/", "https://u:p@api.openai.com/",
        "https://@api.openai.com", "https://api.openai.com:0/", "https://api.openai.com:65536/",
        "https://api.openai.com:x/",
        "https://api.openai.com:-1/", "https://api.openai.com /", " https://api.openai.com/", "https://api.openai.com/\n",
        "https://api.openai.com/\r\nhost: a", "https://api.openai.com/a b", "https://api.openai.com\\@10.0.0.1/",
        "https://api.openai.com/\\a", "https://%31%30.0.0.1/", "https://api%2eopenai.com/", "https://ａpi.openai.com/",
        "https://①②⑦.0.0.1/", "https://api。openai.com/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/",
        "https://[1.2.3.4]/", "https://[::1/", "https://::1/", "https://256.1.1.1/", "https://1.2.3.4.5/",
        "https://089.1.1.1/", "https://0x/", "https://4294967296/", "https://1.16777216/", "https://a..com/",
        "https://-a.com/", "https://a-.com/", "https://" + "a" * 64 + ".com/", "https://a.com/" + "x" * 2048,
        "https://a.com/\x00", "https://a.com/\x7f", "https://api.openai.com..", "https://a.com/v1?b=c", "https://a.com#b",
    ],
)  # fmt: skip
def test_what_is_no_plain_http_url_is_refused(url: str) -> None:
    with pytest.raises(EgressRefused) as caught:
        NOBODY.check_url(url, "x-portkey-custom-host")
    assert "x-portkey-custom-host" in caught.value.message or "is neither" in caught.value.message
    assert caught.value.status == 400


def test_a_message_repeats_no_credentials() -> None:
    with pytest.raises(EgressRefused) as caught:
        NOBODY.check_url("https://user:hunter2@api.openai.com/?key=sesame", "x")
    assert "hunter2" not in caught.value.message
    assert "sesame" not in caught.value.message


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "a.localhost", "metadata", "metadata.google.internal", "instance-data",
        "metadata.azure.com", "metadata.goog", "kubernetes.default.svc", "kubernetes.default",
        "kubernetes",
        "redis.default.svc.cluster.local", "printer.local", "nas.lan", "intra.corp", "x.internal", "x.intranet",
        "x.home",
        "x.localdomain", "x.test", "x.invalid", "x.onion", "127.0.0.1.nip.io", "10-0-0-1.sslip.io", "app.xip.io",
        "lvh.me", "a.lvh.me", "router.home.arpa", "redis",
    ],
)  # fmt: skip
def test_names_of_inner_networks_are_refused_before_a_look_up(host: str) -> None:
    with pytest.raises(EgressRefused):
        NOBODY.check_url(f"https://{host}/v1", "x")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.openai.com", ("https", "api.openai.com", 443)),
        ("HTTPS://API.OpenAI.com./v1", ("https", "api.openai.com", 443)),
        ("http://my_host.example.com:8080/v1", ("http", "my_host.example.com", 8080)),
        ("https://kubernetes.io", ("https", "kubernetes.io", 443)),
        ("https://metadata.example.com", ("https", "metadata.example.com", 443)),
        ("https://xn--bcher-kva.example.com", ("https", "xn--bcher-kva.example.com", 443)),
        ("https://notlocal", None),
        ("https://[2606:4700::1111]:8443/", ("https", "2606:4700::1111", 8443)),
        ("https://host1", None),
        ("https://a.1password.com", ("https", "a.1password.com", 443)),
    ],
)
def test_public_hosts_pass_normalised(url: str, origin: tuple[str, str, int] | None) -> None:
    if origin is None:
        with pytest.raises(EgressRefused):
            NOBODY.check_url(url, "x")
    else:
        assert NOBODY.check_url(url, "x") == Origin(*origin)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.com", "/"),
        ("https://a.com?q=/", "/?q=/"),
        ("https://a.com/v1/x?y#z", "/v1/x?y"),
        ("https://a.com#/x", "/"),
    ],
)
def test_the_target_is_path_and_query(url: str, target: str) -> None:
    assert split_url(url)[1] == target


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (Origin("https", "a.com", 443), "a.com"),
        (Origin("http", "a.com", 443), "a.com:443"),
        (Origin("http", "::1", 80), "[::1]"),
        (Origin("https", "::1", 80), "[::1]:80"),
    ],
)
def test_the_authority_leaves_out_the_usual_port(origin: Origin, authority: str) -> None:
    assert origin.authority == authority


@pytest.mark.parametrize("port", [22, 25, 445, 3306, 5432, 6379, 6443, 9200, 27017])
def test_ports_of_other_protocols_are_refused_unless_named(port: int) -> None:
    for policy in (NOBODY, Policy.parse("api.example.com, 127.0.0.0/8", loopback=True)):
        for host in ("api.example.com", "127.0.0.1", "8.8.8.8"):
            with pytest.raises(EgressRefused, match=str(port)):
                policy.check_url(f"http://{host}:{port}/", "x")
    Policy.parse(f"api.example.com:{port}", loopback=False).check_url(f"http://api.example.com:{port}/", "x")
    Policy.parse(f"127.0.0.1:{port}", loopback=False).check_url(f"http://127.0.0.1:{port}/", "x")


@pytest.mark.parametrize(
    ("trusted", "accepted", "refused"),
    [
        ("llm.internal", ["llm.internal", "LLM.internal."], ["a.llm.internal", "internal", "xllm.internal"]),
        (
            "*.svc.cluster.local",
            ["ollama.ai.svc.cluster.local", "a.svc.cluster.local"],
            ["svc.cluster.local", "a.local"],
        ),
        ("10.1.2.3", ["10.1.2.3", "0xa010203", "[::ffff:10.1.2.3]"], ["10.1.2.4"]),
        ("10.0.0.0/8, fd00::/8", ["10.200.1.1", "[fd12::1]"], ["192.168.0.1", "[fe80::1]"]),
        ("localhost:11434", ["localhost:11434"], ["localhost", "localhost:11435"]),
        ("[fd00::5]:8080, 10.0.0.0/24:90", ["[fd00::5]:8080", "10.0.0.9:90"], ["[fd00::5]", "10.0.0.9:91"]),
        ("::1", ["[::1]", "[::1]:8080"], ["127.0.0.1", "localhost"]),
    ],
)
def test_trust_covers_what_it_names_and_nothing_else(trusted: str, accepted: list[str], refused: list[str]) -> None:
    policy = Policy.parse(trusted, loopback=False)
    for host in accepted:
        policy.check_url(f"http://{host}/v1", "x")
    for host in refused:
        with pytest.raises(EgressRefused):
            policy.check_url(f"http://{host}/v1", "x")


def test_loopback_is_trusted_where_the_caller_says_so() -> None:
    policy = Policy.parse("", loopback=True)
    for host in ("localhost:11434", "127.0.0.1", "127.1", "[::1]", "api.localhost"):
        policy.check_url(f"http://{host}/", "x")
    for host in ("10.0.0.1", "169.254.169.254", "0.0.0.0"):
        with pytest.raises(EgressRefused):
            policy.check_url(f"http://{host}/", "x")


def test_metadata_addresses_are_refused_inside_trusted_networks() -> None:
    broad = Policy.parse("0.0.0.0/0, ::/0, *.internal", loopback=True)
    for host in ("169.254.169.254", "0xa9fea9fe", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "100.100.100.200"):
        with pytest.raises(EgressRefused):
            broad.check_url(f"http://{host}/", "x")
    with pytest.raises(EgressRefused):
        broad.approve(Origin("http", "metadata.google.internal", 80), [ip_address("169.254.169.254")])
    with pytest.raises(EgressRefused):
        broad.approve(Origin("http", "a.com", 80), [ip_address("64:ff9b::169.254.169.254")])
    Policy.parse("169.254.169.254", loopback=False).check_url("http://169.254.169.254/", "x")


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/8", "http://a.com", "a.com:0", "a.com:99999", "a b", "*", "*.*.com", "1.2.3", "é.com", "a.com/x", ":80"],
)
def test_a_bad_entry_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="GATEKEY_TRUSTED_HOSTS") as caught:
        Policy.parse(f"good.com, {text}", loopback=False)
    assert repr(text) in str(caught.value)


def _resolve(policy: Policy | None, *found: str, host: str = "api.example.com") -> list[str]:
    async def resolver(name: str, port: int) -> list[str]:
        assert (name, port) == (host, 443)
        return list(found)

    return asyncio.run(resolve(Origin("https", host, 443), policy, resolver))


def test_a_name_is_refused_when_any_of_its_addresses_is() -> None:
    assert _resolve(NOBODY, "8.8.8.8", "2606:4700::1111") == ["8.8.8.8", "2606:4700::1111"]
    for bad in ("127.0.0.1", "fe80::1%2", "::ffff:10.0.0.1"):
        with pytest.raises(EgressRefused) as caught:
            _resolve(NOBODY, "8.8.8.8", bad)
        assert "api.example.com" in caught.value.message
        assert bad not in caught.value.message


def test_trust_covers_what_a_name_resolves_to() -> None:
    assert _resolve(Policy.parse("api.example.com", loopback=False), "10.0.0.1") == ["10.0.0.1"]
    assert _resolve(Policy.parse("10.0.0.0/8", loopback=False), "10.0.0.1") == ["10.0.0.1"]
    assert _resolve(None, "10.0.0.1") == ["10.0.0.1"]


def test_a_name_without_addresses_is_unreachable() -> None:
    async def broken(name: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Unreachable, match=r"api\.example\.com"):
        asyncio.run(resolve(Origin("https", "api.example.com", 443), NOBODY, broken))
    with pytest.raises(Unreachable):
        _resolve(NOBODY)


def test_the_systems_resolver_knows_this_machine() -> None:
    assert set(asyncio.run(lookup("localhost", 80))) <= {"127.0.0.1", "::1"}


def test_a_literal_address_is_not_looked_up() -> None:
    async def never(name: str, port: int) -> list[str]:
        raise AssertionError

    assert asyncio.run(resolve(Origin("http", "8.8.8.8", 80), NOBODY, never)) == ["8.8.8.8"]
    with pytest.raises(EgressRefused):
        asyncio.run(resolve(Origin("http", "::1", 80), NOBODY, never))
