"""The clients of npm, as people have them, with another base URL: `portkey-ai` and `openai`."""

import pytest

from tests.clients.environment import Run
from tests.fake import Fake, completion_stream, error

pytestmark = pytest.mark.timeout(900)  # their environment may have to be made


def test_a_completion(node: Run, fake: Fake) -> None:
    found = node("""
        const portkey = new Portkey({ apiKey, baseURL: url, config: inline });
        const asked = { prompt: 'Say this is a test', model: 'gpt-3.5-turbo-instruct' };
        const made = await portkey.completions.create(asked);
        show({ made, headers: made.getHeaders() });
    """)
    assert found["made"]["object"] == "text_completion"
    assert found["made"]["choices"][0]["text"] == "This is a test."
    assert found["headers"]["cache-status"] == "DISABLED"
    assert found["headers"]["last-used-option-index"] == "config"
    assert found["headers"]["trace-id"]
    [received] = fake.requests
    assert received.json == {"prompt": "Say this is a test", "model": "gpt-3.5-turbo-instruct"}
    assert received.header("authorization") == "Bearer sk-config"


def test_streams(node: Run, fake: Fake) -> None:
    """Text separators that this client would split lines at arrive escaped."""
    fake.answer(completion_stream(["line\u2028separator", "\u2029\x85\x0b\x0c."], usage=False))
    found = node("""
        const portkey = new Portkey({ apiKey, baseURL: url, config: inline });
        const asked = { prompt: 'Continuously stream this test', model: 'm', stream: true };
        const texts = [];
        for await (const chunk of await portkey.completions.create(asked)) texts.push(chunk.choices[0].text);
        const said = [];
        const messages = [{ role: 'user', content: 'Hello' }];
        for await (const chunk of await portkey.chat.completions.create({ messages, model: 'm', stream: true })) {
          said.push(chunk.choices[0].delta.content ?? '');
        }
        show({ texts, said });
    """)
    assert "".join(found["texts"]) == "line\u2028separator\u2029\x85\x0b\x0c."
    assert "".join(found["said"]) == "This is a test."


def test_options_of_one_request(node: Run, fake: Fake) -> None:
    found = node("""
        const portkey = new Portkey({ apiKey, baseURL: url });
        const other = { ...inline, api_key: 'sk-other', cache: { mode: 'simple' } };
        const asked = { prompt: 'Say this is a test with specific config', model: 'm' };
        const made = await portkey.completions.create(
          asked, { config: other, traceID: 'of-this', metadata: { _user: 'Jörg' }, cacheForceRefresh: true },
        );
        const text = await portkey.completions.create(asked, { config: JSON.stringify(inline) });
        show({ first: made.getHeaders(), second: text.getHeaders() });
    """)
    assert found["first"]["trace-id"] == "of-this"
    assert found["first"]["cache-status"] == "REFRESH"
    assert found["second"]["cache-status"] == "DISABLED"
    keys = [received.header("authorization") for received in fake.requests]
    assert keys == ["Bearer sk-other", "Bearer sk-config"]


@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_provider_and_key(prefix: str, node: Run, fake: Fake) -> None:
    """Its own transport sends the key as it is given, without `Bearer`."""
    found = node(f"""
        const portkey = new Portkey({{
          apiKey, baseURL: url, provider: 'openai', Authorization: '{prefix}sk-mine', customHost: fake,
          forwardHeaders: ['xCustom'], xCustom: 'of custom', dangerouslyAllowBrowser: false,
        }});
        const made = await portkey.completions.create({{ prompt: 'Hello!', model: 'm' }});
        show({{ text: made.choices[0].text }});
    """)
    assert found == {"text": "This is a test."}
    [received] = fake.requests
    assert received.header("authorization") == "Bearer sk-mine"
    assert received.header("x-custom") == "of custom"


def test_the_address_from_the_environment(node: Run, fake: Fake) -> None:
    found = node(
        """
        const portkey = new Portkey({ config: inline });
        const made = await portkey.chat.completions.create(
          { messages: [{ role: 'user', content: 'Hello' }], model: 'm', maxTokens: 5 },
        );
        show({ text: made.choices[0].message.content });
        """,
        PORTKEY_API_KEY="gk-test-admin",
    )
    assert found == {"text": "This is a test."}
    assert fake.requests[0].json["max_tokens"] == 5


def test_the_gateway_key_that_it_puts_into_authorization(node: Run, fake: Fake) -> None:
    """Calls that it makes through the openai package carry the gateway key there: it never goes upstream."""
    found = node("""
        const given = new Portkey({ apiKey, baseURL: url, config: inline });
        const none = new Portkey({ apiKey, baseURL: url, provider: 'openai', customHost: fake });
        const models = [await given.models.list(), await none.models.list()];
        const raw = await given.post('/chat/completions', { messages: [{ role: 'user', content: 'x' }], model: 'm' });
        const listed = await given.get('/models');
        const vectors = await given.embeddings.create({ input: 'one', model: 'e' });
        show({
          models: models.map((list) => list.data.length), raw: raw.choices[0].message.content,
          listed: listed.data.length, vector: vectors.data[0].embedding,
        });
    """)
    assert found == {"models": [2, 2], "raw": "This is a test.", "listed": 2, "vector": [0.25, -0.5]}
    keys = [received.header("authorization") for received in fake.requests]
    assert keys == ["Bearer sk-config", None, "Bearer sk-config", "Bearer sk-config", "Bearer sk-config"]
    assert "gk-test-admin" not in str([received.headers for received in fake.requests])


