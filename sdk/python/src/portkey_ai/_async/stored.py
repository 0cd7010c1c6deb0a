"""Resources of the control plane: what the gateway stores. Fields are those of its API reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portkey_ai import types
from portkey_ai._async.resource import AsyncResource
from portkey_ai._calls import path


class AsyncConfigs(AsyncResource):
    """Saved configs."""

    async def create(self, *, name: str, config: Mapping[str, Any] | str, **fields: Any) -> types.ConfigMade:
        """Save a config; it is used by the slug of the answer."""
        return await self._send(types.ConfigMade, "POST", "/configs", {"name": name, "config": config, **fields})

    async def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return await self._send(types.Page, "GET", "/configs", query)

    async def retrieve(self, slug: str, **query: Any) -> types.Config:
        """A saved config, with its content."""
        return await self._send(types.Config, "GET", path("/configs/{}", slug), query)

    async def update(self, slug: str, **fields: Any) -> types.ConfigMade:
        """Change one; another `config` is a new version."""
        return await self._send(types.ConfigMade, "PUT", path("/configs/{}", slug), fields)

    async def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/configs/{}", slug), query)

    async def versions(self, slug: str, **query: Any) -> types.Page:
        """The versions of one, newest first."""
        return await self._send(types.Page, "GET", path("/configs/{}/versions", slug), query)


class AsyncVirtualKeys(AsyncResource):
    """Providers' keys that the gateway holds."""

    async def create(self, *, name: str, provider: str, key: str | None = None, **fields: Any) -> types.VirtualKey:
        """Store a provider's key; it is used by the slug of the answer, and never shown again."""
        return await self._send(
            types.VirtualKey, "POST", "/virtual-keys", {"name": name, "provider": provider, "key": key, **fields}
        )

    async def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return await self._send(types.Page, "GET", "/virtual-keys", query)

    async def retrieve(self, slug: str, **query: Any) -> types.VirtualKey:
        """What is known of one."""
        return await self._send(types.VirtualKey, "GET", path("/virtual-keys/{}", slug), query)

    async def update(self, slug: str, **fields: Any) -> types.VirtualKey:
        """Change one."""
        return await self._send(types.VirtualKey, "PUT", path("/virtual-keys/{}", slug), fields)

    async def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/virtual-keys/{}", slug), query)


class AsyncProviders(AsyncResource):
    """Providers of a workspace, each with an integration."""

    async def create(self, *, name: str, integration_id: str, **fields: Any) -> types.Provider:
        """Give a workspace an integration."""
        return await self._send(
            types.Provider, "POST", "/providers", {"name": name, "integration_id": integration_id, **fields}
        )

    async def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return await self._send(types.Page, "GET", "/providers", query)

    async def retrieve(self, slug: str, **query: Any) -> types.Provider:
        """What is known of one."""
        return await self._send(types.Provider, "GET", path("/providers/{}", slug), query)

    async def update(self, slug: str, **fields: Any) -> types.Provider:
        """Change one."""
        return await self._send(types.Provider, "PUT", path("/providers/{}", slug), fields)

    async def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/providers/{}", slug), query)


class AsyncIntegrationModels(AsyncResource):
    """The models that an integration may be used with."""

    async def list(self, slug: str, **query: Any) -> types.Result:
        """All of them."""
        return await self._send(types.Result, "GET", path("/integrations/{}/models", slug), query)

    async def update(self, slug: str, **fields: Any) -> types.Result:
        """Add or change some."""
        return await self._send(types.Result, "PUT", path("/integrations/{}/models", slug), fields)

    async def delete(self, slug: str, *, slugs: Sequence[str], **query: Any) -> types.Result:
        """Take some off the list."""
        return await self._send(
            types.Result, "DELETE", path("/integrations/{}/models", slug), {"slugs": slugs, **query}
        )


class AsyncIntegrationWorkspaces(AsyncResource):
    """The workspaces that may use an integration."""

    async def list(self, slug: str, **query: Any) -> types.Result:
        """All of them."""
        return await self._send(types.Result, "GET", path("/integrations/{}/workspaces", slug), query)

    async def update(self, slug: str, **fields: Any) -> types.Result:
        """Give it to some, or take it from them."""
        return await self._send(types.Result, "PUT", path("/integrations/{}/workspaces", slug), fields)


