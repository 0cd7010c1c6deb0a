"""The table: what a file may hold, how a model is found in it, and the file that ships."""

import json
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any

import pytest

from gatekey.pricing import BadPrices, Price, Rates, Table, spellings
from gatekey.pricing.rates import CLASSES

DOLLAR = 10**9
SHIPPED = resources.files("gatekey.pricing").joinpath("prices.json").read_bytes()


def table(models: dict[str, Any], provider: str = "p", **more: Any) -> Table:
    return Table.parse(json.dumps({"providers": {provider: models}, **more}).encode())


def test_dollars_become_nano_dollars_rounded_up_and_never_floats() -> None:
    found = table({"m": {"input": 0.1, "output": 2.5, "image": 0.04, "audio_hour": 0.36, "max_output": 100}}).find(
        "p", "m"
    )
    rates = Rates(input=DOLLAR // 10, output=5 * DOLLAR // 2, images=DOLLAR // 25, audio_ms=36 * DOLLAR // 100)
    assert found == Price((rates,), 100)
    assert table({"m": {"input": 1e-10}}).find("p", "m") == Price((Rates(input=1),))


def test_a_step_keeps_what_it_does_not_change() -> None:
    found = table({"m": {"input": 1, "output": 2, "above": [{"tokens": 9, "input": 3}, {"tokens": 5, "input": 2}]}})
    price = found.find("p", "m")
    assert price is not None
    assert [(rates.above, rates.input, rates.output) for rates in price.rates] == [
        (0, DOLLAR, 2 * DOLLAR),
        (5, 2 * DOLLAR, 2 * DOLLAR),
        (9, 3 * DOLLAR, 2 * DOLLAR),
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("GPT-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-20240806", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("models/gpt-4o", "gpt-4o"),
        ("ft:gpt-4o-2024-08-06:acme::1", "ft:gpt-4o"),
        ("gpt-4o-mini", None),
        ("ft:gpt-4:acme::1", None),
        ("", None),
    ],
)
def test_a_model_is_found_as_callers_write_it(asked: str, found: str | None) -> None:
    names = ("gpt-4o", "gpt-4o-2024-05-13", "ft:gpt-4o")
    known = table({name: {"input": at} for at, name in enumerate(names, 1)})
    price = known.find("p", asked)
    assert price == (None if found is None else Price((Rates(input=(names.index(found) + 1) * DOLLAR),)))


def test_the_first_model_that_is_known_counts_then_the_star() -> None:
    known = table({"a": {"input": 1}, "*": {"input": 2}})
    assert known.find("p", "x", "a") == Price((Rates(input=DOLLAR),))
    assert known.find("p", "x") == known.find("p", "") == Price((Rates(input=2 * DOLLAR),))
    assert known.find("q", "a") is None


def test_one_table_over_another() -> None:
    over = table({"A": {"input": 9}}, date="2026-02-02").over(table({"a": {"input": 1}, "b": {"input": 2}}, date="d"))
    assert over.find("p", "a") == Price((Rates(input=9 * DOLLAR),))
    assert over.find("p", "b") == Price((Rates(input=2 * DOLLAR),))
    entry = over.entry("p", "a-2026-01-01")
    assert entry is not None
    assert (entry[0], entry[1].date) == ("a", "2026-02-02")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"inputs": 1}, "there is no price called 'inputs'"),
        ({"images": 1}, "there is no price called 'images'"),
        ({"input": -1}, "`input` is -1"),
        ({"input": 1_000_001}, "`input` is 1000001"),
        ({"input": "1"}, "`input` is '1'"),
        ({"input": True}, "`input` is True"),
        ({"input": None}, "`input` is None"),
        ({"max_output": 0}, "`max_output` is 0"),
        ({"above": [{"input": 1}]}, "`above` must be"),
        ({"above": {"tokens": 1}}, "`above` must be"),
        ({"above": [{"tokens": 1.5}]}, "`tokens` is "),
        ([], "p/m: "),
    ],
)
def test_a_bad_entry_is_named(entry: Any, told: str) -> None:
    with pytest.raises(BadPrices, match="p/m"):
        table({"m": entry})
    with pytest.raises(BadPrices) as failure:
        table({"m": entry})
    assert told in str(failure.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"providers": []}', b'{"providers": {"p": 1}}', b"\xff"])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(BadPrices, match="not a table of prices"):
        Table.parse(data)


def test_spellings_are_the_most_exact_first() -> None:
    assert spellings("Models/X-2024-08-06") == ["x-2024-08-06", "x"]


class TestShipped:
    """The file that ships: its entries are read when they are asked for, so that this is where they are checked."""

    def test_it_is_in_the_documented_form_and_dated(self) -> None:
        file = json.loads(SHIPPED)
        assert file.keys() == {"date", "sources", "providers"}
        assert date(2026, 1, 1) <= date.fromisoformat(file["date"]) <= datetime.now(UTC).date()
        assert len(file["sources"]) == 2
        Table.parse(SHIPPED)

    def test_every_model_is_priced_sanely(self) -> None:
        known = Table.parse(SHIPPED, shipped=True)
        wrong = []
        for provider, models in known.entries.items():
            for model in models:
                price = known.find(provider, model)
                assert price is not None
                for rates in price.rates:
                    told = {name: rate for name in CLASSES if (rate := getattr(rates, name)) is not None}
                    dear = [name for name, rate in told.items() if rate > 1000 * DOLLAR]
                    cheaper_to_think = rates.reasoning is not None and not rates.reasoning
                    if dear or not told or cheaper_to_think:
                        wrong.append((provider, model, dear))
        assert not wrong

    def test_what_is_read_from_a_cache_is_not_dearer_than_what_is_not(self) -> None:
        known = Table.parse(SHIPPED, shipped=True)
        wrong = [
            (provider, model)
            for provider, models in known.entries.items()
            for model in models
            for rates in (known.find(provider, model) or Price(())).rates
            if rates.cache_read is not None and rates.input is not None and rates.cache_read > rates.input
        ]
        assert not wrong

    @pytest.mark.parametrize(
        ("provider", "model", "rates"),
        [
            ("openai", "gpt-4o", (2.5, 1.25, 10)),
            ("openai", "gpt-4o-2024-08-06", (2.5, 1.25, 10)),
            ("anthropic", "claude-haiku-4-5", (1, 0.1, 5)),
            ("anthropic", "claude-haiku-4-5-20251001", (1, 0.1, 5)),
            ("openai", "text-embedding-3-small", (0.02, None, None)),
            ("local", "anything", (0, None, 0)),
        ],
    )
    def test_prices_that_people_know(self, provider: str, model: str, rates: tuple[float | None, ...]) -> None:
        price = Table.parse(SHIPPED, shipped=True).find(provider, model)
        assert price is not None
        first = price.rates[0]
        found = (first.input, first.cache_read, first.output)
        assert found == tuple(None if rate is None else round(rate * DOLLAR) for rate in rates)
