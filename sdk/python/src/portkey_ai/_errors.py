"""Every way in which a call can fail, as one tree.

    APIError
        APIConnectionError          no answer, or one that broke off
            APITimeoutError         nothing came for too long
        APIResponseError            an answer that is not what the API says
        APIStreamError              a stream that ended with an error
        APIStatusError              a status from 400 on, by the classes of `BY_STATUS`

The message is the gateway's own sentence. The gateway retries by itself: what arrives here is what it settled on.
"""

import json
from collections.abc import Mapping
from typing import Any

FAILED_BY = "x-gatekey-failed-by"
MAX_SHOWN = 500
"""Characters of an answer without a message that are shown."""


class APIError(Exception):
    """A call failed.

    `status_code`, `headers` and `body` are those of the answer, where there is one. `code`, `type` and `param` are what
    its error says. `by` is who failed: "provider" (also where the gateway could not reach it), "gateway",
    or None where nobody says so.
    """

    status_code: int | None = None

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        by: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})
        self.body = body
        self.by = by
        self.status_code = status_code
        error = _error(body)
        self.code: str | int | None = error.get("code")
        self.type: str | None = error.get("type")
        self.param: str | None = error.get("param")

    @property
    def trace_id(self) -> str | None:
        """The gateway's id of the call, under which its log has it."""
        return self.headers.get("x-portkey-trace-id")

    @property
    def request_id(self) -> str | None:
        """The provider's id of the request; without one, the trace id."""
        return self.headers.get("x-request-id") or self.trace_id

    @property
    def provider(self) -> str | None:
        """The slug of the provider that was asked last, where one was."""
        return self.headers.get("x-portkey-provider")

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.message, self.__dict__)


def _again(kind: type[APIError], message: str, fields: dict[str, Any]) -> APIError:
    """An error that comes from another process."""
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(fields)
    return error


class APIConnectionError(APIError):
    """There is no answer, or it broke off. `unsent`: nothing of the request was sent, so that it may be repeated."""

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


class APITimeoutError(APIConnectionError):
    """Connecting, sending or waiting for an answer took too long."""


class APIResponseError(APIError):
    """The answer is not what the API says: often something else than a gateway is at `base_url`."""


class APIStreamError(APIError):
    """The stream ended with an error. What came before it was real, but is not complete."""


class APIStatusError(APIError):
    """An answer with a status from 400 on."""

    status_code: int


class BadRequestError(APIStatusError):
    """400: the request is wrong; the message says where."""


class AuthenticationError(APIStatusError):
    """401: the gateway key, or the provider's."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or no such route."""


class RequestTimeoutError(APIStatusError):
    """408: the provider took longer than `request_timeout`."""


class ConflictError(APIStatusError):
    """409: what is there already, or still in use."""


class BudgetError(APIStatusError):
    """412: a budget is used up."""


class UnprocessableEntityError(APIStatusError):
    """422: the provider understood the request, but refuses it."""


class RateLimitError(APIStatusError):
    """429: too many requests or tokens, at the gateway or at the provider."""


class GuardrailError(APIStatusError):
    """446: a guardrail denied the request or the answer."""


class InternalServerError(APIStatusError):
    """From 500 on: the gateway or the provider failed."""


BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: RequestTimeoutError,
    409: ConflictError,
    412: BudgetError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    446: GuardrailError,
}


def of_status(status: int, headers: Mapping[str, str], content: bytes) -> APIStatusError:
    """The error that an answer with this status is."""
    body = _read(content)
    kind = BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)
    return kind(_message(body, status), status_code=status, headers=headers, body=body, by=headers.get(FAILED_BY))


def of_event(data: str, headers: Mapping[str, str]) -> APIStreamError:
    """The error that an event of a stream is."""
    body = _read(data.encode())
    by = body.get("failed_by") if isinstance(body, dict) else None
    return APIStreamError(_message(body, None), headers=headers, body=body, by=by)


def of_network(error: Exception, where: str, *, connecting: bool = False) -> APIConnectionError:
    """The error that a failure of the network is; `where`: whom we talked to."""
    unsent = connecting and not hasattr(error, "verify_code")  # a certificate that is refused once is refused again
    if isinstance(error, TimeoutError):
        told = "could not be reached in time" if connecting else "was silent for longer than `timeout`"
        return APITimeoutError(f"{where} {told}.", unsent=unsent)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    doing = "could not be reached (is the gateway running there?)" if connecting else "broke the connection"
    return APIConnectionError(f"{where} {doing}: {reason.rstrip('.')}.", unsent=unsent)


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _error(body: Any) -> dict[str, Any]:
    inner = body.get("error", body) if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}


def _message(body: Any, status: int | None) -> str:
    for place in (_error(body), body if isinstance(body, dict) else {}):
        if isinstance(place.get("message"), str):
            return str(place["message"])
    shown = body if isinstance(body, str) else json.dumps(body)
    return f"status {status}: {shown[:MAX_SHOWN]}" if status else shown[:MAX_SHOWN]
