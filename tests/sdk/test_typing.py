"""What the checkers of types say to users: nothing about what is right, something about every line that is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import environment

pytestmark = pytest.mark.timeout(600)  # a checker may have to be fetched

HERE = Path(__file__).parent
RIGHT, WRONG = HERE / "typed.py", HERE / "wrong.py"
LINES = {number for number, line in enumerate(WRONG.read_text().splitlines(), 1) if line.endswith("# wrong")}


NOT_READ = "[mypy-openai.*,anthropic.*]\nfollow_imports = skip\n"
"""Packages that are only named: reading them takes half a minute."""


def run(command: list[str], folder: Path) -> str:
    told = {**os.environ, "MYPYPATH": ""}
    return subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, timeout=200).stdout


def test_mypy(tmp_path: Path) -> None:
    """Strict, and without our own settings."""
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\n{NOT_READ}")
    for file in (RIGHT, WRONG):
        (tmp_path / file.name).write_text(file.read_text())
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        "mypy.ini",
        "--cache-dir",
        "cache",
        RIGHT.name,
        WRONG.name,
    ]
    told = run(command, tmp_path)
    assert f"{RIGHT.name}:" not in told, told
    assert {int(line) for line in re.findall(rf"^{WRONG.name}:(\d+): error", told, re.MULTILINE)} == LINES, told


def test_pyright(tmp_path: Path) -> None:
    """The checker of many editors, in its strict mode; it runs on node."""
    [node, *_] = environment.node("pyright")
    for file in (RIGHT, WRONG):
        (tmp_path / file.name).write_text(f"# pyright: strict\n{file.read_text()}")
    program = environment.CLIENTS / "pyright" / "node_modules" / "pyright" / "index.js"
    found = json.loads(run([node, str(program), "--outputjson", "--pythonpath", sys.executable, "."], tmp_path))
    by_file: dict[str, set[int]] = {}
    for told in found["generalDiagnostics"]:
        if told["severity"] == "error":
            by_file.setdefault(Path(told["file"]).name, set()).add(told["range"]["start"]["line"])
    assert found["summary"]["filesAnalyzed"] == 2
    assert RIGHT.name not in by_file, found["generalDiagnostics"]
    assert not LINES - by_file[WRONG.name]
