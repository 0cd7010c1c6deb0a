"""Every client that there is a program for: `programs/<environment>/<package>` says all of it."""

import json
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.clients import environment
from tests.clients.environment import PROGRAMS

FEATURES = ("plain", "streamed", "tools", "structured", "error", "cancel")
"""What a client is tried with; `programs/told.py` says what each is."""
PATIENCE = 60.0
"""Seconds that a feature may take, the import of its client included."""

_function = re.compile(r"^(?:async )?(?:def|function) (\w+)\(", re.MULTILINE)
_change = re.compile(r"^(?:#|//) ---\n(.*?)^(?:#|//) ---$", re.MULTILINE | re.DOTALL)
_import = re.compile(r"^((?:from (?!told)\S+ )?import )(.+)$", re.MULTILINE)
_word = re.compile(r"\w+")
_alike = re.compile(r"[-_.]+")


@dataclass(frozen=True)
class Client:
    """A client and its program."""

    file: Path

    @property
    def environment(self) -> str:
        """The folder of programs that it belongs to."""
        return self.file.relative_to(PROGRAMS).parts[0]

    @property
    def source(self) -> str:
        """Where it comes from: npm or PyPI."""
        return "npm" if self.file.suffix == ".mjs" else "PyPI"

    @property
    def package(self) -> str:
        """The name under which it is installed."""
        name = self.file.relative_to(PROGRAMS / self.environment).with_suffix("").as_posix()
        return name if self.source == "npm" else _alike.sub("-", name)

    @property
    def version(self) -> str:
        """The release that its environment pins."""
        folder = PROGRAMS / self.environment
        if self.source == "npm":
            return str(json.loads((folder / "package.json").read_text())["dependencies"][self.package])
        pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text().split())
        return next(version for name, version in pins.items() if _alike.sub("-", name).lower() == self.package)

    @property
    def features(self) -> tuple[str, ...]:
        """Those that it has."""
        declared = _function.findall(self.file.read_text())
        return tuple(feature for feature in FEATURES if feature in declared)

    @property
    def change(self) -> str:
        """What people change in what they have, with the imports that it needs."""
        text = self.file.read_text()
        [found] = _change.findall(text)
        used = set(_word.findall(found))
        lines = []
        for start, names in _import.findall(text):
            needed = [name for name in names.split(", ") if used & set(_word.findall(name))]
            lines += [start + ", ".join(needed)] if needed else []
        return "\n".join([*lines, "", found])

    def __str__(self) -> str:
        return f"{self.environment}/{self.package}"


CLIENTS = tuple(Client(file) for file in sorted(PROGRAMS.glob("*/**/*")) if file.suffix in (".py", ".mjs"))


class Program:
    """A client's program while it runs."""

    def __init__(self, client: Client, **environ: str) -> None:
        folder = environment.CLIENTS / client.environment
        if client.source == "npm":
            parts = (PROGRAMS / "told.mjs", client.file, PROGRAMS / "serve.mjs")
            # A text and no file: what a module imports is looked for where it lies, and that is not its environment.
            text = "\n".join(part.read_text() for part in parts)
            command = [*environment.node(client.environment), "--eval", text]
        else:
            command = [str(environment.python(client.environment)), str(PROGRAMS / "serve.py"), str(client.file)]
        pipe = subprocess.PIPE
        # The gateway is not reached by https: whatever is, for telemetry or prices, reaches nobody.
        env = environment.bare(folder, {**environ, "HTTPS_PROXY": "http://127.0.0.1:9"})
        self._process = subprocess.Popen(command, cwd=folder, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def ask(self, feature: str) -> Any:
        """What a feature found. Raises AssertionError with its traceback."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(PATIENCE, process.kill)
        late.start()
        print(feature, file=process.stdin, flush=True)
        line = process.stdout.readline()
        late.cancel()
        answer = json.loads(line or '{"failed": "It ended."}')
        assert "found" in answer, answer["failed"]
        return answer["found"]

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        _, told = self._process.communicate()
        if error is not None:
            error.add_note(f"The program told:\n{told[-4000:]}")
