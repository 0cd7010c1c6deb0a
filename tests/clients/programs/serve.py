"""Runs a program: `serve.py FILE` reads the name of a feature from each line and answers with what it found.

The program lives on between them, so that what it has left is seen to be closed by itself and not by its end.
"""

import asyncio
import inspect
import json
import os
import runpy
import sys
import traceback

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what clients print is no answer

program = runpy.run_path(sys.argv[1])
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
for line in sys.stdin:
    try:
        found = program[line.strip()]()
        found = loop.run_until_complete(found) if inspect.isawaitable(found) else found
        answer = {"found": found}
    except Exception:
        answer = {"failed": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
