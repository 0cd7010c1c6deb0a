// The openai client.
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';

// ---
const client = new OpenAI({
  baseURL: URL,
  apiKey: KEY,
});
// ---

const chat = client.chat.completions;

async function plain() {
  const made = await chat.create({ model: MODEL, messages: user(SAY) });
  return made.choices[0].message.content;
}

async function streamed() {
  const asked = { model: MODEL, messages: user(SAY), stream_options: { include_usage: true } };
  const pieces = [];
  let total_tokens;
  for await (const chunk of await chat.create({ ...asked, stream: true })) {
    if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
    total_tokens = chunk.usage?.total_tokens;
  }
  return { pieces, total_tokens };
}

async function tools() {
  const tools = [zodFunction({ name: 'get_weather', parameters: Weather })];
  const made = await chat.parse({ model: MODEL, messages: user(SAY), tools });
  const streamed = await chat.stream({ model: MODEL, messages: user(SAY), tools }).finalChatCompletion();
  const [{ function: called }] = made.choices[0].message.tool_calls;
  const [{ function: again }] = streamed.choices[0].message.tool_calls;
  same(called.parsed_arguments, JSON.parse(again.arguments));
  return { name: called.name, arguments: called.parsed_arguments };
}

async function structured() {
  const response_format = zodResponseFormat(Weather, 'weather');
  const made = await chat.parse({ model: MODEL, messages: user(SAY), response_format });
  return made.choices[0].message.parsed;
}

async function error() {
  try {
    await chat.create({ model: MODEL, messages: user(FAIL) });
  } catch (failure) {
    if (failure instanceof OpenAI.NotFoundError) return { status: failure.status, message: failure.message };
    throw failure;
  }
}

async function cancel() {
  for await (const chunk of await chat.create({ model: MODEL, messages: user(GO_ON), stream: true })) {
    if (chunk.choices[0].delta.content) return [chunk.choices[0].delta.content];
  }
}
