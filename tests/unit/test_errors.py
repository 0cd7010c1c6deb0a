import inspect

import pytest

from gatekey import errors
from gatekey.errors import CallerError, GatekeyError, InBand, UpstreamError

CLASSES = [
    item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, GatekeyError)
]  # fmt: skip


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_its_status_type_and_code(kind: type[GatekeyError]) -> None:
    error = kind("What was wrong.", param="field")
    assert (str(error), error.message, error.param) == ("What was wrong.", "What was wrong.", "field")
    assert error.type.endswith("error")
    assert error.code.replace("_", "").islower()
    assert 400 <= error.status <= 599


@pytest.mark.parametrize("kind", CLASSES)
def test_the_status_tells_whose_fault_it_is(kind: type[GatekeyError]) -> None:
    if issubclass(kind, CallerError):
        assert kind.status < 500
    elif kind is not errors.TimedOut:  # documented as 408
        assert kind.status >= 500


def test_codes_tell_the_errors_apart() -> None:
    codes = [kind.code for kind in CLASSES if kind not in (CallerError, UpstreamError)]
    assert len(set(codes)) == len(codes)


def test_an_error_in_band_keeps_what_the_provider_said() -> None:
    told = InBand("No.", status=429, type="rate_limit_error", code="slow_down")
    assert (told.status, told.type, told.code) == (429, "rate_limit_error", "slow_down")
    assert (InBand.status, InBand.type, InBand.code) == (502, "upstream_error", "upstream_in_band_error")
    plain = InBand("No.")
    assert (plain.status, plain.type, plain.code) == (InBand.status, InBand.type, InBand.code)
