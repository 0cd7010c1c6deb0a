"""LiteLLM as a client."""

import json
import os
from functools import partial

from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather, user

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would fetch its prices when it is imported
import litellm

# ---
completion = partial(
    litellm.completion,
    model="openai/" + MODEL,
    api_base=URL,
    api_key=KEY,
)
# ---

PARAMETERS = {**Weather.model_json_schema(), "additionalProperties": False}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}


def plain():
    return completion(messages=user(SAY)).choices[0].message.content


def streamed():
    chunks = list(completion(messages=user(SAY), stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    return {"pieces": [piece for piece in pieces if piece], "total_tokens": chunks[-1].usage.total_tokens}


def tools():
    asked = {"messages": user(SAY), "tools": [WEATHER]}
    [called] = completion(**asked).choices[0].message.tool_calls
    rebuilt = litellm.stream_chunk_builder(list(completion(**asked, stream=True)))
    [again] = rebuilt.choices[0].message.tool_calls
    assert json.loads(called.function.arguments) == json.loads(again.function.arguments)
    return {"name": called.function.name, "arguments": json.loads(called.function.arguments)}


def structured():
    made = completion(messages=user(SAY), response_format=Weather)
    return Weather.model_validate_json(made.choices[0].message.content).model_dump()


def error():
    try:
        completion(messages=user(FAIL))
    except litellm.NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


def cancel():
    stream = completion(messages=user(GO_ON), stream=True)
    pieces = [next(text for chunk in stream if (text := chunk.choices[0].delta.content))]
    stream.completion_stream.close()
    return pieces
