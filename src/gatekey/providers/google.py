"""Google: the Gemini API, with chat, embeddings and models."""

from collections.abc import Mapping
from typing import Any

from gatekey.errors import BadBody
from gatekey.providers import Asked, Endpoint, Provider, Theirs, To, Where, header
from gatekey.providers._google_reply import Responses, by_modality, counts, reply
from gatekey.providers._google_request import request
from gatekey.providers._media import listed
from gatekey.providers._shape import segment


def _model(name: str) -> str:
    """A model as Google's addresses have it; `models/` before it is how its own list spells names."""
    return f"models/{segment(name.removeprefix('models/'))}"


def _generate(where: Where) -> str:
    return f"/{_model(where.model)}:{'streamGenerateContent?alt=sse' if where.stream else 'generateContent'}"


def _embed(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    """One request for each text, so that each gets its own vector."""
    texts = listed(ours.get("input"))
    if not texts or not all(isinstance(text, str) for text in texts):
        raise BadBody("`input` must be a string or a list of strings for Google, and no token ids.", param="input")
    common = {"model": f"models/{asked.model.removeprefix('models/')}", **theirs}
    theirs.clear()
    theirs["requests"] = [{**common, "content": {"parts": [{"text": text}]}} for text in texts]
    return []


def _embeddings(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    """Vectors in the order of the texts. Where Google tells no usage it is 0: our dialect demands the field."""
    data = [
        {"object": "embedding", "index": index, "embedding": item["values"]}
        for index, item in enumerate(theirs["embeddings"])
    ]
    told = theirs.get("usageMetadata") or {}
    tokens, details = told.get("promptTokenCount", 0), by_modality(told.get("promptTokenDetails"))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    if details:
        usage["prompt_tokens_details"] = details
    return {"object": "list", "data": data, "model": asked.model, "usage": usage}


def _models(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    """Google tells no dates: `created` is 0."""
    data = [
        {
            "id": model["name"].removeprefix("models/"),
            "object": "model",
            "created": 0,
            "owned_by": "google",
            "display_name": model.get("displayName", ""),
        }
        for model in theirs["models"]
    ]
    return {"object": "list", "data": data}


def _upper(modalities: list[str]) -> list[str]:
    return [modality.upper() for modality in modalities]


_CHAT: dict[str, To | None] = {
    "temperature": To("generationConfig.temperature", low=0, high=2),
    "top_p": To("generationConfig.topP", low=0, high=1),
    "top_k": To("generationConfig.topK"),
    "n": To("generationConfig.candidateCount"),
    "stop": To("generationConfig.stopSequences", via=listed),
    "seed": To("generationConfig.seed"),
    "presence_penalty": To("generationConfig.presencePenalty"),
    "frequency_penalty": To("generationConfig.frequencyPenalty"),
    "logprobs": To("generationConfig.responseLogprobs"),
    "top_logprobs": To("generationConfig.logprobs"),
    "modalities": To("generationConfig.responseModalities", via=_upper),
    "image_config": To("generationConfig.imageConfig"),
    "media_resolution": To("generationConfig.mediaResolution"),
    "safety_settings": To("safetySettings"),
    "cached_content": To("cachedContent"),
    "model": None,
    "messages": None,
    "max_tokens": None,
    "max_completion_tokens": None,
    "audio": None,
    "parallel_tool_calls": None,
    "reasoning_effort": None,
    "response_format": None,
    "service_tier": None,
    "thinking": None,
    "tool_choice": None,
    "tools": None,
}

_EMBEDDINGS: dict[str, To | None] = {
    "dimensions": To("outputDimensionality"),
    "task_type": To("taskType"),
    "title": To("title"),
    "model": None,
    "input": None,
    "encoding_format": None,
}

provider = Provider(
    slug="google",
    name="Google Gemini",
    docs="https://ai.google.dev/api",
    base="https://generativelanguage.googleapis.com/v1beta",
    auth=header("x-goog-api-key"),
    key_headers=("x-goog-api-key",),
    counts=counts,
    endpoints={
        "chat": Endpoint(path=_generate, params=_CHAT, translate=request, reply=reply, stream=Responses),
        "embeddings": Endpoint(
            path=lambda where: f"/{_model(where.model)}:batchEmbedContents",
            params=_EMBEDDINGS,
            translate=_embed,
            reply=_embeddings,
        ),
        "models": Endpoint(path="/models?pageSize=1000", method="GET", reply=_models),
    },
)
