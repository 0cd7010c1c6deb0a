"""The agents of OpenAI, with their model for chat completions."""

import openai
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from told import FAIL, GO_ON, KEY, MODEL, SAY, URL, Weather

# ---
client = openai.AsyncOpenAI(
    base_url=URL,
    api_key=KEY,
)
model = OpenAIChatCompletionsModel(model=MODEL, openai_client=client)
# ---

set_tracing_disabled(True)  # traces would go to their own service


def agent(**more):
    return Agent(name="of a test", model=model, model_settings=ModelSettings(include_usage=True), **more)


async def deltas(result):
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            yield event.data.delta


async def plain():
    return (await Runner.run(agent(), SAY)).final_output


async def streamed():
    result = Runner.run_streamed(agent(), SAY)
    pieces = [delta async for delta in deltas(result)]
    return {"pieces": pieces, "total_tokens": result.context_wrapper.usage.total_tokens}


async def tools():
    found = []

    @function_tool
    def get_weather(city: str, celsius: int) -> str:
        """Tell the weather."""
        found.append({"city": city, "celsius": celsius})
        return "It is so."

    able = agent(tools=[get_weather])
    assert (await Runner.run(able, SAY)).final_output == "This is a test."
    result = Runner.run_streamed(able, SAY)
    assert "".join([delta async for delta in deltas(result)]) == "This is a test."
    assert found[0] == found[1]
    return {"name": "get_weather", "arguments": found[0]}


async def structured():
    return (await Runner.run(agent(output_type=Weather), SAY)).final_output.model_dump()


async def error():
    try:
        await Runner.run(agent(), FAIL)
    except openai.NotFoundError as failure:
        return {"status": failure.status_code, "message": str(failure)}


async def cancel():
    result = Runner.run_streamed(agent(), GO_ON)
    pieces = []
    async for delta in deltas(result):
        pieces.append(delta)
        result.cancel()
    return pieces
