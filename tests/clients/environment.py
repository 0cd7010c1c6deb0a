"""Environments of their own for clients that must not share ours, and the scripts that run in them.

Each folder of `programs` is an environment: what it holds is pinned in its `requirements.txt` or `package.json`.
It is made once below `.venv/clients` and kept as long as its stamp says what it should hold. A lock keeps test
processes from making it twice.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
CLIENTS = HERE.parents[1] / ".venv" / "clients"
INSTALLING = 600.0
"""Seconds that an installation may take."""
RUNNING = 60.0
"""Seconds that a script may take."""
NO_NODE = "There is no node or no npm here: install nodejs and npm (scripts/test does so where it may)."

Run = Callable[..., Any]
"""A Runner that knows the addresses: takes a script and further environment variables."""


@dataclass(frozen=True)
class Runner:
    """Runs scripts of one client. `command` is given the script's text as its last argument."""

    command: tuple[str, ...]
    preamble: str
    folder: Path

    def __call__(self, script: str, **environ: str) -> Any:
        """What the script says: the argument of its call of `show`, which is its last act. It must end with 0."""
        done = subprocess.run(
            [*self.command, self.preamble + dedent(script)],
            cwd=self.folder,
            env=bare(self.folder, environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUNNING,
        )
        assert done.returncode == 0, f"The script ended with {done.returncode}.\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout.rstrip("\n").rpartition("\n")[2])


def bare(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    """The environment of a client's process: nothing of that of the tests configures it, proxies included."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **environ}


def portkey_python() -> Runner:
    """The `portkey-ai` of PyPI. Its import name is not ours to take, so it lives apart."""
    interpreter = python("portkey-ai")
    return Runner((str(interpreter), "-c"), (HERE / "preamble.py").read_text(), interpreter.parents[1])


def portkey_node() -> Runner:
    """`portkey-ai` and `openai` of npm."""
    program = node("node")
    return Runner((*program, "--eval"), (HERE / "preamble.mjs").read_text(), CLIENTS / "node")


def python(name: str) -> Path:
    """The interpreter of the environment `name`, which is made where it is missing."""
    requirements = PROGRAMS / name / "requirements.txt"
    folder = CLIENTS / name
    interpreter = folder / "bin" / "python"
    with made(folder, f"{sys.version}\n{requirements.read_text()}") as missing:
        if missing:
            _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder))
            # Our own pip, wheels only, compiled on first use: most of what these bring along is never imported.
            pip = (sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--no-input")
            _run(*pip, "--no-compile", "--only-binary", ":all:", "--requirement", str(requirements))
    return interpreter


def node(name: str) -> tuple[str, ...]:
    """The command that runs modules in the environment `name`. Raises AssertionError where there is no node."""
    program, npm = shutil.which("node"), shutil.which("npm")
    assert program and npm, NO_NODE
    package = PROGRAMS / name / "package.json"
    folder = CLIENTS / name
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    with made(folder, version + package.read_text()) as missing:
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            shutil.copy(package, folder)
            quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
            _run(npm, "install", "--prefix", str(folder), *quiet)
    return (program, "--input-type=module", "--unhandled-rejections=strict")


@contextmanager
def made(folder: Path, state: str) -> Iterator[bool]:
    """Whether the environment is still to be made. Locked meanwhile; its stamp is written where nothing goes wrong."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".stamp"
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not stamp.exists() or stamp.read_text() != state
        yield missing
        if missing:
            stamp.write_text(state)


def _run(*command: str) -> None:
    pipe, nothing, out = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
    done = subprocess.run(command, stdin=nothing, stdout=pipe, stderr=out, text=True, timeout=INSTALLING)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
