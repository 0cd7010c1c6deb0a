"""Whatever a provider reports, each token is in exactly one class: made-up reports in every provider's way of counting.

A report is made out of classes, as the provider's documentation says that it counts, and read back: the same classes
come out, so that they add up to the reported totals. Reports that cannot be right never make a count negative.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import asdict, replace

from gatekey.pricing.rates import CLASSES, INPUT, OUTPUT
from gatekey.providers import usage
from gatekey.providers._usage import MOST
from gatekey.wire.usage import Usage
from tests.conformance.material import CATALOG, SLUGS

Report = dict[str, Any]

READERS = list({CATALOG.provider(slug).counts: slug for slug in SLUGS}.values())
"""A provider for each way of counting."""

COUNT = some.integers(0, 10**7)
tokens = some.fixed_dictionaries(dict.fromkeys((*INPUT, *OUTPUT), COUNT))


def openai(made: Usage) -> Report:
    """What was cached, heard and seen is inside of the prompt, what was thought, said and drawn of the completion."""
    return {
        "prompt_tokens": made.prompt,
        "completion_tokens": made.completion,
        "total_tokens": made.total,
        "prompt_tokens_details": {
            "cached_tokens": made.cache_read + made.cache_read_audio,
            "cached_tokens_details": {"audio_tokens": made.cache_read_audio},
            "cache_write_tokens": made.cache_write,
            "audio_tokens": made.input_audio + made.cache_read_audio,
            "image_tokens": made.input_image,
        },
        "completion_tokens_details": {
            "reasoning_tokens": made.reasoning,
            "audio_tokens": made.output_audio,
            "image_tokens": made.output_image,
        },
    }


def responses(made: Usage) -> Report:
    """The same, under the names of Responses and of pictures."""
    ours = openai(made)
    return {
        "input_tokens": ours["prompt_tokens"],
        "output_tokens": ours["completion_tokens"],
        "total_tokens": ours["total_tokens"],
        "input_tokens_details": ours["prompt_tokens_details"],
        "output_tokens_details": ours["completion_tokens_details"],
    }


def anthropic(made: Usage) -> Report:
    """What was read from the cache and written to it is beside the input."""
    return {
        "input_tokens": made.input,
        "cache_read_input_tokens": made.cache_read,
        "cache_creation_input_tokens": made.cache_write + made.cache_write_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": made.cache_write,
            "ephemeral_1h_input_tokens": made.cache_write_1h,
        },
        "output_tokens": made.completion,
        "output_tokens_details": {"thinking_tokens": made.reasoning},
    }


def google(made: Usage) -> Report:
    """What was cached is inside of the prompt; thoughts are beside the candidates, and in the total."""
    return {
        "promptTokenCount": made.prompt,
        "candidatesTokenCount": made.completion - made.reasoning,
        "thoughtsTokenCount": made.reasoning,
        "totalTokenCount": made.total,
        "cachedContentTokenCount": made.cache_read + made.cache_read_audio,
        "promptTokensDetails": [
            {"modality": "AUDIO", "tokenCount": made.input_audio + made.cache_read_audio},
            {"modality": "IMAGE", "tokenCount": made.input_image},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": made.cache_read_audio}],
        "candidatesTokensDetails": [
            {"modality": "AUDIO", "tokenCount": made.output_audio},
            {"modality": "IMAGE", "tokenCount": made.output_image},
        ],
    }


def cohere(made: Usage) -> Report:
    """What is billed; pictures are beside the text."""
    return {
        "billed_units": {
            "input_tokens": made.input,
            "image_tokens": made.input_image,
            "output_tokens": made.completion,
        },
        "tokens": {"input_tokens": made.input + 66, "output_tokens": made.completion},
    }


def deepseek(made: Usage) -> Report:
    """The prompt is what hit the cache and what missed it."""
    return {
        "prompt_tokens": made.prompt,
        "completion_tokens": made.completion,
        "total_tokens": made.total,
        "prompt_cache_hit_tokens": made.cache_read,
        "prompt_cache_miss_tokens": made.input,
        "completion_tokens_details": {"reasoning_tokens": made.reasoning},
    }


def x_ai(made: Usage) -> Report:
    """What was thought is beside the completion, and in the total."""
    ours = openai(made)
    return {**ours, "completion_tokens": made.completion - made.reasoning}


def mistral(made: Usage) -> Report:
    """What was cached is told beside the prompt, and is inside of it."""
    return {
        "prompt_tokens": made.prompt,
        "completion_tokens": made.completion,
        "total_tokens": made.total,
        "num_cached_tokens": made.cache_read,
    }


HOUR = ("cache_write_1h",)
"""What few tell apart."""
WAYS: dict[str, tuple[Callable[[Usage], Report], tuple[str, ...]]] = {
    "openai": (openai, HOUR),
    "azure-openai": (openai, HOUR),
    "fireworks-ai": (openai, HOUR),
    "groq": (openai, HOUR),
    "huggingface": (openai, HOUR),
    "local": (openai, HOUR),
    "ollama": (openai, HOUR),
    "openrouter": (openai, HOUR),
    "perplexity-ai": (openai, HOUR),
    "together-ai": (openai, HOUR),
    "anthropic": (anthropic, tuple(name for name in CLASSES if "audio" in name or "image" in name)),
    "google": (google, (*HOUR, "cache_write")),
    "cohere": (cohere, tuple({*INPUT, *OUTPUT} - {"input", "input_image", "output"})),
    "deepseek": (deepseek, tuple({*INPUT, *OUTPUT} - {"input", "cache_read", "output", "reasoning"})),
    "x-ai": (x_ai, HOUR),
    "mistral-ai": (mistral, tuple({*INPUT, *OUTPUT} - {"input", "cache_read", "output"})),
}
"""How each provider counts, and the classes that it has no words for."""


def test_every_provider_has_its_way() -> None:
    assert WAYS.keys() == set(SLUGS)


@settings(max_examples=100, deadline=None)
@given(counts=tokens)
def test_the_classes_come_back_as_they_were_reported(counts: Mapping[str, int]) -> None:
    for slug, (way, lacking) in WAYS.items():
        made = replace(Usage(**counts), **dict.fromkeys(lacking, 0))
        expected = made if made.total else None
        report = way(made)
        assert usage(CATALOG.provider(slug), report) == expected, slug
        assert usage(CATALOG.provider(slug), msgspec.json.decode(msgspec.json.encode(report))) == expected, slug


@settings(max_examples=30, deadline=None)
@given(counts=tokens)
def test_responses_are_counted_like_chat(counts: Mapping[str, int]) -> None:
    made = replace(Usage(**counts), cache_write_1h=0)
    assert usage(CATALOG.provider("openai"), responses(made)) == (made if made.total else None)


NAMES = sorted({
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "cached_tokens",
    "cache_write_tokens", "audio_tokens", "image_tokens", "reasoning_tokens", "thinking_tokens", "images", "seconds",
    "characters", "prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "cached_tokens_details",
    "output_tokens_details", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
    "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "promptTokenCount", "candidatesTokenCount",
    "thoughtsTokenCount", "toolUsePromptTokenCount", "totalTokenCount", "cachedContentTokenCount",
    "promptTokensDetails", "promptTokenDetails", "cacheTokensDetails", "candidatesTokensDetails", "modality",
    "tokenCount", "billed_units", "tokens", "prompt_cache_hit_tokens", "num_cached_tokens", "prompt_audio_seconds",
    "cost", "total_cost", "is_byok", "cost_details", "upstream_inference_cost", "cost_in_usd_ticks",
})  # fmt: skip
"""Everything that some provider's usage may hold."""
values: some.SearchStrategy[Any] = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(10**12), 10**12)
    | some.integers(0, 1000)
    | some.floats(allow_nan=False)
    | some.sampled_from(["AUDIO", "TEXT", "IMAGE", ""]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(NAMES), inner, max_size=6),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(report=some.dictionaries(some.sampled_from(NAMES), values, max_size=10))
