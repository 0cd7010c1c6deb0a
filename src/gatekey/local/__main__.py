"""Serves a small language model on 127.0.0.1, in the OpenAI dialect, until its standard input ends.

Prints one line of JSON when it is ready: `{"url": "http://127.0.0.1:PORT/v1", "model": "..."}`.
Exit codes: 0 the standard input has ended; 1 the model cannot be loaded; 3 a part is not installed.
Must not import anything of the gateway: it is a server like any other.
"""

import argparse
import json
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gatekey.local.install import weights

if TYPE_CHECKING:
    import xllamacpp

ALIAS = "smollm2-135m-instruct"
CONTEXT = 2048
"""Tokens that the model was trained to attend to, and that each slot gets."""
SLOTS = 4
"""Requests that are answered at once; the others wait for a slot."""
ANSWER = 128
"""Tokens of an answer whose length the caller leaves open: a plain completion seldom ends of itself."""
PROMPT_CACHE_MIB = 128
"""Bound on prompts kept in memory; llama.cpp's own is 8 GB."""
# The template inside the model's file adds a system prompt that makes the model answer nonsense.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def main() -> NoReturn:
    options = argparse.ArgumentParser(prog="python -m gatekey.local", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--model", type=Path, default=os.environ.get("GATEKEY_LOCAL_MODEL"), help="a GGUF file")
    given = options.parse_args().model
    if find_spec("xllamacpp") is None:
        leave(3, "The local model is not installed: pip install 'gatekey[local]', then gatekey local install.")
    path = given or weights()
    if path is None:
        leave(3, "The local model's weights are not installed: gatekey local install (or --model PATH.gguf).")
    if not path.is_file():
        leave(1, f"There is no model at {path}: give another with --model or GATEKEY_LOCAL_MODEL.")
    # Ctrl-C in a terminal reaches every process; the gateway's drain still needs this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp writes where it likes
    name = path.stem.lower() if given else ALIAS
    server = serve(path, name, template=None if given else CHATML)
    ready.write(json.dumps({"url": f"{server.listening_address}/v1", "model": name}) + "\n")
    ready.flush()
    wait_for_eof()
    os._exit(0)  # the server's own end waits for the answers being written


def serve(path: Path, name: str, *, template: str | None) -> "xllamacpp.Server":
    """The server, listening on a free port; it runs in threads of its own."""
    import xllamacpp

    params: Any = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {name}
    params.n_ctx, params.n_parallel = CONTEXT * SLOTS, SLOTS
    params.n_predict = ANSWER
    params.cache_ram_mib = PROMPT_CACHE_MIB
    # A second thread spins while it waits for the first: on a busy machine that costs nine tenths of the speed.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.warmup = params.ui = False
    # Pages in a browser on this machine must not reach it, nor one caller another's prompt.
    params.cors_origins, params.endpoint_slots = "http://127.0.0.1", False
    params.verbosity = 1
    if template is not None:
        params.chat_template = template
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        leave(1, f"The model at {path} cannot be loaded.")


def wait_for_eof() -> None:
    """Return when the parent has closed its end, or is no more."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass


def leave(code: int, message: str) -> NoReturn:
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
    os._exit(code)  # not sys.exit: a half-made server must not be waited for


if __name__ == "__main__":
    main()
