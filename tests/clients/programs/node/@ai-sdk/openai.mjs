// The AI SDK with its provider for OpenAI, through chat completions.
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from 'ai';

// ---
const gateway = createOpenAI({
  baseURL: URL,
  apiKey: KEY,
});
const model = gateway.chat(MODEL);
// ---

async function plain() {
  return (await generateText({ model, prompt: SAY })).text;
}

async function streamed() {
  const result = streamText({ model, prompt: SAY });
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  return { pieces, total_tokens: (await result.totalUsage).totalTokens };
}

async function tools() {
  const found = [];
  const execute = async (given) => (found.push(given), 'It is so.');
  const tools = { get_weather: tool({ inputSchema: Weather, execute }) };
  const asked = { model, prompt: SAY, tools, stopWhen: stepCountIs(2) };
  const texts = [(await generateText(asked)).text, await streamText(asked).text];
  same(texts, ['This is a test.', 'This is a test.']);
  same(found[0], found[1]);
  return { name: 'get_weather', arguments: found[0] };
}

async function structured() {
  return (await generateText({ model, prompt: SAY, output: Output.object({ schema: Weather }) })).output;
}

async function error() {
  try {
    await generateText({ model, prompt: FAIL });
  } catch (failure) {
    if (APICallError.isInstance(failure)) return { status: failure.statusCode, message: failure.message };
    throw failure;
  }
}

async function cancel() {
  const leaving = new AbortController();
  const pieces = [];
  for await (const piece of streamText({ model, prompt: GO_ON, abortSignal: leaving.signal }).textStream) {
    pieces.push(piece);
    leaving.abort();
  }
  return pieces;
}
