"""The Portkey client of PyPI, as people have it, with another base URL."""

import pytest

from tests.clients.environment import Run
from tests.fake import Fake, completion_stream, error

pytestmark = pytest.mark.timeout(900)  # its environment may have to be made


def test_completions_and_chat(portkey: Run, fake: Fake) -> None:
    """Provider and key, whole and streamed; what was answered is told by `get_headers`."""
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, provider="openai", Authorization="sk-mine", custom_host=FAKE)
        text = client.completions.create(model="m", prompt="Say this is a test")
        texts = client.completions.create(model="m", prompt="Say this is a test", stream=True)
        said = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])
        saids = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        show(
            object=text.object, text=text.choices[0].text, headers=text.get_headers(),
            texts=[chunk.choices[0].text for chunk in texts],
            said=said.choices[0].message.content,
            saids=[chunk.choices[0].delta.content or "" for chunk in saids],
            printed=str(said),
        )
    """)
    assert found["object"] == "text_completion"
    assert found["text"] == found["said"] == "This is a test."
    assert "".join(found["texts"]) == "".join(found["saids"]) == "This is a test."
    assert found["headers"].pop("trace-id")
    assert found["headers"] == {
        "retry-attempt-count": "0",
        "cache-status": "DISABLED",
        "last-used-option-index": "config",
        "provider": "openai",
    }
    assert '"content": "This is a test."' in found["printed"]
    assert len(fake.requests) == 4
    for received in fake.requests:
        assert received.header("authorization") == "Bearer sk-mine"
        assert not [name for name, _ in received.headers if name.lower().startswith(("x-portkey-", "x-stainless-"))]


def test_configs_and_the_options_of_one_request(portkey: Run, fake: Fake) -> None:
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, config=INLINE)
        first = client.completions.create(model="m", prompt="Say")
        other = {**INLINE, "api_key": "sk-other", "cache": {"mode": "simple"}}
        second = client.with_options(
            config=other, trace_id="of-this", metadata={"_user": "Jörg"}, cache_force_refresh=True
        ).completions.create(model="m", prompt="Say")
        third = client.with_options(config=json.dumps(other)).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}]
        )
        fourth = client.completions.create(model="m", prompt="Say", extra_headers={"x-portkey-trace-id": "extra"})
        show(headers=[made.get_headers() for made in (first, second, third, fourth)])
    """)
    keys = [received.header("authorization") for received in fake.requests]
    assert keys == ["Bearer sk-config", "Bearer sk-other", "Bearer sk-other", "Bearer sk-config"]
    assert [headers["cache-status"] for headers in found["headers"]] == ["DISABLED", "REFRESH", "MISS", "DISABLED"]
    assert found["headers"][1]["trace-id"] == "of-this"
    assert found["headers"][3]["trace-id"] == "extra"
    assert found["headers"][0]["trace-id"] != found["headers"][2]["trace-id"]


def test_messages_on_the_text_endpoint(portkey: Run, fake: Fake) -> None:
    """The documentation's own example: answered as a chat completion."""
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, config=INLINE)
        asked = {"model": "m", "messages": [{"role": "user", "content": "Say this is a test"}]}
        whole = client.completions.create(**asked)
        chunks = list(client.completions.create(**asked, stream=True))
        show(object=whole.object, message=whole.choices[0].message, objects=sorted({chunk.object for chunk in chunks}),
             deltas=[chunk.choices[0].delta for chunk in chunks])
    """)
    assert found["object"] == "chat.completion"
    assert found["message"]["content"] == "This is a test."
    assert found["objects"] == ["chat.completion.chunk"]
    assert "".join(delta.get("content", "") for delta in found["deltas"]) == "This is a test."
    assert [received.path for received in fake.requests] == ["/v1/chat/completions"] * 2
    assert "prompt" not in fake.requests[0].json


def test_embeddings_models_and_the_rest(portkey: Run, fake: Fake) -> None:
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, config=INLINE)
        vectors = client.embeddings.create(model="e", input="one", encoding_format="float")
        models = client.models.list()
        raw = client.post("/chat/completions", model="m", messages=[{"role": "user", "content": "Hello"}])
        listed = client.get(path="/models")
        show(vector=vectors.data[0].embedding, models=[model.id for model in models.data],
             raw=dict(raw)["choices"][0]["message"]["content"], listed=len(listed.json()["data"]))
    """)
    assert found == {
        "vector": [0.25, -0.5],
        "models": ["fake-1", "fake-2"],
        "raw": "This is a test.",
        "listed": 2,
    }
    assert {received.header("authorization") for received in fake.requests} == {"Bearer sk-config"}


@pytest.mark.parametrize("spelling", ["Authorization", "authorization"])
def test_its_placeholder_never_is_a_key(spelling: str, portkey: Run, fake: Fake) -> None:
    """It sends `Bearer OPENAI_API_KEY` of itself, in lower case beside the real one: never those words upstream."""
    found = portkey(f"""
        given = Portkey(api_key=KEY, base_url=URL, provider="openai", custom_host=FAKE, {spelling}="Bearer sk-mine")
        none = Portkey(api_key=KEY, base_url=URL, provider="openai", custom_host=FAKE)
        show(texts=[client.completions.create(model="m", prompt="Say").choices[0].text for client in (given, none)])
    """)
    assert found["texts"] == ["This is a test."] * 2
    assert [received.header("authorization") for received in fake.requests] == ["Bearer sk-mine", None]


