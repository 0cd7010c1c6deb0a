"""About how many tokens: texts are counted, sounds and pictures are not taken for text."""

import base64
import json
from typing import Any

import pytest

from gatekey.providers import passed, read


def events(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)


class TestRead:
    """A request."""

    def test_it_is_in_proportion_to_its_text(self) -> None:
        def request(words: int) -> bytes:
            return json.dumps({"messages": [{"role": "user", "content": "word " * words}]}).encode()

        assert 1000 <= read(request(1000)) - read(request(200)) <= 1001
        assert read(request(0)) == 6  # what stands around the words: "messages", "role", "user", "content"

    def test_a_picture_is_not_as_many_tokens_as_it_has_bytes(self) -> None:
        data = base64.b64encode(bytes(range(256)) * 400).decode()
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        assert 1000 < read(json.dumps([picture]).encode()) < 1020
        assert 1000 < read(json.dumps([{"type": "input_audio", "input_audio": {"data": data}}]).encode()) < 1020

    def test_ids_of_tokens_are_tokens(self) -> None:
        assert read(json.dumps({"prompt": [[15496, 995], [1]]}).encode()) == 5

    @pytest.mark.parametrize("body", [b"", b"--boundary", b"[" * 100_000, b"\xff"])
    def test_what_is_no_json_is_not_counted(self, body: bytes) -> None:
        assert read(body) == 0


class TestPassed:
    """An answer, or a part of one."""

    @pytest.mark.parametrize(
        "chunk",
        [
            {"choices": [{"delta": {"content": "12345678"}}], "id": "x" * 100},
            {"choices": [{"delta": {"reasoning_content": "1234", "content": "5678"}}]},
            {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "12345678"}}]}}]},
            {"choices": [{"text": "12345678"}]},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "12345678"}},
            {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "12345678"}},
            {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "12345678"}},
            {"type": "response.output_text.delta", "delta": "12345678", "item_id": "x" * 100},
            {"candidates": [{"content": {"parts": [{"text": "12345678"}], "role": "model"}}]},
        ],
    )
    def test_the_text_of_a_chunk_in_any_dialect(self, chunk: Any) -> None:
        assert passed(events(chunk)) == 2
        assert passed(events(chunk, chunk)) == 4

    @pytest.mark.parametrize(
        "chunk",
        [
            {"type": "response.output_text.done", "text": "12345678"},
            {"type": "response.completed", "response": {"output": [{"content": [{"text": "12345678"}]}]}},
            {"type": "response.audio.delta", "delta": "12345678"},
            {"type": "message_start", "message": {"content": []}},
            "12345678",
        ],
    )
    def test_what_is_told_again_or_is_no_text_is_not_counted(self, chunk: Any) -> None:
        assert passed(events(chunk)) == 0

    def test_a_whole_answer_and_an_event_that_broke_off(self) -> None:
        assert passed(json.dumps({"choices": [{"message": {"role": "assistant", "content": "12345"}}]}).encode()) == 2
        assert passed(events({"choices": [{"text": "1234"}]}) + b'data: {"choices": [{"te') == 1
        assert passed(b"") == passed(b"{") == passed(b"\x00\xff") == 0

    def test_the_beginning_of_many_stands_for_the_rest(self) -> None:
        chunk = {"choices": [{"delta": {"content": "12345678"}}]}
        frames = events(*[chunk] * 5000)
        assert 9_990 <= passed(frames) <= 10_010
        assert 19_980 <= passed(frames, 2 * len(frames)) <= 20_020
        few = events(chunk, chunk)
        assert passed(few, 10 * len(few)) == 40

    def test_a_frame_larger_than_what_is_read(self) -> None:
        assert passed(events({"choices": [{"delta": {"content": "1234" * 20_000}}]})) == 20_000
