"""Google's `GenerateContentResponse`, answered or streamed, as chat completions of ours.

A stream is a series of the same objects, so both ways read candidates with the same function. Thoughts, code and
grounding (`content_blocks`, `reasoning_content`) are only for callers who did not ask for strictness; signatures are
for all, since a call of a tool cannot be answered without them.
"""

from typing import Any

from gatekey.errors import InBand
from gatekey.providers._media import as_text
from gatekey.providers._spec import Asked, Chunk, Theirs
from gatekey.providers._usage import Report, Told, counted
from gatekey.streaming.sse import Event
from gatekey.wire import answer, error
from gatekey.wire.usage import Usage

FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
    "PUP_LIMITED_DISABLED": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
"""Why Google stopped, in our words. What is not here is `stop`; `finishMessage` tells more where it is sent."""

_OWN_OF_PARTS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_OWN_OF_CANDIDATES = ("groundingMetadata", "citationMetadata", "urlContextMetadata", "safetyRatings")


def reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    """A response as a chat completion, one choice for each candidate."""
    _check(theirs, asked)
    blocked = _blocked(theirs)
    choices = [blocked] if blocked else [_choice(given, at, asked) for at, given in enumerate(theirs["candidates"])]
    choices = [{"index": choice["index"], "message": _message(choice.pop("delta")), **choice} for choice in choices]
    ours = {
        "id": theirs.get("responseId") or f"chatcmpl-{asked.id}",
        "object": "chat.completion",
        "created": asked.created,
        "model": theirs.get("modelVersion") or asked.model,
        "choices": choices,
    }
    return {**ours, "usage": usage(theirs["usageMetadata"])} if "usageMetadata" in theirs else ours


def usage(theirs: Theirs) -> dict[str, Any]:
    """Counts in OpenAI's sense: thoughts are part of the completion, results of Google's own tools of the prompt."""
    thoughts = theirs.get("thoughtsTokenCount", 0)
    cached = by_modality(theirs.get("cacheTokensDetails"))
    prompt = theirs.get("promptTokenCount", 0) + theirs.get("toolUsePromptTokenCount", 0)
    completion = theirs.get("candidatesTokenCount", 0) + thoughts
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": theirs.get("totalTokenCount", prompt + completion),
        "prompt_tokens_details": {
            "cached_tokens": theirs.get("cachedContentTokenCount", 0),
            **({"cached_tokens_details": cached} if cached else {}),
            **by_modality(theirs.get("promptTokensDetails")),
        },
        "completion_tokens_details": {
            "reasoning_tokens": thoughts,
            **by_modality(theirs.get("candidatesTokensDetails")),
        },
    }


def counts(theirs: Told) -> Usage | None:
    """A `usageMetadata`, or a usage as `usage` makes it. Cached content is part of the prompt, thoughts are not of the
    answer; what is seen or heard is told by modality (https://ai.google.dev/api/generate-content#UsageMetadata), of
    embeddings under another name (https://ai.google.dev/api/embeddings#EmbeddingUsageMetadata).
    """
    if "prompt_tokens" in theirs:
        return counted(theirs)
    report = Report()
    count = report.count
    given, made, cached = (
        _told_by_modality(theirs.get(name))
        for name in (
            "promptTokenDetails" if "promptTokenDetails" in theirs else "promptTokensDetails",
            "candidatesTokensDetails",
            "cacheTokensDetails",
        )
    )
    prompt, tools = count(theirs, "promptTokenCount"), count(theirs, "toolUsePromptTokenCount")
    told, thought = count(theirs, "candidatesTokenCount", "responseTokenCount"), count(theirs, "thoughtsTokenCount")
    return report.usage(
        prompt=tools if prompt is None else prompt + (tools or 0),
        completion=thought if told is None else told + (thought or 0),
        total=count(theirs, "totalTokenCount"),
        read=count(theirs, "cachedContentTokenCount"),
        read_audio=count(cached, "audio"),
        read_image=count(cached, "image"),
        heard=count(given, "audio"),
        seen=count(given, "image"),
        thought=thought,
        spoken=count(made, "audio"),
        drawn=count(made, "image"),
    )


