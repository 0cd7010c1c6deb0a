"""Values whose names say that they are credentials are not kept, whatever the text is; everything else is."""

import json
import time

import pytest

from gatekey.gateway import censor
from gatekey.wire.body import decode

CREDENTIALS = (
    *("api_key", "apikey", "apiKey", "x-api-key", "authorization", "Authorization", "Proxy-Authorization", "token"),
    *("access_token", "accessToken", "azureAdToken", "client_secret", "clientSecret", "password", "session_id"),
    *("aws_secret_access_key", "aws_access_key_id", "Set-Cookie", "cookie", "private_key", "TOKEN", "API_KEY"),
    *("connection_string", "subscription-key", "credentials", "passphrase"),
)
OTHERS = (
    *("max_tokens", "tokens", "token_count", "key", "id", "user_id", "tokenizer", "secretary", "prompt", "stop"),
    *("broken_string", "monkey", "author", "content", "", "total_tokens", "x-request-id", "keyword"),
)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_names_of_credentials(name: str) -> None:
    assert censor.is_credential(name)
    assert censor.is_credential(name.encode())
    body = {"model": "m", "nested": [{"deep": {name: "sk-1"}}], name: "sk-1", "stop": "sk-2"}
    data = json.dumps(body).encode()
    kept = censor.body(data, decode(data))
    assert json.loads(kept) == {"model": "m", "nested": [{"deep": {name: "***"}}], name: "***", "stop": "sk-2"}


@pytest.mark.parametrize("name", OTHERS)
def test_other_names(name: str) -> None:
    data = json.dumps({name: "sk-1", "messages": []}).encode()
    assert censor.body(data, decode(data)) is data
    assert censor.text(data) == data


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"api_key": "sk-1"', '{"api_key": "***"'),
        ('{"api_key": "sk-1', '{"api_key": "***"'),
        ('{"api_key":', '{"api_key":'),
        (r'{"token":"a\"b", "z":1}', '{"token":"***", "z":1}'),
        ('{"api_key":["x","y]z"],"b":{"Token":5}}', '{"api_key":"***","b":{"Token":"***"}}'),
        ('{"client_secret":{"value":"ek"},"a":1}', '{"client_secret":"***","a":1}'),
        ('{"password":{"type":"string"}}', '{"password":{"type":"string"}}'),
        ('{"token":null,"a":true}', '{"token":null,"a":true}'),
        ('{"token" :  "x"}', '{"token" :  "***"}'),
        ("{}", "{}"),
    ],
)
def test_json_and_what_is_left_of_it(text: str, kept: str) -> None:
    assert censor.fragment(text.encode()).decode() == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key=1&api_key=sk-1&z=2&token=a", "key=1&api_key=***&z=2&token=***"),
        ("{api_key: 'sk-1', model: 'm'}", "{api_key: '***', model: 'm'}"),
        ("password: hunter2", "password: ***"),
        (
            '--b\r\nContent-Disposition: form-data; name="api_key"\r\nContent-Type: text/plain\r\n\r\nsk-1\r\n--b--',
            '--b\r\nContent-Disposition: form-data; name="api_key"\r\nContent-Type: text/plain\r\n\r\n***\r\n--b--',
        ),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_what_is_no_json(text: str, kept: str) -> None:
    assert censor.malformed(text.encode()).decode() == kept or censor.text(text.encode()).decode() == kept


def test_what_is_said_is_content() -> None:
    said = {"messages": [{"role": "user", "content": 'My "token": is a word. api_key=1'}], "prompt": "password: x"}
    data = json.dumps(said).encode()
    assert censor.body(data, decode(data)) is data


@pytest.mark.parametrize(
    "text",
    [b'"' * 100_000, b'"api_key":{' * 9_000, b'"api_key":[' * 9_000, b'"api_key":"' * 9_000, b"api_key " * 12_000,
     b'name="api_key"\r\n' * 7_000, b"token" + b" " * 100_000, b'":' * 50_000],
    ids=["quotes", "objects", "lists", "texts", "names", "parts", "spaces", "colons"],
)  # fmt: skip
def test_no_text_takes_long(text: bytes) -> None:
    began = time.process_time()
    for censoring in (censor.fragment, censor.text, censor.malformed):
        censoring(text)
    assert time.process_time() - began < 2
