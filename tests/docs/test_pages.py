"""Pages can be relied on: links lead somewhere, commands exist, configs load, dependencies are argued for."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import typer

from gatekey.catalog import Catalog
from gatekey.cli.commands import app
from gatekey.config.load import load

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}

_link = re.compile(r"\]\(([^)\s]+)\)")
_fence = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_heading = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The headings of a page as links name them."""
    return {re.sub(r"[^\w\- ]", "", found.lower()).replace(" ", "-") for found in _heading.findall(text)}


def shell(text: str) -> str:
    """What a page says to type."""
    return "\n".join(body for language, body in _fence.findall(text) if language in ("sh", "shell", "bash"))


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    wrong = []
    for link in _link.findall(TEXTS[name]):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / name).parent / file if file else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            wrong.append(link)
    assert not wrong


@pytest.mark.parametrize("name", TEXTS)
def test_commands_exist(name: str) -> None:
    typed = shell(TEXTS[name])
    scripts = set(re.findall(r"\bscripts/[a-z-]+", typed))
    assert not [script for script in scripts if not (ROOT / script).is_file()]
    there = {" ".join(path) for path in commands()}
    named = re.findall(r"\bgatekey ((?:[a-z][a-z-]* ?)+)", typed)
    assert not [words for words in named if not any(words.strip().startswith(path) for path in there)]


def commands() -> list[tuple[str, ...]]:
    """Every command of `gatekey`."""
    group = typer.main.get_command(app)
    found = []
    for name, command in getattr(group, "commands", {}).items():
        inner = getattr(command, "commands", {})
        found += [(name, below) for below in inner]
        if not inner or getattr(command, "invoke_without_command", False):
            found.append((name,))
    return found


CONFIGS = [body for language, body in _fence.findall(TEXTS.get("docs/guides/configs.md", "")) if language == "json"]


@pytest.mark.parametrize("text", CONFIGS, ids=range(len(CONFIGS)))
def test_configs_of_the_guide_load(text: str) -> None:
    json.loads(text)
    assert list(load(text, Catalog()).leaves())


def test_the_guide_has_configs() -> None:
    assert len(CONFIGS) >= 5


def test_every_dependency_is_argued_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    names = [re.split(r"[^A-Za-z0-9-]", line)[0] for line in (*project["dependencies"], *extras)]
    argued = re.findall(r"^\| `([^`]+)`", TEXTS["docs/decisions/dependencies.md"], re.MULTILINE)
    assert sorted(argued) == sorted(names)


def test_every_part_has_its_place_in_the_architecture() -> None:
    page = TEXTS["docs/architecture.md"]
    source = ROOT / "src" / "gatekey"
    parts = {path.relative_to(source).parts[0].removesuffix(".py") for path in source.rglob("*.py")} - {"__init__"}
    assert not [part for part in parts if not re.search(rf"`{part}(\.py|/)?`", page)]


def test_every_page_can_be_found() -> None:
    """From the README, link by link."""
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.suffix == ".md" and page.exists():
            links = [link.partition("#")[0] for link in _link.findall(page.read_text(encoding="utf-8"))]
            waiting += [(page.parent / link).resolve() for link in links if link and not re.match(r"[a-z]+:", link)]
    assert not [page for page in PAGES if page not in seen]


def test_the_glossary_is_spoken() -> None:
    """Each of its words is one that the code uses."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py")).lower()
    spoken = set(re.findall(r"[a-z]+", source))
    words = re.findall(r"^\| (\w+) \|", TEXTS["docs/glossary.md"], re.MULTILINE)[1:]
    assert len(words) > 20
    assert not [word for word in words if word not in spoken]
