"""Where a setting comes from, and which are refused."""

from pathlib import Path

import pytest

from gatekey.cli.settings import BadSettings, Settings, resolve


def test_defaults() -> None:
    assert resolve({}, {}) == (Settings(), [])


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gatekey.toml"
    file.write_text('port = 1\nworkers = 2\nhost = "::1"\n')
    found, _ = resolve(
        {"port": 3, "workers": None}, {"GATEKEY_SETTINGS": str(file), "GATEKEY_PORT": "2", "GATEKEY_WORKERS": "4"}
    )
    assert (found.port, found.workers, found.host) == (3, 4, "::1")


def test_what_means_nothing_is_named() -> None:
    environ = {"GATEKEY_PROT": "1", "GATEKEY_LOCAL_MODEL": "m.gguf", "GATEKEY_PORT": "", "HOME": "/"}
    assert resolve({}, environ) == (Settings(), ["GATEKEY_PROT"])


@pytest.mark.parametrize(
    "environ",
    [
        {"GATEKEY_PORT": "65536"},
        {"GATEKEY_PORT": "x"},
        {"GATEKEY_WORKERS": "0"},
        {"GATEKEY_OPEN": "true", "GATEKEY_HOST": "0.0.0.0"},
        {"GATEKEY_ADMIN_KEY": "short"},
        {"GATEKEY_SETTINGS": "/nowhere/gatekey.toml"},
    ],
)
def test_what_cannot_be_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(BadSettings):
        resolve({}, environ)


@pytest.mark.parametrize("text", ["port = ", "prot = 1"])
def test_a_file_that_is_wrong_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "gatekey.toml"
    file.write_text(text)
    with pytest.raises(BadSettings):
        resolve({"settings": str(file)}, {})


@pytest.mark.parametrize(
    ("host", "loopback"), [("localhost", True), ("127.9.9.9", True), ("[::1]", True), ("a", False)]
)
def test_loopback(host: str, loopback: bool) -> None:
    assert Settings(host=host).loopback is loopback
