"""What `with_raw_response` gives: an answer with its status and all of its headers."""

from typing import Any

from portkey_ai._results import told


class RawResponse:
    """An answer. `content` is its body, empty for a stream; `parse` gives what the call gives without this."""

    def __init__(self, status_code: int, headers: dict[str, str], content: bytes, parsed: Any) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content
        self._parsed = parsed

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def get_headers(self) -> dict[str, str]:
        """The gateway's response headers, without their prefix."""
        return told(self.headers)

    def parse(self) -> Any:
        """The result, or the stream."""
        return self._parsed

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code})"
