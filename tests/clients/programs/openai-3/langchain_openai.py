"""LangChain's ChatOpenAI."""

import openai
from langchain_openai import ChatOpenAI
from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather

# ---
llm = ChatOpenAI(
    model=MODEL,
    base_url=URL,
    api_key=KEY,
    stream_usage=True,
)
# ---


def get_weather(city: str, celsius: int) -> str:
    """Tell the weather."""
    return f"{city}: {celsius}"


def plain():
    return llm.invoke(SAY).text


def streamed():
    chunks = list(llm.stream(SAY))
    used = [chunk.usage_metadata["total_tokens"] for chunk in chunks if chunk.usage_metadata]
    return {"pieces": [chunk.text for chunk in chunks if chunk.text], "total_tokens": sum(used)}


def tools():
    able = llm.bind_tools([get_weather])
    [called] = able.invoke(SAY).tool_calls
    whole = None
    for chunk in able.stream(SAY):
        whole = chunk if whole is None else whole + chunk
    [again] = whole.tool_calls
    assert called["args"] == again["args"]
    return {"name": called["name"], "arguments": called["args"]}


def structured():
    return llm.with_structured_output(Weather).invoke(SAY).model_dump()


def error():
    try:
        llm.invoke(FAIL)
    except openai.NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


def cancel():
    stream = llm.stream(GO_ON)
    pieces = [next(chunk.text for chunk in stream if chunk.text)]
    stream.close()
    return pieces
