"""Agents of Pydantic AI."""

from pydantic_ai import Agent, ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather

# ---
provider = OpenAIProvider(
    base_url=URL,
    api_key=KEY,
)
model = OpenAIChatModel(MODEL, provider=provider)
# ---

agent = Agent(model)


async def plain():
    return (await agent.run(SAY)).output


async def streamed():
    async with agent.run_stream(SAY) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    return {"pieces": pieces, "total_tokens": result.usage.total_tokens}


async def tools():
    found = []

    def get_weather(city: str, celsius: int) -> str:
        """Tell the weather."""
        found.append({"city": city, "celsius": celsius})
        return "It is so."

    able = Agent(model, tools=[get_weather])
    assert (await able.run(SAY)).output == "This is a test."
    async with able.run_stream(SAY) as result:
        assert await result.get_output() == "This is a test."
    assert found[0] == found[1]
    return {"name": "get_weather", "arguments": found[0]}


async def structured():
    return (await Agent(model, output_type=Weather).run(SAY)).output.model_dump()


async def error():
    try:
        await agent.run(FAIL)
    except ModelHTTPError as failure:
        return {"status": failure.status_code, "message": str(failure)}


async def cancel():
    async with agent.run_stream(GO_ON) as result:
        return [await anext(result.stream_text(delta=True, debounce_by=None))]
