// What every program for node begins with: see told.py.
import { deepStrictEqual as same } from 'node:assert';
import { z } from 'zod';

const { URL, KEY } = process.env;
const MODEL = 'gpt-4o-mini';
const [SAY, FAIL, GO_ON] = ['Say this is a test.', 'Ask for a model that is not there.', 'Never stop.'];
const Weather = z.object({ city: z.string(), celsius: z.int() });
const user = (content) => [{ role: 'user', content }];
