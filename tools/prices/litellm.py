"""The price file inside the package `litellm`: one object for each model, prices for one token."""

import re
from decimal import Decimal
from typing import Any

from tools.prices import Entries, Entry

PROVIDERS = {
    "openai": ("openai", ""),
    "text-completion-openai": ("openai", ""),
    "anthropic": ("anthropic", ""),
    "azure": ("azure-openai", "azure/"),
    "azure_text": ("azure-openai", "azure/"),
    "gemini": ("google", "gemini/"),
    "mistral": ("mistral-ai", "mistral/"),
    "groq": ("groq", "groq/"),
    "xai": ("x-ai", "xai/"),
    "deepseek": ("deepseek", "deepseek/"),
    "cohere": ("cohere", "cohere/"),
    "cohere_chat": ("cohere", "cohere/"),
    "perplexity": ("perplexity-ai", "perplexity/"),
    "together_ai": ("together-ai", "together_ai/"),
    "fireworks_ai": ("fireworks-ai", "fireworks_ai/"),
    "fireworks_ai-embedding-models": ("fireworks-ai", "fireworks_ai/"),
    "openrouter": ("openrouter", "openrouter/"),
}
"""Its names of providers -> ours, and what stands before the models' names."""
FLAT = ("openai", "azure-openai", "anthropic", "google")
"""Ours whose models' names have no slash: one would be a region or the size of a picture."""

TOKENS = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "input_cost_per_image_token": "input_image",
    "cache_read_input_image_token_cost": "cache_read_image",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "output_cost_per_audio_token": "output_audio",
    "output_cost_per_image_token": "output_image",
    "input_cost_per_character": "characters",
}
"""Its names of prices for one -> the table's for a million."""
MAKES = {"image_generation": "image", "image_edit": "image", "audio_speech": "speech"}

_above = re.compile(r"_above_(\d+)k_tokens$")


def read(models: dict[str, dict[str, Any]]) -> Entries:
    """Everything that the file says about the providers above."""
    entries: Entries = {}
    for key, told in models.items():
        slug, before = PROVIDERS.get(str(told.get("litellm_provider")), ("", ""))
        name = key.removeprefix(before)
        if slug and not (slug in FLAT and "/" in name):
            entries.setdefault(slug, {})[name] = _entry(told)
    return entries


def _entry(told: dict[str, Any]) -> Entry:
    entry = Entry(makes=MAKES.get(str(told.get("mode")), ""))
    for field, value in told.items():
        if type(value) not in (int, float):
            continue
        above = _above.search(field)
        name = TOKENS.get(_above.sub("", field))
        if name is not None:
            entry.rates.setdefault(int(above[1]) * 1000 if above else 0, {})[name] = exact(value, 10**6)
    first = entry.rates.setdefault(0, {})
    by_tokens = any(value for name, value in first.items() if name != "characters")
    if told.get("mode") == "audio_transcription" and told.get("input_cost_per_second"):
        first["audio_hour"] = exact(told["input_cost_per_second"], 3600)
    if told.get("mode") == "image_generation" and told.get("output_cost_per_image") and not by_tokens:
        first["image"] = exact(told["output_cost_per_image"], 1)
    most = told.get("max_output_tokens")
    entry.max_output = most if type(most) is int and most > 0 else None
    return entry


def exact(value: float, times: int) -> Decimal:
    """A price as it was written, not as the machine holds it."""
    return Decimal(repr(value)) * times
