// The Portkey client.
import { Portkey } from 'portkey-ai';

// ---
const client = new Portkey({
  baseURL: URL,
  apiKey: KEY,
});
// ---

const chat = client.chat.completions;
const schema = z.toJSONSchema(Weather);

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
  const tools = [{ type: 'function', function: { name: 'get_weather', parameters: schema } }];
  const made = await chat.create({ model: MODEL, messages: user(SAY), tools });
  const [{ function: called }] = made.choices[0].message.tool_calls;
  return { name: called.name, arguments: JSON.parse(called.arguments) };
}

async function structured() {
  const response_format = { type: 'json_schema', json_schema: { name: 'weather', schema } };
  const made = await chat.create({ model: MODEL, messages: user(SAY), response_format });
  return Weather.parse(JSON.parse(made.choices[0].message.content));
}

async function error() {
  try {
    await chat.create({ model: MODEL, messages: user(FAIL) });
  } catch (failure) {
    return { status: failure.status, message: failure.message };
  }
}

async function cancel() {
  for await (const chunk of await chat.create({ model: MODEL, messages: user(GO_ON), stream: true })) {
    if (chunk.choices[0].delta.content) return [chunk.choices[0].delta.content];
  }
}
