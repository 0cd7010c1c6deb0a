"""The rules of the house that a machine can hold: short files, short functions, words where they are due."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = sorted((ROOT / "src").rglob("*.py"))
MIGRATIONS = ROOT / "src/gatekey/store/migrations/versions"
"""Made by a tool and never changed again: a layout is told in one piece."""
WRITTEN = sorted(
    path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*.py") if path.parent != MIGRATIONS
)
TREES = {path: ast.parse(path.read_text()) for path in {*SOURCE, *WRITTEN}}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
"""Lines, the decorators and the docstring counted."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def shown(path: Path, line: int, what: str = "") -> str:
    return f"{path.relative_to(ROOT)}:{line} {what}".rstrip()


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public(body: list[ast.stmt], outer: str = "") -> Iterator[tuple[Function | ast.ClassDef, str]]:
    """Functions and classes that others may use, with those inside public classes."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node, f"{outer}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in WRITTEN}
    wrong = [shown(path, length) for path, length in lengths.items() if length > LONGEST_FILE]
    assert not wrong, f"longer than {LONGEST_FILE} lines: {wrong}"


def test_functions_are_short() -> None:
    wrong = []
    for path in WRITTEN:
        for node in functions(TREES[path]):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if (node.end_lineno or first) - first + 1 > LONGEST_FUNCTION:
                wrong.append(shown(path, first, node.name))
    assert not wrong, f"longer than {LONGEST_FUNCTION} lines: {wrong}"


def test_every_module_says_what_it_is_for() -> None:
    wrong = [shown(path, 1) for path in SOURCE if not ast.get_docstring(TREES[path])]
    assert not wrong, wrong


def test_what_is_public_has_its_words() -> None:
    """What somebody else's interface already explains needs no second explanation."""
    wrong = [
        shown(path, node.lineno, name)
        for path in SOURCE
        if path.name != "__main__.py"  # nobody imports it
        for node, name in public(TREES[path].body)
        if not ast.get_docstring(node) and not inherited(node)
    ]
    assert not wrong, "\n".join(wrong)


ASYNCIO_CALLS = (
    *("connection_made", "connection_lost", "data_received", "eof_received", "pause_writing", "resume_writing"),
    *("process_exited", "pipe_data_received", "pipe_connection_lost"),
)
HTTPTOOLS_CALLS = re.compile(r"on_[a-z_]+")


def inherited(node: ast.AST) -> bool:
    """Whether somebody else's interface says what a method does."""
    return isinstance(node, Function) and (node.name in ASYNCIO_CALLS or bool(HTTPTOOLS_CALLS.fullmatch(node.name)))


def test_only_the_command_line_prints() -> None:
    wrong = [
        shown(path, node.lineno)
        for path in SOURCE
        if "cli" not in path.parts
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong, wrong


def comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
def test_nothing_is_left_for_later(word: str) -> None:
    wrong = [
        shown(path, number) for path in WRITTEN for number, text in enumerate(path.read_text().splitlines(), 1)
        if re.search(rf"\b{word}\b", text)
    ]  # fmt: skip
    assert not wrong, wrong


def test_rules_are_switched_off_one_by_one_and_with_their_number() -> None:
    bare = re.compile(r"#\s*(noqa(?!: ?[A-Z]+\d)|type: ignore(?!\[)|mypy: |ruff: noqa)")
    wrong = [shown(path, line, text) for path in WRITTEN for line, text in comments(path) if bare.match(text)]
    assert not wrong, wrong


def test_every_source_file_of_the_gateway_has_a_home() -> None:
    """No file named after nothing: what a file holds is in its name."""
    vague = {"utils.py", "util.py", "helpers.py", "helper.py", "manager.py", "base.py", "common.py", "misc.py"}
    assert not [path for path in SOURCE if path.name.lstrip("_") in vague]
