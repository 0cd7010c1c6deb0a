"""What an exchange consumed, in disjoint classes: every token is counted in exactly one of them.

Providers count in their own ways (cached tokens inside of the input or beside it, reasoning inside of the output or
beside it); `providers` turns each way into this one, so that a price is a plain sum.
"""

from msgspec import Struct


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens by class.

    `input` is what was read at the full price, text and whatever the provider does not tell apart; `cache_write`
    lives for 5 minutes, `cache_write_1h` for an hour. `images`, `audio_ms` and `characters` are units of endpoints
    that do not count tokens. `estimated`: the provider did not tell, and this was counted from what passed.
    `doubtful`: it told what cannot be right, and what is in doubt was counted in the dearer class. `told`: what the
    provider says that the exchange costs, in nano-dollars, where its file says that this can be relied on.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    cache_read_audio: int = 0
    input_image: int = 0
    output: int = 0
    reasoning: int = 0
    output_audio: int = 0
    output_image: int = 0
    images: int = 0
    audio_ms: int = 0
    characters: int = 0
    estimated: bool = False
    doubtful: bool = False
    told: int | None = None

    @property
    def prompt(self) -> int:
        """All tokens that went in."""
        return (
            self.input + self.cache_read + self.cache_write + self.cache_write_1h
            + self.input_audio + self.cache_read_audio + self.input_image
        )  # fmt: skip

    @property
    def completion(self) -> int:
        """All tokens that came out."""
        return self.output + self.reasoning + self.output_audio + self.output_image

    @property
    def total(self) -> int:
        """All tokens."""
        return self.prompt + self.completion