class AsyncIntegrations(AsyncResource):
    """Providers' credentials, each for one workspace or several."""

    @property
    def models(self) -> AsyncIntegrationModels:
        """Their models."""
        return AsyncIntegrationModels(self._client)

    @property
    def workspaces(self) -> AsyncIntegrationWorkspaces:
        """Their workspaces."""
        return AsyncIntegrationWorkspaces(self._client)

    async def create(self, *, name: str, ai_provider_id: str, **fields: Any) -> types.Integration:
        """Store a credential."""
        return await self._send(
            types.Integration, "POST", "/integrations", {"name": name, "ai_provider_id": ai_provider_id, **fields}
        )

    async def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return await self._send(types.Page, "GET", "/integrations", query)

    async def retrieve(self, slug: str, **query: Any) -> types.Integration:
        """What is known of one."""
        return await self._send(types.Integration, "GET", path("/integrations/{}", slug), query)

    async def update(self, slug: str, **fields: Any) -> types.Integration:
        """Change one."""
        return await self._send(types.Integration, "PUT", path("/integrations/{}", slug), fields)

    async def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/integrations/{}", slug), query)


class AsyncApiKeys(AsyncResource):
    """Keys of the gateway."""

    async def create(
        self, *, type: str, sub_type: str, name: str, scopes: Sequence[str], **fields: Any
    ) -> types.ApiKeyMade:
        """Make a key (`type` organisation or workspace, `sub_type` service or user); it is shown this once."""
        return await self._send(
            types.ApiKeyMade,
            "POST",
            path("/api-keys/{}/{}", type, sub_type),
            {"name": name, "scopes": scopes, **fields},
        )

    async def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return await self._send(types.Page, "GET", "/api-keys", query)

    async def retrieve(self, id: str, **query: Any) -> types.ApiKey:
        """One, without its secret."""
        return await self._send(types.ApiKey, "GET", path("/api-keys/{}", id), query)

    async def update(self, id: str, **fields: Any) -> types.ApiKey:
        """Change one."""
        return await self._send(types.ApiKey, "PUT", path("/api-keys/{}", id), fields)

    async def delete(self, id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/api-keys/{}", id), query)

    async def rotate(self, id: str, **fields: Any) -> types.ApiKeyMade:
        """Give one a new secret; the present one goes on working for `key_transition_period_ms`."""
        return await self._send(types.ApiKeyMade, "POST", path("/api-keys/{}/rotate", id), fields)


class AsyncModelConfigs(AsyncResource):
    """What the gateway knows of models, for anybody who asks."""

    async def pricing(self, provider: str, model: str, **query: Any) -> types.Result:
        """What a model costs, by the table that ships with the gateway."""
        return await self._send(types.Result, "GET", path("/model-configs/pricing/{}/{}", provider, model), query)


class AsyncWorkspaces(AsyncResource):
    """Workspaces."""

    async def create(self, *, name: str, **fields: Any) -> types.Workspace:
        """Make one."""
        return await self._send(types.Workspace, "POST", "/admin/workspaces", {"name": name, **fields})

    async def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return await self._send(types.Page, "GET", "/admin/workspaces", query)

    async def retrieve(self, workspace_id: str, **query: Any) -> types.Workspace:
        """What is known of one."""
        return await self._send(types.Workspace, "GET", path("/admin/workspaces/{}", workspace_id), query)

    async def update(self, workspace_id: str, **fields: Any) -> types.Workspace:
        """Change one."""
        return await self._send(types.Workspace, "PUT", path("/admin/workspaces/{}", workspace_id), fields)

    async def delete(self, workspace_id: str, **fields: Any) -> types.Deleted:
        """Delete one; with `force_delete=True` what is in it, too."""
        return await self._send(types.Deleted, "DELETE", path("/admin/workspaces/{}", workspace_id), fields)


class AsyncAdmin(AsyncResource):
    """What belongs to the organisation."""

    @property
    def workspaces(self) -> AsyncWorkspaces:
        """Workspaces."""
        return AsyncWorkspaces(self._client)
