// What every script for the clients of npm begins with; `show` ends it.
import { Portkey, createHeaders } from 'portkey-ai';
import OpenAI from 'openai';

const { URL: url, FAKE: fake } = process.env;
const apiKey = 'gk-test-admin';
const inline = { provider: 'openai', api_key: 'sk-config', custom_host: fake };
const show = (found) => console.log(JSON.stringify(found));
const failure = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
};
