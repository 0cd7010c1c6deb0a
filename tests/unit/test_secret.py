import copy
import json
import logging
import pickle
import traceback

import pytest

from gatekey.secret import Secret

VALUE = "sk-marked-9f2c"


def shown(secret: Secret) -> list[str]:
    """Every way in which a value gets into text by accident."""
    record = logging.LogRecord("n", logging.INFO, "f", 1, "%s %r", (secret, secret), None)
    try:
        raise ValueError(secret)
    except ValueError as error:
        raised = "".join(traceback.format_exception(error))
    return [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{[secret]}", f"{secret:>40}",
            record.getMessage(), raised, repr({"k": secret})]  # fmt: skip


def test_it_never_shows_its_value() -> None:
    secret = Secret(VALUE)
    for text in shown(secret):
        assert VALUE not in text
        assert "[secret]" in text


def test_reveal_is_the_only_way_out() -> None:
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)


def test_equality_and_truth() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a")
    assert not Secret("")
