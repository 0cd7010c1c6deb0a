import base64
import json
import struct

import pytest

from gatekey.errors import Nonsense
from gatekey.wire import embedding

REPLY = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -2, 1e-3]}], "model": "m"}


def test_floats_stay_unless_base64_is_asked_for() -> None:
    assert embedding.encoded(REPLY, None) is REPLY
    assert embedding.encoded(REPLY, "float") is REPLY


def test_base64_is_little_endian_float32() -> None:
    packed = embedding.encoded(REPLY, "base64")
    item = packed["data"][0]
    assert struct.unpack("<3f", base64.b64decode(item["embedding"])) == struct.unpack(
        "<3f", struct.pack("<3f", 0.25, -2, 1e-3)
    )
    assert (item["index"], item["object"], packed["model"]) == (0, "embedding", "m")
    assert REPLY["data"][0]["embedding"] == [0.25, -2, 1e-3]  # type: ignore[index]


def test_what_is_packed_already_stays() -> None:
    packed = embedding.encoded(REPLY, "base64")
    assert embedding.encoded(packed, "base64") == packed


def test_numbers_are_seen_without_decoding() -> None:
    assert embedding.has_numbers(json.dumps(REPLY).encode())
    assert embedding.has_numbers(json.dumps(REPLY, indent=1).encode())
    assert not embedding.has_numbers(json.dumps(embedding.encoded(REPLY, "base64")).encode())


@pytest.mark.parametrize("vector", [["x"], [None], [1e300]])
def test_what_is_no_vector_is_nonsense(vector: list[object]) -> None:
    with pytest.raises(Nonsense):
        embedding.encoded({"data": [{"embedding": vector}]}, "base64")
    with pytest.raises(Nonsense):
        embedding.encoded({"data": None}, "base64")