def test_options_that_become_headers(portkey: Run, fake: Fake) -> None:
    """Forwarded headers under either spelling, unknown options, and `mode`."""
    portkey("""
        client = Portkey(
            api_key=KEY, base_url=URL, config=INLINE, forward_headers=["X-Custom", "my_hdr"],
            my_hdr="of mine", span_name="s", no_such_option="y", debug=False, request_timeout=60_000, mode="proxy",
        )
        client.with_options(headers={"a": "b"}).completions.create(
            model="m", prompt="Say", extra_headers={"X-Custom": "of custom"}
        )
        show()
    """)
    [received] = fake.requests
    assert received.header("x-custom") == "of custom"
    assert received.header("my-hdr") == "of mine"


def test_errors(portkey: Run, fake: Fake) -> None:
    """Each of its error classes; messages that people can read; and no request is sent twice."""
    fake.answer(error(429, "Slow down.", type="rate_limit", code="rate"), error(503, "Not now."))
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, config=INLINE)
        ask = lambda of: of.completions.create(model="m", prompt="Say")
        errors = [
            failure(lambda: ask(client)),
            failure(lambda: ask(client)),
            failure(lambda: ask(Portkey(api_key="wrong-key", base_url=URL, config=INLINE))),
            failure(lambda: ask(Portkey(api_key=KEY, base_url=URL))),
            failure(lambda: ask(client.with_options(config={"retry": {"attempts": "x"}}))),
            failure(lambda: client.post("/completions", model=7, prompt="Say")),
        ]
        show(errors=[[type(error).__name__, str(error)] for error in errors])
    """)
    names = [name for name, _ in found["errors"]]
    texts = [text for _, text in found["errors"]]
    assert names == [
        *("RateLimitError", "InternalServerError", "AuthenticationError"),
        *("BadRequestError", "BadRequestError", "BadRequestError"),
    ]
    assert "openai error: Slow down." in texts[0]
    assert "openai error: Not now." in texts[1]
    assert "The gateway key is wrong." in texts[2]
    assert "Either x-portkey-config or x-portkey-provider header is required" in texts[3]
    assert "retry.attempts: expected an integer" in texts[4]
    assert "`model` must be a string" in texts[5]
    assert len(fake.requests) == 2


def test_a_stream_that_breaks_off_raises(portkey: Run, fake: Fake) -> None:
    fake.answer(completion_stream(["so far", "never"]).cut_after(1))
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, config=INLINE)
        texts = []

        def read():
            for chunk in client.completions.create(model="m", prompt="Say", stream=True):
                texts.append(chunk.choices[0].text)

        error = failure(read)
        show(texts=texts, name=type(error).__name__, text=str(error))
    """)
    assert (found["texts"], found["name"]) == (["so far"], "APIError")
    assert "in the middle of its answer" in found["text"]


def test_a_wrong_provider_speaks(portkey: Run, fake: Fake) -> None:
    """502 of the gateway's own making carries a trace id, so that the client does not ask again."""
    fake.on("/v1/completions", error(200, "unused").cut(10))
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL, config=INLINE)
        error = failure(lambda: client.completions.create(model="m", prompt="Say"))
        show(name=type(error).__name__, status=error.status_code, trace=error.response.headers["x-portkey-trace-id"])
    """)
    assert (found["name"], found["status"]) == ("InternalServerError", 502)
    assert found["trace"]
    assert len(fake.requests) == 1


def test_the_async_client(portkey: Run, fake: Fake) -> None:
    found = portkey("""
        async def use():
            client = AsyncPortkey(api_key=KEY, base_url=URL, config=INLINE)
            ask = lambda of, name: of.chat.completions.create(
                model=name, messages=[{"role": "user", "content": "Hello"}]
            )
            text = await client.completions.create(model="m", prompt="Say")
            several = await asyncio.gather(
                *(ask(client.with_options(trace_id=f"t{index}"), f"m{index}") for index in range(4))
            )
            stream = await client.completions.create(model="m", prompt="Say", stream=True)
            texts = [chunk.choices[0].text async for chunk in stream]
            listed = await client.get(path="/models")
            show(
                text=text.choices[0].text, texts=texts, models=[made.model for made in several],
                traces=[made.get_headers()["trace-id"] for made in several], listed=len(listed.json()["data"]),
            )

        asyncio.run(use())
    """)
    assert found == {
        "text": "This is a test.",
        "texts": ["This", " is", " a", " test.", ""],
        "models": ["m0", "m1", "m2", "m3"],
        "traces": ["t0", "t1", "t2", "t3"],
        "listed": 2,
    }


def test_the_environment_is_enough(portkey: Run, fake: Fake) -> None:
    """What it calls `PORTKEY_PROXY`: under the name `PORTKEY_BASE_URL` this release looks for nothing."""
    found = portkey(
        """
        client = Portkey(config=INLINE)
        show(text=client.completions.create(model="m", prompt="Say").choices[0].text)
        """,
        PORTKEY_API_KEY="gk-test-admin",
    )
    assert found == {"text": "This is a test."}
    assert len(fake.requests) == 1
