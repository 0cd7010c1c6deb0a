"""LlamaIndex's OpenAILike."""

import gc

import openai
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather

# ---
llm = OpenAILike(
    model=MODEL,
    api_base=URL,
    api_key=KEY,
    is_chat_model=True,
    is_function_calling_model=True,
)
# ---


def get_weather(city: str, celsius: int) -> str:
    """Tell the weather."""
    return f"{city}: {celsius}"


def plain():
    return llm.complete(SAY).text


def streamed():
    parts = list(llm.stream_complete(SAY, stream_options={"include_usage": True}))
    return {"pieces": [part.delta for part in parts if part.delta], "total_tokens": parts[-1].raw.usage.total_tokens}


def tools():
    tool = FunctionTool.from_defaults(get_weather)
    [called] = llm.get_tool_calls_from_response(llm.chat_with_tools([tool], user_msg=SAY))
    *_, last = llm.stream_chat_with_tools([tool], user_msg=SAY)
    [again] = llm.get_tool_calls_from_response(last)
    assert called.tool_kwargs == again.tool_kwargs
    return {"name": called.tool_name, "arguments": called.tool_kwargs}


def structured():
    return llm.structured_predict(Weather, PromptTemplate(SAY)).model_dump()


def error():
    try:
        llm.complete(FAIL)
    except openai.NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


def cancel():
    stream = llm.stream_complete(GO_ON)
    pieces = [next(part.delta for part in stream if part.delta)]
    stream.close()
    del stream
    gc.collect()  # it does not close what it reads from: that happens when it is collected
    return pieces
