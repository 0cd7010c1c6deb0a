"""The Portkey client."""

import json  # noqa: I001 (there are two clients of this name, and only one of them is ours)

from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather, user
from portkey_ai import Portkey
from portkey_ai._vendor.openai import NotFoundError  # the class has no other name

# ---
client = Portkey(
    base_url=URL,
    api_key=KEY,
)
# ---

PARAMETERS = {**Weather.model_json_schema(), "additionalProperties": False}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}


def plain():
    return client.chat.completions.create(model=MODEL, messages=user(SAY)).choices[0].message.content


def streamed():
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=user(SAY), stream=True, stream_options={"include_usage": True}
        )
    )
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    return {"pieces": [piece for piece in pieces if piece], "total_tokens": chunks[-1].usage.total_tokens}


def tools():
    made = client.chat.completions.create(model=MODEL, messages=user(SAY), tools=[WEATHER])
    [called] = made.choices[0].message.tool_calls
    return {"name": called.function.name, "arguments": json.loads(called.function.arguments)}


def structured():
    made = client.chat.completions.parse(model=MODEL, messages=user(SAY), response_format=Weather)
    return made.choices[0].message.parsed.model_dump()


def error():
    try:
        client.chat.completions.create(model=MODEL, messages=user(FAIL))
    except NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


def cancel():
    with client.chat.completions.create(model=MODEL, messages=user(GO_ON), stream=True) as stream:
        return [next(text for chunk in stream if (text := chunk.choices[0].delta.content))]
