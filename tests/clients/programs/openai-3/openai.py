"""The openai client."""

import json

import openai
from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather, user

# ---
client = openai.OpenAI(
    base_url=URL,
    api_key=KEY,
)
# ---

WEATHER = openai.pydantic_function_tool(Weather, name="get_weather")


def plain():
    made = client.chat.completions.create(model=MODEL, messages=user(SAY))
    return made.choices[0].message.content


def streamed():
    stream = client.chat.completions.create(
        model=MODEL, messages=user(SAY), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    return {"pieces": [piece for piece in pieces if piece], "total_tokens": chunks[-1].usage.total_tokens}


def tools():
    asked = {"model": MODEL, "messages": user(SAY), "tools": [WEATHER]}
    whole = client.chat.completions.create(**asked).choices[0]
    with client.chat.completions.stream(**asked) as stream:
        final = stream.get_final_completion().choices[0]
    assert whole.finish_reason == final.finish_reason == "tool_calls"
    [called], [again] = whole.message.tool_calls, final.message.tool_calls
    assert json.loads(called.function.arguments) == json.loads(again.function.arguments)
    return {"name": called.function.name, "arguments": json.loads(called.function.arguments)}


def structured():
    made = client.chat.completions.parse(model=MODEL, messages=user(SAY), response_format=Weather)
    return made.choices[0].message.parsed.model_dump()


def error():
    try:
        client.chat.completions.create(model=MODEL, messages=user(FAIL))
    except openai.NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


def cancel():
    pieces = []
    with client.chat.completions.create(model=MODEL, messages=user(GO_ON), stream=True) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                pieces.append(chunk.choices[0].delta.content)
                break
    return pieces
