"""The text of `/metrics`: what others read it with reads it, and every family is in the guide."""

import asyncio
import re
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some
from prometheus_client.parser import text_string_to_metric_families

from gatekey.observe import families
from gatekey.observe.figures import Answered
from gatekey.observe.metrics import Metrics, exposition
from gatekey.observe.record import Record

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "metrics.md"


def values(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels. The parser puts `_total` behind the name of any counter that lacks it."""
    return {
        (sample.name.replace("request_count_total", "request_count"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_histograms_add_up() -> None:
    row = ("POST", "chat", "200", "p", "true", "miss")
    counts = {families.HTTP.name: {row: [1, 2, *[0] * (len(families.HTTP.buckets) - 2), 4, 12_000_000]}}
    found = {name: value for (name, labels), value in values(exposition(counts, {})).items() if ("le", "1") in labels}
    assert found == {"http_request_duration_seconds_bucket": 3}
    text = exposition(counts, {}).decode()
    told = 'method="POST",endpoint="chat",code="200",provider="p",stream="true",cacheStatus="miss"'
    assert f'http_request_duration_seconds_bucket{{{told},le="0.1"}} 1\n' in text
    assert f'http_request_duration_seconds_bucket{{{told},le="+Inf"}} 7\n' in text
    assert f"http_request_duration_seconds_sum{{{told}}} 12\n" in text
    assert f"http_request_duration_seconds_count{{{told}}} 7\n" in text


def test_units() -> None:
    row = ("POST", "chat", "200", "p", "true", "miss")
    counts = {families.COST.name: {row: [12_345_678]}, families.TOKENS.name: {row: [7]}}
    found = {name: value for (name, _), value in values(exposition(counts, {})).items()}
    assert (found["llm_cost_sum"], found["llm_token_sum"]) == (1.2345678, 7)


def test_counters_that_have_no_labels_are_there_from_the_first_scrape() -> None:
    found = values(exposition({}, {}))
    assert found[("gatekey_records_lost_total", frozenset())] == 0


@given(some.text(), some.text())
def test_labels_are_read_back(model: str, provider: str) -> None:
    row = ("POST", "chat", "200", provider, "true", "miss", model)
    found = values(exposition({families.REQUESTS.name: {row: [3]}}, {}, model=True))
    labels = next(dict(labels) for name, labels in found if name == "request_count")
    assert (labels["provider"], labels["model"]) == (provider, model)


def test_gauges_of_workers_are_joined(tmp_path: Path) -> None:
    async def scraped() -> list[bytes]:
        first, second = (Metrics(tmp_path / "metrics", tmp_path / "spool") for _ in range(2))
        for number, each in enumerate((first, second), 1):
            each.tells(families.RUNNING, lambda number=number: float(number))
            each.tells(families.BEHIND, lambda number=number: float(number))
            each.tells(families.LOST, lambda number=number: float(number))
            each.add(Answered("GET", "", 404, 30))
            await each.open()
        texts = [await second.text(), await first.text()]
        await second.close()
        texts.append(await first.text())
        await first.close()
        return texts

    names = ("gatekey_workers", "gatekey_calls_running", "gatekey_store_behind_seconds", "gatekey_records_lost_total")
    *_, both, one = asyncio.run(scraped())
    for text, wanted in ((both, [2, 3, 2, 3]), (one, [1, 1, 1, 3])):
        found = {name: value for (name, _), value in values(text).items()}
        assert [found[name] for name in names] == wanted
        assert found["request_count"] == 2


def test_every_family_is_in_the_guide_and_nothing_else() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", GUIDE.read_text(), re.MULTILINE))
    assert told == {family.name for family in families.ALL}


def test_names_are_told_apart() -> None:
    assert len({family.name for family in families.ALL}) == len(families.ALL)
    for family in families.ALL:
        assert family.bounds == sorted(set(family.bounds)), family.name


def test_a_record_costs_its_answer_next_to_nothing(tmp_path: Path) -> None:
    """Less than 3 us while the answer is under way; printed, since other work on the machine may double it."""
    metrics = Metrics(tmp_path, tmp_path)
    metrics._figures._soon = lambda fold: None
    records = [Record(id="1", created_at=1, kind="chat", method="POST", path="/") for _ in range(20_000)]
    began = time.process_time()
    for record in records:
        metrics.add(record)
    took = (time.process_time() - began) / len(records) * 1_000_000
    print(f"{took:.2f} us for a record")
    assert took < 3
