"""Policies: limits that hold for all requests which have something in common."""

from __future__ import annotations

from typing import Any

from portkey_ai import types
from portkey_ai._async.resource import AsyncResource
from portkey_ai._calls import path


class AsyncUsageEntities(AsyncResource):
    """What a usage limit counts apart: each value of what it groups by."""

    async def list(self, policy_id: str, **query: Any) -> types.Page:
        """A page of them, with what each has used."""
        return await self._send(types.Page, "GET", path("/policies/usage-limits/{}/entities", policy_id), query)

    async def reset(self, entity_id: str, *, policy_id: str, **fields: Any) -> types.Result:
        """Begin one anew."""
        where = path("/policies/usage-limits/{}/entities/{}/reset", policy_id, entity_id)
        return await self._send(types.Result, "PUT", where, fields)


class AsyncUsageLimits(AsyncResource):
    """Limits of cost or tokens."""

    @property
    def entities(self) -> AsyncUsageEntities:
        """What each of them counts apart."""
        return AsyncUsageEntities(self._client)

    async def create(self, **fields: Any) -> types.Result:
        """Make one, of `conditions`, `group_by`, `type` and `credit_limit`."""
        return await self._send(types.Result, "POST", "/policies/usage-limits", fields)

    async def list(self, **query: Any) -> types.Page:
        """A page of them."""
        return await self._send(types.Page, "GET", "/policies/usage-limits", query)

    async def retrieve(self, policy_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return await self._send(types.Result, "GET", path("/policies/usage-limits/{}", policy_id), query)

    async def update(self, policy_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return await self._send(types.Result, "PUT", path("/policies/usage-limits/{}", policy_id), fields)

    async def delete(self, policy_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/policies/usage-limits/{}", policy_id), query)


class AsyncRateLimits(AsyncResource):
    """Limits of requests or tokens in a time."""

    async def create(self, **fields: Any) -> types.Result:
        """Make one, of `conditions`, `group_by`, `type`, `unit` and `value`."""
        return await self._send(types.Result, "POST", "/policies/rate-limits", fields)

    async def list(self, **query: Any) -> types.Page:
        """A page of them."""
        return await self._send(types.Page, "GET", "/policies/rate-limits", query)

    async def retrieve(self, policy_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return await self._send(types.Result, "GET", path("/policies/rate-limits/{}", policy_id), query)

    async def update(self, policy_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return await self._send(types.Result, "PUT", path("/policies/rate-limits/{}", policy_id), fields)

    async def delete(self, policy_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/policies/rate-limits/{}", policy_id), query)


class AsyncPolicies(AsyncResource):
    """Limits by what requests have in common."""

    @property
    def usage_limits(self) -> AsyncUsageLimits:
        """Of cost or tokens."""
        return AsyncUsageLimits(self._client)

    @property
    def rate_limits(self) -> AsyncRateLimits:
        """Of requests or tokens in a time."""
        return AsyncRateLimits(self._client)
