"""The table of prices that ships: how both sources are read and merged, and that file and page are what that makes.

`litellm.json` has rows of the package's file as they are there; models of `genai-prices` are stood in for by objects
with the fields that are read.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatekey.pricing import Price, Rates, Table
from tools.prices import Entries, Entry, genai, litellm
from tools.prices.__main__ import PAGE, TABLE, page, plain, table
from tools.prices.merge import Difference, merge, steps

HERE = Path(__file__).parent
WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)


def dollars(**rates: str) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in rates.items()}


class TestLitellm:
    """US dollars for one, as floats, become decimals for a million."""

    READ = litellm.read(json.loads((HERE / "litellm.json").read_text()))

    def test_a_model(self) -> None:
        assert self.READ["openai"]["gpt-4o"] == Entry({0: dollars(input="2.5", cache_read="1.25", output="10")}, 16384)

    def test_a_long_prompt(self) -> None:
        rates = self.READ["anthropic"]["claude-sonnet-4-5"].rates
        assert rates[0] == dollars(input="3", cache_read="0.3", cache_write="3.75", cache_write_1h="6", output="15")
        assert rates[200_000] == dollars(input="6", cache_read="0.6", output="22.5")

    def test_units(self) -> None:
        openai = self.READ["openai"]
        assert openai["tts-1"] == Entry({0: dollars(characters="15")}, makes="speech")
        assert openai["whisper-1"].rates == {0: dollars(audio_hour="0.36")}
        picture = self.READ["fireworks-ai"]["accounts/fireworks/models/flux-1-dev-fp8"]
        assert picture == Entry({0: dollars(image="0.0005")}, makes="image")

    def test_a_picture_that_is_billed_by_tokens_is_not_billed_by_the_picture_too(self) -> None:
        made = self.READ["openai"]["gpt-image-1"]
        assert "image" not in made.rates[0]
        assert made.rates[0]["cache_read_image"] == Decimal("2.5")

    def test_names_of_providers_and_models(self) -> None:
        assert set(self.READ) == {"openai", "anthropic", "azure-openai", "together-ai", "fireworks-ai"}
        assert set(self.READ["azure-openai"]) == {"gpt-4o"}  # a region has a price of its own
        assert set(self.READ["together-ai"]) == {"meta-llama/Llama-3.3-70B-Instruct-Turbo"}
        assert "1024-x-1024/dall-e-2" not in self.READ["openai"]

    def test_prices_are_as_they_were_written(self) -> None:
        assert litellm.exact(1.9e-08, 10**6) == Decimal("0.019")
        assert litellm.exact(0.1, 3) == Decimal("0.3")


@dataclass
class Tiered:
    base: Decimal
    tiers: list[Any]


@dataclass
class Model:
    """What is read of a model of `genai-prices`."""

    id: str
    prices: Any
    match: Any = None
    by_hour: Callable[[datetime], Any] | None = None
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        clauses = [SimpleNamespace(equals=name) for name in (self.id, *self.names)]
        self.match = self.match or SimpleNamespace(or_=[*clauses, SimpleNamespace(starts_with=f"{self.id}-")])

    def is_match(self, name: str) -> bool:
        return name == self.id or name in self.names

    def get_prices(self, when: datetime) -> Any:
        return self.by_hour(when) if self.by_hour is not None else self.prices


def provider(id: str, *models: Model) -> Any:
    return SimpleNamespace(id=id, models=list(models))


class TestGenai:
    """Prices by provider and model, some of which change with the hour."""

    def test_a_model_by_each_of_its_names(self) -> None:
        prices = SimpleNamespace(
            input_mtok=Decimal("2.5"), output_mtok=Decimal(10), cache_read_mtok=None, requests_kcount=1
        )
        read = genai.read([provider("openai", Model("gpt-4o", prices, names=["gpt-4o-latest", "gpt-4o-"]))], WHEN)
        entry = Entry({0: dollars(input="2.5", output="10")})
        assert read == {"openai": {"gpt-4o": entry, "gpt-4o-latest": entry}}

    def test_tiers(self) -> None:
        tiered = Tiered(Decimal(3), [SimpleNamespace(start=200_000, price=Decimal(6))])
        prices = SimpleNamespace(input_mtok=tiered, output_mtok=Decimal(15))
        read = genai.read([provider("anthropic", Model("claude", prices))], WHEN)
        assert read["anthropic"]["claude"].rates == {0: dollars(input="3", output="15"), 200_000: dollars(input="6")}

    def test_of_what_changes_with_the_hour_the_dearest(self) -> None:
        def at(when: datetime) -> Any:
            return SimpleNamespace(input_mtok=Decimal("0.27") if 0 < when.hour < 16 else Decimal("0.135"))

        read = genai.read([provider("deepseek", Model("deepseek-chat", [1, 2], by_hour=at))], WHEN)
        assert read["deepseek"]["deepseek-chat"].rates == {0: dollars(input="0.27")}

    def test_whom_we_have_and_who_serves_behind_a_router(self) -> None:
        prices = SimpleNamespace(input_mtok=Decimal(1))
        read = genai.read(
            [
                provider("aws", Model("x", prices)),
                provider("huggingface_novita", Model("org/m", prices)),
                provider("google", Model("claude-x", prices), Model("gemini-x", prices)),
            ],
            WHEN,
        )
        assert {slug: set(models) for slug, models in read.items()} == {
            "huggingface": {"org/m:novita"},
            "google": {"gemini-x"},
        }


def one(model: str, left: dict[str, str] | None, right: dict[str, str] | None, slug: str = "p", **more: Any) -> Any:
    """What two sources come to that tell this about one model."""
    first: Entries = {slug: {model: Entry({0: dollars(**left)}, **more)}} if left is not None else {}
    second: Entries = {slug: {model: Entry({0: dollars(**right)}, **more)}} if right is not None else {}
    merged, differences = merge(first, second)
    return merged[slug].get(model), differences


class TestMerge:
    """The dearer price is taken, and differences are told."""

    def test_what_both_say(self) -> None:
        found, differences = one("m", {"input": "1", "output": "2"}, {"output": "2", "input": "1.001"})
        assert found.rates == {0: dollars(input="1", output="2")}
        assert differences == []

    def test_the_dearer_one_and_the_difference(self) -> None:
        found, differences = one("m", {"input": "1", "output": "3"}, {"input": "2", "output": "2"})
        assert found.rates == {0: dollars(input="2", output="3")}
        assert differences == [
            Difference("p", "m", 0, "input", Decimal(1), Decimal(2), Decimal(2)),
            Difference("p", "m", 0, "output", Decimal(3), Decimal(2), Decimal(3)),
        ]

    def test_what_one_does_not_tell_is_the_others(self) -> None:
        assert one("m", {"input": "1"}, {"output": "2"})[0].rates == {0: dollars(input="1", output="2")}
        assert one("m", {"input": "1"}, None)[0].rates == one("m", None, {"input": "1"})[0].rates

    def test_all_zeros_are_no_price_but_of_what_says_that_it_is_free(self) -> None:
        zeros = {"input": "0", "output": "0"}
        assert one("m", zeros, zeros)[0] is None
        assert one("m:free", zeros, None)[0].rates == {0: dollars(**zeros)}
        assert one("m", {"input": "1", "output": "0"}, None)[0].rates == {0: dollars(input="1")}

    def test_names_are_in_lower_case(self) -> None:
        first: Entries = {"p": {"Org/M": Entry({0: dollars(input="1")})}}
        second: Entries = {"p": {"org/m": Entry({0: dollars(input="2")})}}
        merged, differences = merge(first, second)
        assert merged["p"] == {"org/m": Entry({0: dollars(input="2")})}
        assert len(differences) == 1

    def test_from_a_size_on_and_above_it_are_one_size(self) -> None:
        left = Entry({0: dollars(input="1"), 200_000: dollars(input="2")})
        right = Entry({0: dollars(input="1", output="5"), 200_001: dollars(input="2")})
        merged, differences = merge({"p": {"m": left}}, {"p": {"m": right}})
        assert merged["p"]["m"].rates == {0: dollars(input="1", output="5"), 200_000: dollars(input="2", output="5")}
        assert differences == []
        assert list(steps(merged["p"]["m"])) == [
            (0, dollars(input="1", output="5")),
            (200_000, dollars(input="2")),
        ]

    def test_a_size_that_one_does_not_know_has_its_first_price_there(self) -> None:
        left = Entry({0: dollars(input="1"), 200_000: dollars(input="2")})
        merged, differences = merge({"p": {"m": left}}, {"p": {"m": Entry({0: dollars(input="1")})}})
        assert merged["p"]["m"].rates[200_000] == dollars(input="2")
        assert [(each.above, each.second) for each in differences] == [(200_000, Decimal(1))]

    def test_a_snapshot_that_says_nothing_new_is_left_out(self) -> None:
        same, other = Entry({0: dollars(input="1")}), Entry({0: dollars(input="2")})
        merged, _ = merge({"p": {"m": same, "m-2026-01-02": same, "m-20260103": other}}, {})
        assert set(merged["p"]) == {"m", "m-20260103"}

    def test_classes_that_no_usage_tells_apart_are_the_dearer(self) -> None:
        found, _ = one("m", {"input": "5", "cache_read": "1", "cache_read_image": "2"}, None)
        assert found.rates == {0: dollars(input="5", cache_read="2")}
        found, _ = one("m", {"output": "1", "output_image": "4"}, None, makes="image")
        assert found.rates[0]["output"] == Decimal(4)
        found, _ = one("m", {"output": "1", "output_image": "4"}, None, slug="google", makes="image")
        assert found.rates[0]["output"] == Decimal(1)
        found, _ = one("m-tts", {"input": "1", "output": "12"}, None)
        assert found.rates[0]["output_audio"] == Decimal(12)

    def test_what_is_billed_alike_is_not_said_twice_and_no_read_is_dearer(self) -> None:
        found, _ = one("m", {"input": "1", "cache_read": "2", "output": "3", "reasoning": "3"}, None)
        assert found.rates == {0: dollars(input="1", output="3")}

    def test_what_runs_on_this_machine_is_free(self) -> None:
        merged, _ = merge({}, {})
        assert set(merged) == {"local", "ollama"}
        assert merged["local"]["*"].rates == {0: dollars(input="0", output="0")}


MADE: Entries = {
    "p": {"m": Entry({0: dollars(input="2.50", output="10"), 200_000: dollars(input="5", output="10")}, 100)}
}


class TestWritten:
    """The file and the page."""

    def test_the_table_is_one_that_can_be_read(self) -> None:
        text = table("2026-01-02", {"a": "1", "b": "2"}, MADE)
        first, second = Rates(input=25 * 10**8, output=10**10), Rates(200_000, input=5 * 10**9, output=10**10)
        assert Table.parse(text.encode()).find("p", "m") == Price((first, second), 100)
        assert '"m": {"input": 2.5, "output": 10, "max_output": 100, "above": [{"tokens": 200000, "input": 5}]}' in text
        assert json.loads(text)["date"] == "2026-01-02"

    def test_the_page_tells_differences(self) -> None:
        difference = Difference("p", "m", 200_000, "input", Decimal("2.50"), Decimal(5), Decimal(5))
        text = page("2026-01-02", {"a": "1", "b": "2"}, MADE, [difference])
        assert "1 models; 1 prices on which a 1 and b 2 do not agree" in text
        assert "| p | `m` | input above 200,000 | 2.5 | 5 | 5 |" in text

    @pytest.mark.parametrize(
        ("value", "text"),
        [("2.50", "2.5"), ("10", "10"), ("1E+2", "100"), ("0.0000000001", "0"), ("1E-9", "0.000000001")],
    )
    def test_prices_are_plain(self, value: str, text: str) -> None:
        assert plain(Decimal(value)) == text

    def test_the_page_is_about_the_table_that_ships(self) -> None:
        shipped, text = json.loads(TABLE.read_text(), parse_float=Decimal), PAGE.read_text()
        counted = sum(map(len, shipped["providers"].values()))
        made_of = " and ".join(f"{name} {version}" for name, version in shipped["sources"].items())
        rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in text.splitlines() if "`" in line]
        assert f"As of {shipped['date']}: {counted:,} models; {len(rows):,} prices on which {made_of}" in text
        wrong = []
        for slug, model, what, one, other, taken in rows:
            name, _, above = what.partition(" above ")
            entry = shipped["providers"][slug][model]
            step = (
                next((step for step in entry.get("above", ()) if f"{step['tokens']:,}" == above), {}) if above else {}
            )
            found = Decimal(step.get(name, entry.get(name, 0)))
            if Decimal(taken) != max(Decimal(one), Decimal(other)) or found != Decimal(taken):
                wrong.append((slug, model, what, found, taken))
        assert not wrong

    def test_the_script_names_what_it_reads(self) -> None:
        script = (TABLE.parents[3] / "scripts" / "prices").read_text()
        assert re.findall(r"^install (?:--no-deps )?([\w-]+)", script, re.MULTILINE) == ["genai-prices", "litellm"]