def _told_by_modality(details: Any) -> dict[str, Any]:
    items = details if isinstance(details, list) else []
    return {str(item.get("modality")).lower(): item.get("tokenCount") for item in items if isinstance(item, dict)}


def by_modality(details: Any) -> dict[str, int]:
    """Counts by modality, as our dialect names them."""
    return {f"{item['modality'].lower()}_tokens": item.get("tokenCount", 0) for item in details or ()}


def _check(theirs: Theirs, asked: Asked) -> None:
    """Raise `InBand` for an error inside a 200 answer."""
    if "error" in theirs:
        fault = error.of_provider(asked.provider, error.read(theirs))
        code = None if fault.code is None else str(fault.code)
        raise InBand(fault.message, status=fault.status or 502, type=fault.type, code=code)


def _blocked(theirs: Theirs) -> dict[str, Any] | None:
    """A prompt that was blocked has no candidates: the choice that says so."""
    reason = theirs.get("promptFeedback", {}).get("blockReason")
    if reason is None or theirs.get("candidates"):
        return None
    delta = {"role": "assistant", "refusal": f"The prompt was blocked: {reason}."}
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": "content_filter"}


def _choice(candidate: dict[str, Any], position: int, asked: Asked) -> dict[str, Any]:
    """A whole candidate as a choice with one delta."""
    choice = _Voice(candidate.get("index", position), asked).choice(candidate)
    return {**choice, "finish_reason": choice["finish_reason"] or "stop"}


def _message(delta: dict[str, Any]) -> dict[str, Any]:
    """The one delta of a whole answer as a message."""
    calls = [{name: kept for name, kept in call.items() if name != "index"} for call in delta.get("tool_calls", ())]
    silent = calls or "refusal" in delta
    message = {"role": "assistant", "content": delta.get("content", None if silent else "")}
    message |= {name: kept for name, kept in delta.items() if name not in message}
    if calls:
        message["tool_calls"] = calls
    if "content_blocks" in delta:
        message["content_blocks"] = [_block(item["delta"]) for item in delta["content_blocks"]]
    return message


def _block(told: dict[str, Any]) -> dict[str, Any]:
    return {"type": next(iter(told)), **told}


class _Voice:
    """One candidate, whose parts come in one response or in many."""

    def __init__(self, index: int, asked: Asked) -> None:
        self._index = index
        self._asked = asked
        self._calls = 0
        self._kind = ""
        self._blocks = -1
        self._begun = False

    def choice(self, candidate: dict[str, Any]) -> dict[str, Any]:
        """What the candidate adds, as a choice of a chunk."""
        delta: dict[str, Any] = {}
        for part in (candidate.get("content") or {}).get("parts") or ():
            self._part(part, delta)
        reason = candidate.get("finishReason")
        finish = None if reason is None else FINISH.get(reason, "stop")
        if reason not in (None, "STOP", "MAX_TOKENS") and candidate.get("finishMessage"):
            delta["refusal"] = candidate["finishMessage"]
        if finish == "stop" and self._calls:
            finish = "tool_calls"
        if not self._begun and (delta or finish):
            self._begun = True
            delta = {"role": "assistant", **delta}
        choice = {"index": self._index, "delta": delta, "logprobs": _logprobs(candidate), "finish_reason": finish}
        if not self._asked.strict:
            choice |= {name: candidate[name] for name in _OWN_OF_CANDIDATES if name in candidate}
        return choice

    def _part(self, part: dict[str, Any], delta: dict[str, Any]) -> None:
        signature = part.get("thoughtSignature")
        google = {"google": {"thought_signature": signature}}
        if "functionCall" in part:
            call = self._call(part["functionCall"])
            delta.setdefault("tool_calls", []).append({**call, "extra_content": google} if signature else call)
            return
        if signature:
            delta["extra_content"] = google
        if part.get("text"):
            kind, field = ("thinking", "reasoning_content") if part.get("thought") else ("text", "content")
            if kind == "text" or not self._asked.strict:
                delta[field] = delta.get(field, "") + part["text"]
            self._tell(delta, kind, part["text"])
        elif "inlineData" in part:
            self._media(part["inlineData"], delta)
        for name in _OWN_OF_PARTS:
            if name in part:
                self._tell(delta, name, part[name])

    def _call(self, called: dict[str, Any]) -> dict[str, Any]:
        position = self._calls
        self._calls += 1
        return {
            "index": position,
            "id": called.get("id") or f"call_{self._asked.id}_{self._index}_{position}",
            "type": "function",
            "function": {"name": called["name"], "arguments": as_text(called.get("args") or {})},
        }

    def _media(self, media: dict[str, Any], delta: dict[str, Any]) -> None:
        kind, data = media["mimeType"], media["data"]
        if kind.startswith("audio/"):
            delta["audio"] = {"id": f"audio_{self._asked.id}_{self._index}", "data": data}
        else:
            url = f"data:{kind};base64,{data}"
            delta.setdefault("images", []).append({"type": "image_url", "image_url": {"url": url}})

    def _tell(self, delta: dict[str, Any], kind: str, told: Any) -> None:
        """Google's own blocks: what is of one kind in a row is one block, whatever it is cut into."""
        if self._asked.strict:
            return
        told_of = delta.setdefault("content_blocks", [])
        if kind != self._kind or not isinstance(told, str):
            self._kind, self._blocks = kind, self._blocks + 1
        elif told_of and told_of[-1]["index"] == self._blocks:
            told_of[-1]["delta"][kind] += told
            return
        told_of.append({"index": self._blocks, "delta": {kind: told}})


