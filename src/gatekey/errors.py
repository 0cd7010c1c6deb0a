"""Every way to fail, typed by whose fault it is.

The class says the status, the OpenAI error `type`, the `code` and whether another try may help.
The message names the field, header, target or host that was wrong, and what to do.
It never contains a credential, nor what an exception of a library happened to say.
"""

from typing import ClassVar


class GatekeyError(Exception):
    """An error that Gatekey itself answers with.

    `param` names the header, body field or config path at fault; None where no single one is.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class CallerError(GatekeyError):
    """The request is at fault: the same request fails again."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class BadJson(CallerError):
    """The body is not JSON, not an object, or nested too deep."""

    code = "invalid_json"


class BadHeader(CallerError):
    """A header is missing or has a value that cannot be read; `param` is its name."""

    code = "invalid_header"


class BadConfig(CallerError):
    """A config is refused; `param` is the path inside it, such as `targets[1].retry.attempts`."""

    code = "invalid_config"


class BadBody(CallerError):
    """The body cannot be given to the provider; `param` is the field."""

    code = "invalid_body"


class UnsupportedEndpoint(CallerError):
    """The provider has no such endpoint."""

    code = "unsupported_endpoint"


class NotAvailable(CallerError):
    """A documented part that this version lacks, and whose silent absence would be unsafe."""

    code = "not_available"


class EgressRefused(CallerError):
    """The outgoing address is not allowed; `param` names where it came from."""

    code = "egress_refused"


class Unauthenticated(CallerError):
    """No gateway key, or a wrong one."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class UnknownRoute(CallerError):
    """No such route."""

    status = 404
    type = "not_found_error"
    code = "unknown_route"


class MethodNotAllowed(CallerError):
    """The route exists, for other methods."""

    status = 405
    code = "method_not_allowed"


class BodyTooLarge(CallerError):
    """The body is over the limit."""

    status = 413
    code = "body_too_large"


class UpstreamError(GatekeyError):
    """The exchange with the provider failed: another target, or another try, may succeed."""

    status = 502
    type = "upstream_error"
    code = "bad_gateway"


class Unreachable(UpstreamError):
    """No connection, or one that broke."""

    code = "upstream_unreachable"


class Nonsense(UpstreamError):
    """The provider answered something that is not its protocol."""

    code = "upstream_nonsense"


class Truncated(UpstreamError):
    """The provider's answer ended before its end."""

    code = "upstream_truncated"


class InBand(UpstreamError):
    """The provider reported an error inside a 200 answer; `status` is the provider's where it names one."""

    code = "upstream_in_band_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        status: int = 502,
        type: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, param=param)
        self.status = status  # type: ignore[misc]
        self.type = type or self.type  # type: ignore[misc]
        self.code = code or self.code  # type: ignore[misc]


class Silent(UpstreamError):
    """The provider sent nothing for longer than the gateway waits of itself."""

    status = 504
    type = "timeout_error"
    code = "upstream_silent"


class TimedOut(UpstreamError):
    """The time-out that the caller or the config asked for has passed."""

    status = 408
    type = "timeout_error"
    code = "request_timeout"


class Overloaded(GatekeyError):
    """A bound of the gateway is reached: later is better."""

    status = 503
    type = "server_error"
    code = "overloaded"


class Forbidden(CallerError):
    """The caller is known and may not: a scope is missing, or the thing belongs to another workspace."""

    status = 403
    type = "permission_error"
    code = "forbidden"


class NotFound(CallerError):
    """There is no such thing, or none that this caller may see."""

    status = 404
    type = "not_found_error"
    code = "not_found"


class Conflict(CallerError):
    """It exists already, or something else still uses it; the message lists what."""

    status = 409
    type = "conflict_error"
    code = "conflict"


class Expired(CallerError):
    """A stored credential has passed its date."""

    status = 401
    type = "virtual_key_expired_error"
    code = "expired"


class Unsealable(GatekeyError):
    """A sealed text that cannot be opened: another master key, another row, or damaged. The caller is not at fault."""

    code = "unsealable"


class ModelNotAllowed(CallerError):
    """The model is not among those that the stored credential may be used with."""

    status = 403
    type = "model_not_allowed_error"
    code = "model_not_allowed"


class Exhausted(CallerError):
    """A budget is spent: what is left does not pay for this call at its most."""

    status = 412
    type = "budget_exhausted_error"
    code = "budget_exhausted"


class UnpricedModel(CallerError):
    """A budget in money applies, and nobody knows what the model costs."""

    status = 412
    type = "unpriced_model_error"
    code = "unpriced_model"


class Limited(CallerError):
    """A rate limit is reached, or running calls hold what is left of a budget. `retry_after` is in s."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limited"

    def __init__(self, message: str, *, param: str | None = None, retry_after: int = 1) -> None:
        super().__init__(message, param=param)
        self.retry_after = retry_after


class LedgerDown(Overloaded):
    """The ledger of budgets and rates cannot be reached, and what this worker had drawn from it is used up."""

    code = "ledger_down"