def test_errors_of_portkey(node: Run, fake: Fake) -> None:
    """It prints a sentence, and asks once."""
    fake.answer(error(429, "Slow down."), error(503, "Not now."))
    found = node("""
        const asked = { prompt: 'x', model: 'm' };
        const portkey = new Portkey({ apiKey, baseURL: url, config: inline });
        const errors = [
          await failure(portkey.completions.create(asked)),
          await failure(portkey.completions.create(asked)),
          await failure(new Portkey({ apiKey: 'wrong-key', baseURL: url, config: inline }).completions.create(asked)),
          await failure(new Portkey({ apiKey, baseURL: url }).completions.create(asked)),
        ];
        show({ errors: errors.map((error) => [error.status, error.message]) });
    """)
    assert [status for status, _ in found["errors"]] == [429, 503, 401, 400]
    texts = [text for _, text in found["errors"]]
    assert "openai error: Slow down." in texts[0]
    assert "openai error: Not now." in texts[1]
    assert "The gateway key is wrong." in texts[2]
    assert "x-portkey-provider header is required" in texts[3]
    assert not [text for text in texts if "{" in text]
    assert len(fake.requests) == 2


def test_a_stream_that_breaks_off_raises(node: Run, fake: Fake) -> None:
    """Both clients say so; neither takes a truncated answer for a whole one."""
    broken = completion_stream(["so far", "never"]).cut_after(1)
    fake.answer(broken, broken)
    found = node("""
        const defaultHeaders = createHeaders({ apiKey, config: inline });
        const clients = [
          new Portkey({ apiKey, baseURL: url, config: inline }),
          new OpenAI({ apiKey: 'x', baseURL: url, defaultHeaders }),
        ];
        const texts = [];
        const read = async (client) => {
          const stream = await client.completions.create({ prompt: 'x', model: 'm', stream: true });
          for await (const chunk of stream) texts.push(chunk.choices[0].text);
        };
        const errors = [];
        for (const client of clients) errors.push((await failure(read(client))).message);
        show({ texts, errors });
    """)
    assert found["texts"] == ["so far"] * 2
    assert len(found["errors"]) == 2
    for text in found["errors"]:
        assert "in the middle of its answer" in text


def test_the_openai_client(node: Run, fake: Fake) -> None:
    """With the headers that `createHeaders` makes: whole, streamed, embeddings in base64, models."""
    found = node("""
        const defaultHeaders = createHeaders({ apiKey, provider: 'openai', customHost: fake, traceID: 'from-node' });
        const client = new OpenAI({ apiKey: 'sk-mine', baseURL: url, defaultHeaders, maxRetries: 0 });
        const messages = [{ role: 'user', content: 'Hello' }];
        const text = await client.completions.create({ prompt: 'Say', model: 'm' });
        const { data: said, response } = await client.chat.completions.create({ messages, model: 'm' }).withResponse();
        const stream = await client.chat.completions.create({ messages, model: 'm', stream: true });
        const saids = [];
        for await (const chunk of stream) saids.push(chunk.choices[0].delta.content ?? '');
        const vectors = await client.embeddings.create({ input: 'one', model: 'e' });
        const models = await client.models.list();
        const usage = await client.chat.completions
          .stream({ messages, model: 'm', stream_options: { include_usage: true } }).totalUsage();
        show({
          text: text.choices[0].text, said: said.choices[0].message.content, saids,
          trace: response.headers.get('x-portkey-trace-id'), vector: vectors.data[0].embedding,
          models: models.data.length, usage: usage.total_tokens,
        });
    """)
    assert "".join(found.pop("saids")) == "This is a test."
    assert found == {
        "text": "This is a test.",
        "said": "This is a test.",
        "trace": "from-node",
        "vector": [0.25, -0.5],
        "models": 2,
        "usage": 12,
    }
    assert {received.header("authorization") for received in fake.requests} == {"Bearer sk-mine"}


def test_errors_of_openai(node: Run, fake: Fake) -> None:
    fake.answer(error(400, "It cannot be.", type="some_type", param="model"))
    fake.answer(*[error(500, headers={"retry-after-ms": "1"})] * 3)
    found = node("""
        const made = (key, options) => new OpenAI({
          apiKey: 'sk-mine', baseURL: url, defaultHeaders: { 'x-portkey-api-key': key, ...options },
        });
        const named = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': fake };
        const asked = { prompt: 'x', model: 'm' };
        const errors = [
          await failure(made(apiKey, named).completions.create(asked)),
          await failure(made(apiKey, named).completions.create(asked)),
          await failure(made('wrong-key', named).completions.create(asked)),
          await failure(made(apiKey, {}).completions.create(asked)),
        ];
        show({ errors: errors.map((error) => [error.constructor.name, error.message, error.type]) });
    """)
    assert found["errors"][0] == ["BadRequestError", "400 openai error: It cannot be.", "some_type"]
    assert found["errors"][1] == ["InternalServerError", "500 openai error: It failed.", "server_error"]
    assert found["errors"][2] == ["AuthenticationError", "401 The gateway key is wrong.", "authentication_error"]
    assert found["errors"][3][0] == "BadRequestError"
    assert "x-portkey-provider header is required" in found["errors"][3][1]
    assert len(fake.requests) == 4


def test_aborting_ends_the_upstream_request(node: Run, fake: Fake) -> None:
    fake.answer(completion_stream(["first", "never"]).stalled(1))
    found = node("""
        const defaultHeaders = createHeaders({ apiKey, provider: 'openai', customHost: fake });
        const client = new OpenAI({ apiKey: 'sk-mine', baseURL: url, defaultHeaders });
        const stream = await client.completions.create({ prompt: 'x', model: 'm', stream: true });
        const texts = [];
        for await (const chunk of stream) {
          texts.push(chunk.choices[0].text);
          break;
        }
        show({ texts });
    """)
    assert found == {"texts": ["first"]}
    assert fake.requests[0].closed.wait(10)
