from typing import Any

import pytest

from gatekey.errors import BadBody, UnsupportedEndpoint
from gatekey.providers import Asked, Endpoint, Provider, Shaped, To, Where, address, compatible, shape
from gatekey.providers._shape import segment
from gatekey.wire import body

plain = compatible(
    slug="plain",
    name="Plain",
    docs="https://plain.example",
    base="https://plain.example/v1/",
    has=("completions", "chat", "embeddings", "models"),
)
only_chat = compatible(
    slug="only-chat",
    name="Only chat",
    docs="",
    base="https://chat.example",
    usage_on_request=False,
    lacks=("user", "n"),
)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def translate(ours: Any, theirs: dict[str, Any], asked: Asked) -> list[str]:
    theirs["messages"] = [message["content"] for message in ours.get("messages", ())]
    theirs["streamed"] = asked.stream
    return ["tools"] if ours.get("tools") else []


foreign = Provider(
    slug="foreign",
    name="Foreign",
    docs="",
    base=lambda where: f"https://{where.options['region']}.foreign.example",
    sends=lambda options: {"x-region": options["region"]},
    default_model="f-1",
    endpoints={
        "chat": Endpoint(
            path=lambda where: f"/models/{segment(where.model)}:{'stream' if where.stream else 'ask'}",
            params={
                "messages": None,
                "tools": None,
                "temperature": To("config.temperature", low=0, high=1),
                "top_p": To("config.p"),
                "stop": To("stops", via=as_list),
                "n": To("count", via=lambda n: n if n != 1 else None),
                "flag": To("flag", low=0, high=0),
            },
            translate=translate,
        ),
        "completions": Endpoint(path="/text", params={"prompt": To("text"), "model": To("model")}, serves="old".__eq__),
    },
)


def shaped(provider: Provider, text: str, kind: Any = "chat", host: str = "", **asked: Any) -> Shaped:
    asked.setdefault("options", {"region": "eu"})
    return shape(provider, kind, body.decode(text.encode()), Asked(kind=kind, provider="-", **asked), host)


def sent(provider: Provider, text: str, kind: Any = "chat", **asked: Any) -> str:
    return shaped(provider, text, kind, **asked).body.decode()


def test_what_speaks_our_dialect_gets_the_body_as_it_came() -> None:
    text = '{"z":null,"model":"m","seed":1152921504606846976,"temperature":0.70,"messages":[ 1 ],"new":{"a":1e2}}'
    call = shaped(plain, text)
    assert call.body.decode() == text
    assert (call.method, call.url, call.dropped, call.clamped) == (
        "POST",
        "https://plain.example/v1/chat/completions",
        (),
        (),
    )
    assert call.asked.ours == {}, "nothing is decoded where nothing is translated"


def test_asked_is_filled_in_and_keeps_what_the_shell_knows() -> None:
    call = shaped(plain, '{"model":"m","stream":true,"stream_options":{"include_usage":true}}', created=7, id="x")
    asked = call.asked
    assert (asked.kind, asked.provider, asked.model, asked.stream, asked.usage) == ("chat", "plain", "m", True, True)
    assert (asked.created, asked.id) == (7, "x")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"stream":true}', '{"stream":true,"stream_options":{"include_usage":true}}'),
        ('{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'),
        (
            '{"stream":true,"stream_options":{"include_usage":false,"x":1}}',
            '{"stream":true,"stream_options":{"include_usage":true,"x":1}}',
        ),
        (
            '{"stream":true,"stream_options":{ "include_usage":true}}',
            '{"stream":true,"stream_options":{ "include_usage":true}}',
        ),
        ('{"stream":false}', '{"stream":false}'),
        ('{"stream":"true"}', '{"stream":"true"}'),
    ],
)
def test_usage_is_asked_for_where_it_is_known_to_be_accepted(text: str, wanted: str) -> None:
    assert sent(plain, text) == wanted
    assert sent(only_chat, text) == text
    assert sent(plain, text, "embeddings") == text


def test_what_it_is_documented_to_refuse_is_dropped_and_reported() -> None:
    call = shaped(only_chat, '{"n":1,"messages":[],"user":"u","model":"m"}')
    assert call.body == b'{"messages":[],"model":"m"}'
    assert sorted(call.dropped) == ["n", "user"]


def test_a_translation_gets_what_its_map_names() -> None:
    call = shaped(
        foreign,
        '{"model":"a/b","messages":[{"role":"user","content":"Hi"}],"temperature":0.5,"top_p":0.9,"stop":"x","n":1,'
        '"seed":7,"logit_bias":null,"stream":true,"stream_options":{},"tools":[1]}',
    )
    assert body.values(body.decode(call.body)) == {
        "config": {"temperature": 0.5, "p": 0.9},
        "stops": ["x"],
        "messages": ["Hi"],
        "streamed": True,
    }
    assert call.dropped == ("seed", "tools")
    assert call.url == "https://eu.foreign.example/models/a%2Fb:stream"
    assert call.headers == {"x-region": "eu"}


