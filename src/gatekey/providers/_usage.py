"""What an exchange consumed, out of what a provider reports: each token in one class, whatever is reported.

A report may hold anything. What cannot be right is counted in the dearer class and makes the usage `doubtful`;
nothing is ever negative, and nothing raises. `Provider.counts` is a provider's way of counting; `counted` is
OpenAI's, which is the default: what was cached, heard and seen is part of the prompt, what was thought part of the
completion.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any

from gatekey.wire.usage import Usage

if TYPE_CHECKING:
    from gatekey.providers._spec import Provider

MOST = 1_000_000_000
"""Tokens, ms or characters that one report may come to: no exchange has a thousandth of it, and its cost in
nano-dollars stays within 64 bits."""

Told = Mapping[str, Any]
_NOTHING: Told = {}


def usage(provider: "Provider", theirs: Any) -> Usage | None:
    """What the exchange consumed, out of a usage object of ours or of the provider's own; None where none is told.

    A report of nothing tells nothing: some write it where they have not counted, and no exchange is without a token.

    For endpoints without such an object: `{"images": 1}`, `{"seconds": 1.5}` heard, `{"characters": 5}` spoken.
    """
    found = provider.counts(theirs) if isinstance(theirs, dict) and theirs else None
    return None if found is None or _nothing(found) else found


def _nothing(found: Usage) -> bool:
    units = found.images or found.audio_ms or found.characters
    return not (found.input or found.output or units or found.total or found.told is not None)


def counted(theirs: Told, told: int | None = None) -> Usage | None:
    """OpenAI's way, of chat and text completions, Responses, embeddings, images and transcriptions.

    Where the total is more than prompt and completion, the rest is what some providers count beside the completion.
    `told`: what the provider says that it costs.
    """
    usual = _usual(theirs) if told is None else None
    if usual is not None:
        return usual
    report = Report()
    count = report.count
    given = part(theirs, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    made = part(theirs, "completion_tokens_details", "output_tokens_details", "output_token_details")
    return report.usage(
        prompt=count(theirs, "prompt_tokens", "input_tokens"),
        completion=count(theirs, "completion_tokens", "output_tokens"),
        total=count(theirs, "total_tokens"),
        read=count({**theirs, **given}, "cached_tokens"),
        read_audio=count(part(given, "cached_tokens_details"), "audio_tokens"),
        read_image=count(part(given, "cached_tokens_details"), "image_tokens"),
        written=count(given, "cache_write_tokens"),
        heard=count(given, "audio_tokens"),
        seen=count(given, "image_tokens"),
        thought=count({**theirs, **made}, "reasoning_tokens"),
        spoken=count(made, "audio_tokens"),
        drawn=count(made, "image_tokens"),
        images=count(theirs, "images"),
        seconds=theirs.get("seconds"),
        characters=count(theirs, "characters"),
        told=told,
    )


def _usual(theirs: Told) -> Usage | None:
    """The report that nearly every answer bears, read in a hurry; None where there is more to it."""
    given, made, cached, thought = theirs.get("prompt_tokens"), theirs.get("completion_tokens"), 0, 0
    if type(given) is not int or type(made) is not int or theirs.get("total_tokens") != given + made:
        return None
    if len(theirs) == 5:
        inside, outside = theirs.get("prompt_tokens_details"), theirs.get("completion_tokens_details")
        if type(inside) is not dict or type(outside) is not dict:
            return None
        cached, thought = inside.get("cached_tokens", 0), outside.get("reasoning_tokens", 0)
        if type(cached) is not int or type(thought) is not int:
            return None
        others = [*inside.values(), *outside.values()]
        if len(others) - others.count(0) != (cached > 0) + (thought > 0):
            return None
    elif len(theirs) != 3:
        return None
    if 0 <= cached <= given <= MOST and 0 <= thought <= made <= MOST:
        return Usage(given - cached, cached, output=made - thought, reasoning=thought)
    return None


def part(theirs: Told, *names: str) -> Told:
    """The first of these that is an object, or nothing."""
    for name in names:
        inner = theirs.get(name)
        if isinstance(inner, dict):
            return inner
    return _NOTHING


def nano_dollars(dollars: Any) -> int | None:
    """What a provider says that something costs, rounded up to nano-dollars; None where it cannot be right."""
    if type(dollars) not in (int, float) or not 0 <= dollars <= MOST / 1000:
        return None
    return ceil(Decimal(str(dollars)) * 1_000_000_000)


class Report:
    """One report: its counts as they are read, then the classes that they come to."""

    def __init__(self) -> None:
        self.doubtful = False
        """Whether something in it could not be right."""

    def count(self, theirs: Told, *names: str) -> int | None:
        """The first of these counts that is told, rounded up; None where none is."""
        for name in names:
            value = theirs.get(name)
            if value is None:
                continue
            if type(value) is int and 0 <= value <= MOST:
                return value
            if type(value) is float and 0 <= value <= MOST:
                return ceil(value)
            self.doubtful = True
            if type(value) in (int, float) and value > 0:
                return MOST
        return None

    def usage(
        self,
        *,
        prompt: int | None,
        completion: int | None,
        total: int | None = None,
        read: int | None = None,
        read_audio: int | None = None,
        read_image: int | None = None,
        written: int | None = None,
        written_1h: int | None = None,
        heard: int | None = None,
        seen: int | None = None,
        thought: int | None = None,
        spoken: int | None = None,
        drawn: int | None = None,
        images: int | None = None,
        seconds: Any = None,
        characters: int | None = None,
        told: int | None = None,
    ) -> Usage | None:
        """The classes. `read` includes `read_audio` and `read_image`, `heard` and `seen` too; all else is told apart
        within its side.
        """
        audio_ms = self.count({"ms": seconds * 1000}, "ms") if type(seconds) in (int, float) else None
        if prompt is completion is total is images is audio_ms is characters is None:
            return None
        prompt, completion = self._sides(prompt, completion, total, thought or 0)
        left = _Left(self, prompt)
        cached_audio = min(read_audio or 0, heard or 0)
        input_audio = left.dear((heard or 0) - cached_audio)
        write_1h, write = left.dear(written_1h or 0), left.dear(written or 0)
        image = left.dear(max((seen or 0) - (read_image or 0), 0))
        cached_audio = left.cheap(cached_audio)
        cached = left.cheap(max((read or 0) - cached_audio, 0))
        made = _Left(self, completion)
        output_audio, output_image = made.dear(spoken or 0), made.dear(drawn or 0)
        reasoning = made.cheap(thought or 0)
        return Usage(
            input=left.tokens,
            cache_read=cached,
            cache_write=write,
            cache_write_1h=write_1h,
            input_audio=input_audio,
            cache_read_audio=cached_audio,
            input_image=image,
            output=made.tokens,
            reasoning=reasoning,
            output_audio=output_audio,
            output_image=output_image,
            images=images or 0,
            audio_ms=audio_ms or 0,
            characters=characters or 0,
            doubtful=self.doubtful,
            told=told,
        )

    def _sides(self, prompt: int | None, completion: int | None, total: int | None, thought: int) -> tuple[int, int]:
        """Prompt and completion, whole. A total alone is that of an endpoint which makes no tokens."""
        if prompt is None:
            prompt = max((total or 0) - (completion or 0), 0)
        if completion is None:
            completion = max((total or 0) - prompt, 0)
        beside = 0 if total is None else total - prompt - completion
        if beside > 0:
            self.doubtful |= beside != thought
        elif thought > completion:
            self.doubtful, beside = True, thought
        elif beside < 0:
            self.doubtful, beside = True, 0
        return prompt, min(completion + beside, MOST)


class _Left:
    """What is left of one side while its classes are taken out of it."""

    def __init__(self, report: Report, tokens: int) -> None:
        self._report = report
        self._all = self.tokens = tokens

    def dear(self, tokens: int) -> int:
        """Take out tokens that cost at least as much as the rest: as many as there are."""
        return self._take(min(tokens, self.tokens), tokens)

    def cheap(self, tokens: int) -> int:
        """Take out tokens that may cost less: none of them where there are not so many in all.

        Where they overlap with dearer ones, which of both they are is not told, and they stay the dearer.
        """
        return self._take(0 if tokens > self._all else min(tokens, self.tokens), min(tokens, self.tokens))

    def _take(self, taken: int, told: int) -> int:
        self._report.doubtful |= taken != told
        self.tokens -= taken
        return taken
