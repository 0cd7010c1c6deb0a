# Made of _async/policies.py by generate.py: change it there.
"""Policies: limits that hold for all requests which have something in common."""

from __future__ import annotations

from typing import Any

from portkey_ai import types
from portkey_ai._sync.resource import Resource
from portkey_ai._calls import path


class UsageEntities(Resource):
    """What a usage limit counts apart: each value of what it groups by."""

    def list(self, policy_id: str, **query: Any) -> types.Page:
        """A page of them, with what each has used."""
        return self._send(types.Page, "GET", path("/policies/usage-limits/{}/entities", policy_id), query)

    def reset(self, entity_id: str, *, policy_id: str, **fields: Any) -> types.Result:
        """Begin one anew."""
        where = path("/policies/usage-limits/{}/entities/{}/reset", policy_id, entity_id)
        return self._send(types.Result, "PUT", where, fields)


class UsageLimits(Resource):
    """Limits of cost or tokens."""

    @property
    def entities(self) -> UsageEntities:
        """What each of them counts apart."""
        return UsageEntities(self._client)

    def create(self, **fields: Any) -> types.Result:
        """Make one, of `conditions`, `group_by`, `type` and `credit_limit`."""
        return self._send(types.Result, "POST", "/policies/usage-limits", fields)

    def list(self, **query: Any) -> types.Page:
        """A page of them."""
        return self._send(types.Page, "GET", "/policies/usage-limits", query)

    def retrieve(self, policy_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return self._send(types.Result, "GET", path("/policies/usage-limits/{}", policy_id), query)

    def update(self, policy_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return self._send(types.Result, "PUT", path("/policies/usage-limits/{}", policy_id), fields)

    def delete(self, policy_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/policies/usage-limits/{}", policy_id), query)


class RateLimits(Resource):
    """Limits of requests or tokens in a time."""

    def create(self, **fields: Any) -> types.Result:
        """Make one, of `conditions`, `group_by`, `type`, `unit` and `value`."""
        return self._send(types.Result, "POST", "/policies/rate-limits", fields)

    def list(self, **query: Any) -> types.Page:
        """A page of them."""
        return self._send(types.Page, "GET", "/policies/rate-limits", query)

    def retrieve(self, policy_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return self._send(types.Result, "GET", path("/policies/rate-limits/{}", policy_id), query)

    def update(self, policy_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return self._send(types.Result, "PUT", path("/policies/rate-limits/{}", policy_id), fields)

    def delete(self, policy_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/policies/rate-limits/{}", policy_id), query)


class Policies(Resource):
    """Limits by what requests have in common."""

    @property
    def usage_limits(self) -> UsageLimits:
        """Of cost or tokens."""
        return UsageLimits(self._client)

    @property
    def rate_limits(self) -> RateLimits:
        """Of requests or tokens in a time."""
        return RateLimits(self._client)
