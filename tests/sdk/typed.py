"""What users write, for the checkers of types: it is never run. `reveal` fails where a type is not what it says."""

from typing import assert_type

from portkey_ai import APIStatusError, AsyncPortkey, AsyncStream, Portkey, RateLimitError, Stream, createHeaders, types


def calls(portkey: Portkey, streamed: bool) -> None:
    text = portkey.completions.create(model="m", prompt="Hi", temperature=0.5)
    assert_type(text, types.Completion)
    assert_type(text.choices[0].text, str)
    assert_type(portkey.completions.create(model="m", prompt="Hi", stream=True), Stream[types.Completion])
    chat = portkey.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert_type(chat, types.ChatCompletion)
    chat = portkey.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert_type(chat.choices[0].message.content, str | None)
    if chat.usage:
        assert_type(chat.usage.total_tokens, int)
    with portkey.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
    ) as stream:
        for chunk in stream:
            assert_type(chunk, types.ChatCompletionChunk)
            assert_type(chunk.choices[0].delta.content, str | None)
    either = portkey.chat.completions.create(model="m", messages=[], stream=streamed)
    assert_type(either, types.ChatCompletion | Stream[types.ChatCompletionChunk])
    vectors = portkey.embeddings.create(model="m", input=["a"])
    assert_type(vectors.data[0].embedding, list[float])
    assert_type(vectors.get_headers(), dict[str, str])
    assert_type(portkey.models.list(), types.Page)
    assert_type(portkey.configs.create(name="a", config={"provider": "openai"}).slug, str)
    assert_type(portkey.files.content("f").content, bytes)


def options() -> None:
    portkey = Portkey(api_key="gk", config={"strategy": {"mode": "single"}}, metadata={"a": "b"}, timeout=5)
    assert_type(portkey.with_options(config="pc-1", debug=None), Portkey)
    assert_type(portkey.with_options({"config": "sample"}), Portkey)
    assert_type(createHeaders(virtual_key="v", trace_id="t"), dict[str, str])
    with Portkey() as other:
        assert_type(other, Portkey)


def failures(portkey: Portkey) -> None:
    try:
        portkey.completions.create(model="m", prompt="Hi")
    except RateLimitError as error:
        assert_type(error.status_code, int)
    except APIStatusError as error:
        assert_type(error.by, str | None)
        assert_type(error.message, str)


async def with_asyncio(portkey: AsyncPortkey) -> None:
    chat = await portkey.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert_type(chat.choices[0].message.content, str | None)
    stream = await portkey.completions.create(model="m", prompt="Hi", stream=True)
    assert_type(stream, AsyncStream[types.Completion])
    async with stream:
        async for chunk in stream:
            assert_type(chunk.choices[0].text, str)
    async with AsyncPortkey() as other:
        assert_type(other.with_options(config="pc-1"), AsyncPortkey)
