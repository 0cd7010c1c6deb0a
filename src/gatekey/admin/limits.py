"""Limits that the API documents and this version does not keep: budgets, rates, planned rotations."""

from typing import Any

from gatekey.errors import NotAvailable

_FIELDS = {
    "usage_limits": "limits are not available yet",
    "rate_limits": "limits are not available yet",
    "reset_usage": "limits are not available yet",
    "rotation_policy": "rotation by plan is not available yet: rotate the key when it is time",
    "alert_emails": "mail is not available yet",
}

Limits = list[dict[str, Any]] | dict[str, Any] | None
"""As clients send them."""


def without_limits(content: Any) -> None:
    """A limit that is accepted and not kept would be a lie about money. Raises `NotAvailable` naming the field."""
    for name, told in _FIELDS.items():
        if getattr(content, name, None):
            raise NotAvailable(f"{name}: {told}.", param=name)
