"""The package `genai-prices`: prices by provider and model, some with a date or an hour from which they hold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.prices import Entries, Entry, Rates

PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure-openai",
    "google": "google",
    "mistral": "mistral-ai",
    "groq": "groq",
    "x-ai": "x-ai",
    "deepseek": "deepseek",
    "cohere": "cohere",
    "perplexity": "perplexity-ai",
    "together": "together-ai",
    "fireworks": "fireworks-ai",
    "openrouter": "openrouter",
}
"""Its names of providers -> ours. Those of Hugging Face's router are `huggingface_<who serves>`."""
ROUTER = "huggingface_"
ELSEWHERE = {"google": "claude-"}
"""Ours -> models listed there that are served by another product of theirs."""

CLASSES = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_read_audio",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cache_read_image",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "input_mchars": "characters",
    "input_audio_hours": "audio_hour",
    "audio_hours": "audio_hour",
}
"""Its names of prices -> the table's; `cache_read_image` is no class of a usage, and is put into another."""


def read(providers: list[Any], when: datetime) -> Entries:
    """What holds at a time; of what changes with the hour, the dearest."""
    entries: Entries = {}
    for provider in providers:
        slug = "huggingface" if provider.id.startswith(ROUTER) else PROVIDERS.get(provider.id)
        if slug is None:
            continue
        suffix = f":{provider.id.removeprefix(ROUTER)}" if slug == "huggingface" else ""
        for model in provider.models:
            entry = Entry(_rates(model, when))
            for name in names(model):
                if not name.startswith(ELSEWHERE.get(slug, "\n")) and not name.endswith("-"):  # that is a prefix
                    entries.setdefault(slug, {})[name + suffix] = entry
    return entries


def names(model: Any) -> Iterator[str]:
    """The names that are exactly this model's; patterns for others are not used."""
    if model.is_match(model.id):
        yield model.id
    for clause in getattr(model.match, "or_", [model.match]):
        if hasattr(clause, "equals"):
            yield clause.equals


def _rates(model: Any, when: datetime) -> dict[int, Rates]:
    midnight = when.astimezone(UTC).replace(hour=0, minute=0)
    rates: dict[int, Rates] = {}
    for half_hours in range(48 if isinstance(model.prices, list) else 1):
        price = model.get_prices(midnight + timedelta(minutes=30 * half_hours))
        for name, value in vars(price).items():
            if name in CLASSES and value is not None:
                for above, dollars in [(0, getattr(value, "base", value)), *_tiers(value)]:
                    at = rates.setdefault(above, {})
                    at[CLASSES[name]] = max(at.get(CLASSES[name], dollars), dollars)
    return rates


def _tiers(value: Any) -> list[tuple[int, Any]]:
    return [(tier.start, tier.price) for tier in getattr(value, "tiers", ())]
