"""The package: small, quick to import, typed, one source for both clients."""

import ast
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import portkey_ai

SDK = Path(__file__).parents[2] / "sdk" / "python"
PACKAGE = SDK / "src" / "portkey_ai"
SOURCE = sorted(PACKAGE.rglob("*.py"))
MOST_MODULES = 100


def loaded(program: str) -> set[str]:
    """The modules that a program has imported at its end."""
    program = f"{program}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_the_import_is_small() -> None:
    modules = loaded("from portkey_ai import Portkey, createHeaders; Portkey(api_key='k')")
    assert len(modules) <= MOST_MODULES, sorted(modules)
    assert not modules & {
        "asyncio",
        "ssl",
        "http.client",
        "email",
        "pathlib",
        "inspect",
        "dataclasses",
        "urllib.request",
    }
    assert not {name for name in modules if name.startswith(("gatekey", "portkey_ai._async", "openai", "httpx"))}


def test_asyncio_is_imported_when_it_is_asked_for() -> None:
    assert "asyncio" in loaded("from portkey_ai import AsyncPortkey; AsyncPortkey()")


def test_a_call_takes_little_more() -> None:
    program = (
        "from portkey_ai import Portkey\ntry: Portkey(base_url='http://127.0.0.1:1', max_retries=0).models.list()\n"
    )
    assert len(loaded(program + "except Exception: pass")) <= MOST_MODULES


def test_it_needs_nothing_and_is_typed() -> None:
    project = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []
    assert (PACKAGE / "py.typed").exists()
    standard = sys.stdlib_module_names | {"portkey_ai", "openai", "anthropic"}
    for path in SOURCE:
        names = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
        assert not {name for name in names if name not in standard} - {"the", "of"}, path


def test_its_version() -> None:
    assert importlib.metadata.version("gatekey-sdk") == portkey_ai.__version__


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_sdk", SDK / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_generated_is_up_to_date(generator: ModuleType) -> None:
    for path, text in generator.generated().items():
        assert path.read_text() == text, f"{path.name}: run python sdk/python/generate.py"
    assert {path.name for path in (PACKAGE / "_sync").glob("*.py")} == {path.name for path in generator.generated()}


def test_nothing_of_asyncio_is_left_in_it(generator: ModuleType) -> None:
    for text in generator.generated().values():
        code = text.replace("async_openai", "").replace("AsyncOpenAI", "").partition("\n")[2]
        assert not re.findall(r"\b(async|await|asyncio|Async\w+)\b", re.sub(r'""".*?"""', "", code, flags=re.DOTALL))


def test_the_rules_of_the_house() -> None:
    for path in SOURCE:
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        assert len(path.read_text().splitlines()) <= 400, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, (path, node.name)


def test_everything_that_it_offers_is_there() -> None:
    for name in portkey_ai.__all__:
        assert getattr(portkey_ai, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = portkey_ai.nothing  # type: ignore[attr-defined]
