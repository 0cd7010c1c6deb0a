"""Whose price holds: the integration's, the workspace's, the table's; and that changes are seen."""

import asyncio
import logging
from typing import Any

import pytest

from gatekey.catalog import Catalog
from gatekey.config.model import Target
from gatekey.gateway import prices as module
from gatekey.gateway.aim import Aim
from gatekey.gateway.prices import Prices
from gatekey.pricing import Price, Rates, Table, cost
from gatekey.store.directory import Stored
from gatekey.wire.usage import Usage

CATALOG = Catalog()
CENT = 10_000_000 * 1_000_000
"""Nano-dollars for a million, of a cent for one."""


class Known:
    """A directory that holds one provider and one workspace's prices."""

    def __init__(self) -> None:
        self.stored = Stored(slug="vk", provider="openai", key=None, options={})
        self.own: dict[str, Any] = {}

    def provider(self, workspace: str, slug: str) -> Stored | None:
        return self.stored if (workspace, slug) == ("ws", "vk") else None

    def prices(self, workspace: str) -> dict[str, Any]:
        return self.own if workspace == "ws" else {}


def aim(slug: str = "openai", stored: str = "vk") -> Aim:
    return Aim(Target(path="config"), CATALOG.provider(slug), None, {}, "", None, True, (), stored=stored)


def costing(cents: float) -> dict[str, Any]:
    return {"pay_as_you_go": {"request_token": {"price": cents}}}


def table(**models: Any) -> Table:
    return Table.parse(
        b'{"providers": {"openai": {"a-model": {"input": 1}}, "azure-openai": {"gpt-4o": {"input": 2},'
        b' "gpt-4.1": {"input": 3}}}}'
    )


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def prices(known: Known) -> Prices:
    return Prices(table(), known)  # type: ignore[arg-type]


def first(price: Price | None) -> int | None:
    return None if price is None else price.rates[0].input


def changed(known: Known, **to: Any) -> None:
    known.stored = Stored(**{name: getattr(known.stored, name) for name in Stored.__struct_fields__} | to)


def test_the_table_is_asked_where_nobody_has_set_a_price(prices: Prices) -> None:
    assert prices.find("ws", aim(), "a-model") == prices.find("ws", aim(stored=""), "A-Model-2026-01-01")
    assert first(prices.find("ws", aim(), "a-model")) == 10**9
    assert first(prices.find("ws", aim(), "unknown", "a-model")) == 10**9
    assert prices.find("ws", aim(), "unknown") is None


def test_the_workspaces_price_goes_before_the_tables(prices: Prices, known: Known) -> None:
    assert first(prices.find("ws", aim(), "a-model")) == 10**9
    known.own = {"OpenAI/A-Model": costing(1)}
    assert prices.find("ws", aim(), "a-model-2026-01-01") == Price((Rates(input=CENT),), own=True)
    assert first(prices.find("ws", aim(stored=""), "a-model")) == CENT
    assert first(prices.find("other", aim(stored=""), "a-model")) == 10**9
    known.own = {"openai/a-model": costing(2)}
    assert first(prices.find("ws", aim(), "a-model")) == 2 * CENT
    known.own = {}
    assert first(prices.find("ws", aim(), "a-model")) == 10**9


def test_the_integrations_price_goes_before_the_workspaces(prices: Prices, known: Known) -> None:
    known.own = {"openai/a-model": costing(2)}
    changed(known, pricing={"a-model": costing(3)})
    assert first(prices.find("ws", aim(), "a-model")) == 3 * CENT
    changed(known, pricing={})
    assert first(prices.find("ws", aim(), "a-model")) == 2 * CENT


def test_a_multiplier_is_for_any_price_that_is_not_its_own(prices: Prices, known: Known) -> None:
    changed(known, adjustments={"multiplier": {"default": 1.5}})
    price = prices.find("ws", aim(), "a-model")
    assert first(price) == 15 * 10**8
    assert cost(Usage(input=1, told=100), price) == 150
    assert cost(Usage(input=1, told=100), prices.find("ws", aim(), "unknown")) == 150
    assert cost(Usage(input=1), prices.find("ws", aim(), "unknown")) is None
    known.own = {"openai/a-model": costing(2)}
    assert first(prices.find("ws", aim(), "a-model")) == 3 * CENT
    changed(known, pricing={"a-model": costing(3)})
    assert first(prices.find("ws", aim(), "a-model")) == 3 * CENT


def test_of_a_deployment_the_answer_tells_which_model_it_is(prices: Prices, known: Known) -> None:
    assert first(prices.find("ws", aim("azure-openai"), "gpt-4o", "gpt-4.1-2025-04-14")) == 3 * 10**9
    assert first(prices.find("ws", aim("azure-openai"), "gpt-4o")) == 2 * 10**9
    assert first(prices.find("ws", aim("azure-openai"), "ours", "gpt-4.1")) == 3 * 10**9
    changed(known, pricing={"ours": costing(1)})
    assert first(prices.find("ws", aim("azure-openai"), "ours", "gpt-4.1")) == CENT


def test_what_cannot_be_read_is_unpriced_and_said_once(
    prices: Prices, known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    known.own = {"openai/a-model": {"pay_as_you_go": {}}}
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert cost(Usage(input=1), prices.find("ws", aim(), "a-model")) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_is_kept_is_bounded(prices: Prices, known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    known.own = {"openai/a-model": costing(1)}
    for at in range(10):
        prices.find("ws", aim(), f"m{at}")
        assert len(prices._own) <= 3
    assert first(prices.find("ws", aim(), "a-model")) == CENT


def test_a_newer_table_is_taken_in(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0)
    newer = [None, Table.parse(b'{"providers": {"openai": {"a-model": {"input": 9}}}}')]

    async def watched() -> None:
        prices = Prices(table(), known, lambda: newer.pop(0) if newer else None)  # type: ignore[arg-type]
        known.own = {"openai/other": costing(1)}
        assert first(prices.find("ws", aim(), "a-model")) == first(prices.find("", aim(), "a-model")) == 10**9
        await prices.open()
        async with asyncio.timeout(5):
            while first(prices.find("ws", aim(), "a-model")) != 9 * 10**9:
                await asyncio.sleep(0)
        assert first(prices.find("", aim(), "a-model")) == 9 * 10**9
        await prices.close()

    asyncio.run(watched())


def test_looking_goes_on_whatever_happens(
    known: Known, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0)
    looked: list[int] = []

    def newer() -> Table | None:
        looked.append(1)
        raise OSError("gone")

    async def watched() -> None:
        prices = Prices(table(), known, newer)  # type: ignore[arg-type]
        await prices.open()
        async with asyncio.timeout(5):
            while len(looked) < 3:
                await asyncio.sleep(0)
        await prices.close()

    asyncio.run(watched())
    assert "Prices stay as they are." in caplog.text
