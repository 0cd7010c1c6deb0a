"""Which connections the transport makes, keeps and lends: pools, pinned names, TLS."""

import asyncio
import ssl

import pytest
import trustme
from servers import (
    LOOPBACK,
    Conversation,
    Server,
    against,
    answer,
    answering,
    fetch,
    pieces,
    post,
    saying,
    serving,
    stalled_in_body,
)

from gatekey.errors import (
    EgressRefused,
    Overloaded,
    Unreachable,
)
from gatekey.upstream.client import Client
from gatekey.upstream.egress import Policy


def test_connections_are_used_again() -> None:
    async def test(client: Client, server: Server) -> None:
        for _ in range(5):
            await fetch(client, post(server.url()))
        assert server.connections == 1

    against(answering(answer()), test)


def test_unread_answers_that_have_arrived_cost_no_connection() -> None:
    async def test(client: Client, server: Server) -> None:
        for _ in range(3):
            await (await client.send(post(server.url()))).close()
        assert server.connections == 1

    against(answering(answer()), test)


async def _one_then_gone(talk: Conversation) -> None:
    await talk.request()
    await talk.say(answer())
    await talk.gone()


def test_a_connection_that_the_server_ends_is_not_kept() -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(answer(head=b"connection: close\r\n"))
        await talk.gone()

    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        await server.hung_up.wait()

    against(handler, test)


def test_an_answer_that_nobody_asked_for_answers_nobody() -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(answer())
        await idle.wait()
        await talk.say(answer(b"poison"))
        await talk.gone()

    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        idle.set()
        await server.hung_up.wait()
        assert (await fetch(client, post(server.url())))[2] == b"{}"

    idle = asyncio.Event()
    against(handler, test)


def test_a_body_that_can_be_sent_only_once_gets_a_new_connection() -> None:
    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        await fetch(client, post(server.url(), pieces(b"ab")))
        assert server.connections == 2

    against(answering(answer()), test)


def test_idle_connections_are_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        await server.hung_up.wait()

    monkeypatch.setattr("gatekey.upstream.client.IDLE_TIMEOUT", 0.02)
    against(_one_then_gone, test)


def test_the_pool_unused_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client, server: Server) -> None:
        async with serving(_one_then_gone) as first, serving(answering(answer())) as last:
            response = await client.send(post(first.url()))
            await fetch(client, post(server.url()))
            await fetch(client, post(last.url()))
            await server.hung_up.wait()
            assert not first.hung_up.is_set()  # in use: left alone until it is given back
            assert [chunk async for chunk in response.chunks()] == [b"{}"]
            await first.hung_up.wait()

    monkeypatch.setattr("gatekey.upstream.client.ORIGINS", 1)
    against(_one_then_gone, test)


def test_a_bound_on_connections_makes_room_from_idle_ones() -> None:
    async def run() -> None:
        client = Client(LOOPBACK, connections=1)
        async with asyncio.timeout(10), serving(answering(answer())) as one, serving(stalled_in_body) as two:
            await fetch(client, post(one.url()))
            response = await client.send(post(two.url()))
            with pytest.raises(Overloaded, match="All 1 upstream"):
                await client.send(post(one.url()))
            await response.close()
            await two.hung_up.wait()
            await fetch(client, post(one.url()))
            await client.close()

    asyncio.run(run())


class Names:
    """A resolver that gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_a_name_that_comes_to_mean_this_machine_is_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        names = Names(["203.0.113.7"], ["127.0.0.1"])
        # The first answer is approved by an entry of its own, so that the test reaches nobody's real address.
        client = Client(Policy.parse("203.0.113.7", loopback=False), resolver=names)
        async with asyncio.timeout(10), serving(answering(answer())) as server:
            tried: list[str] = []
            loop = asyncio.get_running_loop()
            connect = loop.create_connection

            async def watched(factory: object, host: str, port: int, **more: object) -> object:
                tried.append(host)
                raise ConnectionRefusedError

            monkeypatch.setattr(loop, "create_connection", watched)
            url = server.url(host="rebind.example.com")
            for _ in range(2):
                with pytest.raises(Unreachable):
                    await client.send(post(url))
            assert (tried, len(names.asked)) == (["203.0.113.7"] * 2, 1)  # pinned

            monkeypatch.setattr("gatekey.upstream.pool.PIN_TIMEOUT", 0.0)
            with pytest.raises(EgressRefused, match=r"rebind\.example\.com"):
                await client.send(post(url))
            monkeypatch.setattr(loop, "create_connection", connect)
            with pytest.raises(EgressRefused):
                await client.send(post(url))
            assert (tried, server.connections) == (["203.0.113.7"] * 2, 0)
            await client.close()

    asyncio.run(run())


def test_a_name_is_connected_to_where_it_was_approved() -> None:
    async def run() -> None:
        names = Names(["127.0.0.2", "127.0.0.1"])  # nobody listens on the first
        client = Client(Policy.parse("127.0.0.0/8", loopback=False), resolver=names)
        async with asyncio.timeout(10), serving(answering(answer())) as server:
            url = server.url(host="api.example.com")
            await asyncio.gather(*(fetch(client, post(url)) for _ in range(5)))
            assert server.requests[0].split(b"\r\n")[1] == b"host: api.example.com:%d" % server.port
            assert names.asked == [("api.example.com", server.port)]  # once for all five
            await client.close()

    asyncio.run(run())


def test_addresses_outlive_a_name_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        names = Names(["127.0.0.1"], [])
        client = Client(LOOPBACK, resolver=names)
        async with asyncio.timeout(10), serving(saying(answer())) as server:
            for _ in range(3):
                await fetch(client, post(server.url(host="api.example.com")))
            assert len(names.asked) == 3
            await client.close()

    monkeypatch.setattr("gatekey.upstream.pool.PIN_TIMEOUT", 0.0)
    asyncio.run(run())


def test_a_connection_made_without_the_policy_is_not_lent_to_a_caller() -> None:
    async def run() -> None:
        client = Client(Policy.parse("", loopback=False))
        async with asyncio.timeout(10), serving(answering(answer())) as server:
            assert (await fetch(client, post(server.url(), trusted=True)))[0] == 200
            with pytest.raises(EgressRefused):
                await client.send(post(server.url()))
            assert len(server.requests) == 1
            await client.close()

    asyncio.run(run())


def test_tls_is_verified_by_name_and_authority() -> None:
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.com", "127.0.0.1").configure_cert(context)
    bundle = authority.cert_pem.bytes()

    async def run() -> None:
        policy, names = Policy.parse("127.0.0.1", loopback=False), Names(["127.0.0.1"])
        async with asyncio.timeout(10), serving(answering(answer()), context) as server:
            known = Client(policy, ca_bundle=bundle, resolver=names)
            for host in ("api.example.com", "127.0.0.1"):
                for _ in range(2):
                    assert (await fetch(known, post(server.url(host=host, scheme="https"))))[2] == b"{}"
            assert server.connections == 2
            with pytest.raises(Unreachable, match="certificate"):
                await known.send(post(server.url(host="other.example.com", scheme="https")))
            await known.close()
            for strange in (
                Client(policy, resolver=names),
                Client(policy, ca_bundle=other.cert_pem.bytes(), resolver=names),
            ):
                with pytest.raises(Unreachable, match="GATEKEY_CA_BUNDLE"):
                    await strange.send(post(server.url(host="api.example.com", scheme="https")))
                await strange.close()
            assert len(server.requests) == 4

    asyncio.run(run())
