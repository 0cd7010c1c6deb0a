"""Imports go downwards only, the pure packages are pure, and no provider is named outside the providers' folder."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "gatekey"
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}

FLOOR = frozenset({"__init__", "errors", "secret", "catalog"})
"""What everything may import. It imports nothing of ours; `catalog` imports providers by name, when they are used."""
DIALECT = FLOOR | {"config", "wire"}
PURE = DIALECT | {"streaming", "providers", "routing", "guardrails", "limits", "pricing", "cache"}
ADAPTERS = frozenset({"store", "vault", "upstream", "observe", "local"})
SHELL = PURE | ADAPTERS | {"gateway"}

MAY_IMPORT: dict[str, frozenset[str]] = {
    **dict.fromkeys(FLOOR, FLOOR),
    "catalog": FLOOR | {"providers"},  # the type alone
    **{name: FLOOR | {name} for name in ("config", "wire")},
    **{name: DIALECT | {name} for name in ("routing", "guardrails", "limits", "pricing", "cache", "streaming")},
    "providers": DIALECT | {"providers", "streaming"},
    **{name: PURE | {name} for name in ADAPTERS},
    "store": PURE | {"store", "observe"},  # it keeps records
    "gateway": SHELL,
    **{name: SHELL | {name} for name in ("admin", "console", "cli")},
}
"""The part of `gatekey` a file belongs to -> the parts that it may import."""
BESIDES: dict[str, frozenset[str]] = {"cli": frozenset({"admin", "console"}), "__main__": frozenset({"cli"})}

IMPURE = (
    *("asyncio", "concurrent", "multiprocessing", "select", "selectors", "signal", "socket", "ssl", "subprocess"),
    *("threading", "logging", "os", "pathlib", "shutil", "sqlite3", "tempfile", "random", "secrets", "time"),
    *("uuid", "http.client", "http.server", "urllib.request", "aiohttp", "httptools", "httpx", "pyreqwest"),
    *("requests", "starlette", "uvicorn", "uvloop", "asyncpg", "psycopg", "redis", "sqlalchemy"),
)
"""What reaches outside: the network, the disk, the clock, dice, the environment."""


def part(path: Path) -> str:
    """The part of `gatekey` that a file belongs to: its folder, or its own name at the top."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of whatever a file imports; types are imports too."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def ours(name: str) -> str | None:
    """The part that an imported name belongs to; None where it is not ours."""
    package, _, rest = name.partition(".")
    if package != "gatekey":
        return None
    first = rest.partition(".")[0]
    return first if (SOURCE / first).is_dir() or (SOURCE / f"{first}.py").is_file() else "__init__"


def allowed(path: Path) -> frozenset[str]:
    name = part(path)
    return MAY_IMPORT.get(name, frozenset()) | BESIDES.get(name, frozenset())


def test_every_part_has_its_place() -> None:
    parts = {part(path) for path in FILES}
    assert parts <= MAY_IMPORT.keys() | BESIDES.keys(), "add the new part to the table, and to docs/architecture.md"


def test_imports_go_downwards() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}:{line} imports {name}"
        for path in FILES
        for line, name in imports(path)
        if (target := ours(name)) is not None and target not in allowed(path)
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_packages_are_pure() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}:{line} imports {name}"
        for path in FILES
        if part(path) in PURE - {"catalog", "__init__"}
        for line, name in imports(path)
        if any(f"{name}.".startswith(f"{module}.") for module in IMPURE)
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_packages_ask_for_no_date_and_open_no_file() -> None:
    """Dates may be read and written there, but what day it is comes in as an argument."""
    wrong = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in FILES
        if part(path) in PURE
        for node in ast.walk(TREES[path])
        if (isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"))
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("open", "input", "print"))
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_else_knows_what_a_private_module_of_the_providers_holds() -> None:
    """Outside, providers are what `gatekey.providers` exports, and the three modules of its contract."""
    contract = ("gatekey.providers._spec", "gatekey.providers._shape", "gatekey.providers._read")
    wrong = [
        f"{path.relative_to(SOURCE)}:{line} imports {name}"
        for path in FILES
        if part(path) != "providers"
        for line, name in imports(path)
        if name.startswith("gatekey.providers.")
        and name.split(".")[2].startswith("_")
        and not name.startswith(contract)
    ]
    assert not wrong, "\n".join(wrong)


DECLARED = re.compile(r'^    slug="([^"]+)"', re.MULTILINE)
SLUGS = frozenset(slug for path in FILES if part(path) == "providers" for slug in DECLARED.findall(path.read_text()))
WORDS = frozenset({"openai", "local", "ai", "x", "azure", "together"})
"""Words that are not only a provider's name: the dialect's, a folder's, English ones."""
MODELS = frozenset({"claude", "gemini", "command-r", "bedrock", "vertex"})


CLOUDS = re.compile("# Google$|# AWS, Google, Azure,|metadata\\.google|x-google-metadata-request")
"""Hosts, addresses and headers of clouds' metadata services, which are refused: clouds, not providers."""


def names() -> frozenset[str]:
    """Slugs of providers, the word of each that is its name, and families of models."""
    return (SLUGS | {word for slug in SLUGS for word in slug.split("-")} | MODELS) - WORDS


def test_no_provider_is_named_outside_the_providers_folder() -> None:
    found = re.compile("|".join(rf"(?<![a-z]){re.escape(name)}(?![a-z])" for name in sorted(names())), re.IGNORECASE)
    wrong = [
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"
        for path in FILES
        if part(path) != "providers"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if found.search(line) and not CLOUDS.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_decided_by_a_slug() -> None:
    """Nor is the name of one that is a common word compared with anything."""
    wrong = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in FILES
        if part(path) not in ("providers", "upstream")  # there `local` is the end of a host's name
        and path.name != "demo.py"  # which shows the model on this machine
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Dict)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and inner.value in SLUGS
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rules_see_what_they_forbid() -> None:
    """A rule that cannot fail holds nothing: each is given a file that breaks it."""
    assert ours("gatekey.gateway.life.answer") == "gateway"
    assert ours("gatekey.errors.BadJson") == "errors"
    assert ours("gatekey.__version__") == "__init__"
    assert ours("msgspec.json") is None
    assert "gateway" not in allowed(SOURCE / "providers" / "x.py")
    assert "upstream" not in allowed(SOURCE / "wire" / "x.py")
    assert "store" not in allowed(SOURCE / "upstream" / "x.py")
    assert {"anthropic", "google", "mistral", "mistral-ai", "groq"} <= names()
