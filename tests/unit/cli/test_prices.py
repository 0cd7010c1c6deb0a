"""The operator's file of prices: laid over what ships, looked at again, refused where it is bad."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from gatekey.cli import prices
from gatekey.cli.prices import Changing, load, tell
from gatekey.cli.settings import BadSettings
from gatekey.errors import NotFound
from gatekey.pricing import Price, Rates, Table


def costing(dollars: int) -> str:
    return f'{{"date": "2026-01-0{dollars}", "providers": {{"openai": {{"my-model": {{"input": {dollars}}}}}}}}}'


def found(table: Table | None) -> Price | None:
    assert table is not None
    return table.find("openai", "my-model")


def price(dollars: int) -> Price:
    return Price((Rates(input=dollars * 10**9),))


def test_what_ships_and_over_it_the_file(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(costing(1))
    assert load().find("openai", "my-model") is None
    assert found(load(str(file))) == price(1)
    assert load(str(file)).find("openai", "gpt-4o") == load().find("openai", "gpt-4o") is not None


@pytest.mark.parametrize("content", ["{", '{"providers": {"openai": {"m": {"inputs": 1}}}}', "x" * 200])
def test_a_bad_file_is_refused_by_name(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "MAX_BYTES", 100)
    file = tmp_path / "prices.json"
    file.write_text(content)
    with pytest.raises(BadSettings, match=f"GATEKEY_PRICES: {file}"):
        load(str(file))
    with pytest.raises(BadSettings, match="cannot be read"):
        load(str(tmp_path / "none"))


def test_a_change_is_seen_once(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(costing(1))
    changing = Changing(str(file))
    assert found(changing.table) == price(1)
    assert changing.newer() is None
    replacement = tmp_path / "new"
    replacement.write_text(costing(2))
    replacement.rename(file)
    assert found(changing.newer()) == price(2)
    assert changing.newer() is None
    file.write_text(costing(3))
    os.utime(file, ns=(1, 1))
    assert found(changing.newer()) == price(3)


def test_a_bad_change_is_refused_with_one_line_and_what_was_known_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "prices.json"
    file.write_text(costing(1))
    changing = Changing(str(file))

    def look(change: Any) -> str:
        caplog.clear()
        change()
        with caplog.at_level(logging.WARNING):
            assert changing.newer() is None
            assert changing.newer() is None
        assert len(caplog.records) == 1
        return caplog.text

    assert "not a table of prices" in look(lambda: file.write_text("{"))
    assert "cannot be read" in look(file.unlink)
    file.write_text(costing(2))
    assert found(changing.newer()) == price(2)


class TestTell:
    """`gatekey prices`."""

    def test_what_a_model_costs_and_where_that_is_from(self, tmp_path: Path) -> None:
        file = tmp_path / "prices.json"
        file.write_text(costing(1))
        told = tell(str(file), "OpenAI", "my-model-2026-01-01").splitlines()
        assert [line.split() for line in told[1:-1]] == [["input", "1"]]
        assert told[0].startswith("OpenAI/my-model ")
        assert told[-1] == f"From GATEKEY_PRICES ({file}), as of 2026-01-01."

    def test_of_the_table_that_ships(self) -> None:
        told = tell("", "anthropic", "claude-sonnet-4-5")
        assert "input, prompts above 200,000 tokens" in told
        assert "From the prices that ship with this version, as of 20" in told
        assert "genai-prices" in told

    def test_for_scripts(self) -> None:
        told = json.loads(tell("", "openai", "whisper-1", as_json=True))
        assert told["prices"] == [{"audio_hour": 0.36}]
        steps = json.loads(tell("", "anthropic", "claude-sonnet-4-5", as_json=True))["prices"]
        assert (steps[0]["input"], steps[1]["tokens"], steps[1]["output"]) == (3, 200_000, 22.5)

    def test_what_has_no_price(self) -> None:
        with pytest.raises(NotFound, match="unpriced, which is not free"):
            tell("", "openai", "nobody-knows")