def _logprobs(candidate: dict[str, Any]) -> dict[str, Any] | None:
    result = candidate.get("logprobsResult")
    if not result:
        return None
    chosen = result.get("chosenCandidates", [])
    tops = result.get("topCandidates") or [{}] * len(chosen)
    content = [
        {**_token(token), "top_logprobs": [_token(other) for other in top.get("candidates", ())]}
        for token, top in zip(chosen, tops, strict=False)
    ]
    return {"content": content, "refusal": None}


def _token(theirs: dict[str, Any]) -> dict[str, Any]:
    text = theirs.get("token", "")
    return {"token": text, "logprob": theirs.get("logProbability", 0.0), "bytes": list(text.encode())}


class Responses:
    """One streamed answer: an event in, chunks out. Usage comes with the event in which the last candidate ends."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._voices: dict[int, _Voice] = {}
        self._ended: set[int] = set()
        self.so_far: dict[str, Any] = {}

    def __call__(self, event: Event) -> list[Chunk]:
        theirs = answer.fields(event.data)
        _check(theirs, self._asked)
        blocked = _blocked(theirs)
        if blocked is not None:
            choices = [blocked]
        else:
            choices = [self._choice(given, at) for at, given in enumerate(theirs.get("candidates") or ())]
        self._ended |= {choice["index"] for choice in choices if choice["finish_reason"]}
        self.so_far |= theirs.get("usageMetadata") or {}
        head = {
            "id": theirs.get("responseId") or f"chatcmpl-{self._asked.id}",
            "object": "chat.completion.chunk",
            "created": self._asked.created,
            "model": theirs.get("modelVersion") or self._asked.model,
        }
        chunks = [
            {**head, "choices": [choice]} for choice in choices if len(choice["delta"]) or choice["finish_reason"]
        ]
        if self.so_far and "usageMetadata" in theirs and self._over(blocked is not None):
            chunks.append({**head, "choices": [], "usage": usage(self.so_far)})
        return chunks

    def _choice(self, candidate: dict[str, Any], position: int) -> dict[str, Any]:
        index = candidate.get("index", position)
        return self._voices.setdefault(index, _Voice(index, self._asked)).choice(candidate)

    def _over(self, blocked: bool) -> bool:
        return blocked or len(self._ended) >= (self._asked.ours.get("n") or 1)
