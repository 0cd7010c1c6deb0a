"""What the tests of clients stand on: environments that are made once, and failures that say what is wrong."""

import sys
from pathlib import Path

import pytest

from tests.clients import environment


def test_no_node_is_a_failure_with_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssertionError, match="install nodejs and npm"):
        environment.portkey_node()


def test_an_environment_is_made_once_and_again_when_it_should_hold_something_else(tmp_path: Path) -> None:
    folder = tmp_path / "clients" / "one"
    asked = []
    for state in ("a", "a", "b"):
        with environment.made(folder, state) as missing:
            asked.append(missing)
            folder.mkdir(exist_ok=True)
    assert asked == [True, False, True]


def test_what_could_not_be_made_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with pytest.raises(ZeroDivisionError), environment.made(folder, "a"):
        _ = 1 / 0
    with environment.made(folder, "a") as missing:
        assert missing
        folder.mkdir()


def test_a_script_that_fails_shows_why(tmp_path: Path) -> None:
    run = environment.Runner((sys.executable, "-c"), "", tmp_path)
    assert run("print('noise'); print('{\"found\": 1}')") == {"found": 1}
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run("1 / 0")