@pytest.mark.parametrize(
    ("given", "sent_as", "clamped"),
    [
        ("2", 1, ("temperature=1",)),
        ("-0.5", 0, ("temperature=0",)),
        ("1", 1, ()),
        ("0.25", 0.25, ()),
        ('"warm"', "warm", ()),
        ("true", True, ()),
    ],
)
def test_numbers_out_of_their_range_are_clamped_and_reported(given: str, sent_as: Any, clamped: Any) -> None:
    call = shaped(foreign, f'{{"messages":[],"temperature":{given}}}')
    assert body.value(body.decode(call.body), "config") == {"temperature": sent_as}
    assert call.clamped == clamped


def test_a_boolean_is_no_number() -> None:
    call = shaped(foreign, '{"messages":[],"flag":true}')
    assert (body.value(body.decode(call.body), "flag"), call.clamped) == (True, ())


def test_the_default_model() -> None:
    assert shaped(foreign, '{"messages":[]}').asked.model == "f-1"
    assert shaped(foreign, '{"messages":[],"model":"portkey-default"}').url.endswith("/models/f-1:ask")
    assert sent(plain, '{"messages":[]}') == '{"messages":[]}', "whether a model is needed is the provider's to say"
    with pytest.raises(BadBody) as refused:
        shaped(plain, '{"model":"portkey-default"}')
    assert refused.value.param == "model"


@pytest.mark.parametrize("model", ["7", "[]", "{}", "true"])
def test_a_model_is_a_string(model: str) -> None:
    with pytest.raises(BadBody) as refused:
        shaped(plain, f'{{"model":{model}}}')
    assert refused.value.param == "model"


def test_an_endpoint_that_is_lacking() -> None:
    with pytest.raises(UnsupportedEndpoint, match=r"only-chat .* embeddings"):
        shaped(only_chat, '{"input":"a"}', "embeddings")


def test_a_list_of_models_has_no_body() -> None:
    call = shaped(plain, "{}", "models")
    assert (call.method, call.url, call.body) == ("GET", "https://plain.example/v1/models", b"")


def test_only_completions_are_streamed() -> None:
    provider = compatible(slug="x", name="X", docs="", base="https://x.example", has=("embeddings",))
    assert not shaped(provider, '{"model":"m","input":"a","stream":true}', "embeddings").asked.stream


def test_text_goes_through_chat_where_there_is_no_endpoint_for_it() -> None:
    call = shaped(
        only_chat, '{"model":"m","prompt":"Hi","echo":true,"suffix":"x","max_tokens":5,"user":"u"}', "completions"
    )
    assert call.body == b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}'
    assert (call.text, call.echo, call.asked.kind) == (True, "Hi", "completions")
    assert sorted(call.dropped) == ["suffix", "user"]
    assert call.url == "https://chat.example/chat/completions"


def test_text_goes_through_chat_for_models_that_its_endpoint_does_not_serve() -> None:
    old = shaped(foreign, '{"model":"old","prompt":"Hi"}', "completions")
    new = shaped(foreign, '{"model":"new","prompt":"Hi"}', "completions")
    assert (old.text, old.body) == (False, b'{"model":"old","text":"Hi"}')
    assert (new.text, new.url) == (True, "https://eu.foreign.example/models/new:ask")


def test_several_prompts_reach_a_text_endpoint_and_no_chat() -> None:
    assert sent(plain, '{"prompt":["a","b"]}', "completions") == '{"prompt":["a","b"]}'
    with pytest.raises(BadBody):
        shaped(only_chat, '{"prompt":["a","b"]}', "completions")


def test_messages_sent_to_the_text_endpoint_are_a_chat() -> None:
    call = shaped(plain, '{"model":"m","prompt":null,"messages":[1]}', "completions")
    assert call.url.endswith("/chat/completions")
    assert (call.body, call.asked.kind, call.text) == (b'{"model":"m","messages":[1]}', "chat", False)


@pytest.mark.parametrize("host", ["https://other.example/base", "https://other.example/base/"])
def test_a_custom_host_replaces_the_base(host: str) -> None:
    assert shaped(plain, '{"model":"m"}', host=host).url == "https://other.example/base/chat/completions"
    assert address(foreign, Where(host=host)) == "https://other.example/base"


@pytest.mark.parametrize("model", ["", ".", ".."])
def test_a_segment_cannot_be_a_step(model: str) -> None:
    with pytest.raises(BadBody):
        segment(model)


@pytest.mark.parametrize(
    ("model", "encoded"),
    [("a/../b", "a%2F..%2Fb"), ("m?x=1#y", "m%3Fx%3D1%23y"), ("a b\r\n", "a%20b%0D%0A"), ("a%2Fb", "a%252Fb")],
)
def test_a_segment_is_encoded(model: str, encoded: str) -> None:
    assert segment(model) == encoded