def test_no_report_raises_or_makes_a_count_negative(report: Report) -> None:
    for slug in READERS:
        found = usage(CATALOG.provider(slug), report)
        if found is not None:
            counts = {name: value for name, value in asdict(found).items() if name in CLASSES}
            assert all(type(value) is int and 0 <= value <= 3 * MOST for value in counts.values()), (slug, counts)
            assert found.told is None or found.told >= 0


plain = some.fixed_dictionaries(
    {"prompt_tokens": COUNT, "completion_tokens": COUNT},
    optional={
        "prompt_tokens_details": some.fixed_dictionaries(
            {}, optional=dict.fromkeys(("cached_tokens", "audio_tokens", "image_tokens", "cache_write_tokens"), COUNT)
        ),
        "completion_tokens_details": some.fixed_dictionaries(
            {}, optional=dict.fromkeys(("reasoning_tokens", "audio_tokens", "image_tokens"), COUNT)
        ),
    },
)


@settings(max_examples=60, deadline=None)
@given(report=plain)
def test_classes_that_contradict_the_totals_still_add_up_to_them(report: Report) -> None:
    """Of details that are more than their side the totals hold, and the usage is doubtful."""
    told = {**report, "total_tokens": report["prompt_tokens"] + report["completion_tokens"]}
    thought = (report.get("completion_tokens_details") or {}).get("reasoning_tokens", 0)
    for slug in READERS:
        found = usage(CATALOG.provider(slug), told)
        if found is None:
            assert told["total_tokens"] == 0
        elif thought <= report["completion_tokens"]:
            assert (found.prompt, found.total) == (told["prompt_tokens"], told["total_tokens"])
        else:  # counted beside the completion, as some providers do
            assert (found.completion, found.doubtful) == (report["completion_tokens"] + thought, True)
