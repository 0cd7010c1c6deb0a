"""Instructor, over the openai client."""

import json

import instructor
import openai
from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather, user

# ---
client = openai.OpenAI(
    base_url=URL,
    api_key=KEY,
)
structuring = instructor.from_openai(client)
# ---

WEATHER = openai.pydantic_function_tool(Weather, name="get_weather")


def ask(text, model=None, **more):
    return structuring.chat.completions.create(model=MODEL, messages=user(text), response_model=model, **more)


def plain():
    return ask(SAY).choices[0].message.content


def streamed():
    chunks = list(ask(SAY, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    return {"pieces": [piece for piece in pieces if piece], "total_tokens": chunks[-1].usage.total_tokens}


def tools():
    [called] = ask(SAY, tools=[WEATHER]).choices[0].message.tool_calls
    return {"name": called.function.name, "arguments": json.loads(called.function.arguments)}


def structured():
    made = ask(SAY, Weather)
    partial = list(structuring.chat.completions.create_partial(model=MODEL, messages=user(SAY), response_model=Weather))
    assert partial[-1].model_dump() == made.model_dump()
    return made.model_dump()


def error():
    try:
        ask(FAIL)
    except openai.NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


def cancel():
    with ask(GO_ON, stream=True) as stream:
        return [next(text for chunk in stream if (text := chunk.choices[0].delta.content))]
