// What every program for node ends with: see serve.py.
const { createInterface } = await import('node:readline');
console.log = console.info = console.error; // what clients print is no answer

for await (const feature of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { found: await eval(feature)() };
  } catch (failure) {
    answer = { failed: failure.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
