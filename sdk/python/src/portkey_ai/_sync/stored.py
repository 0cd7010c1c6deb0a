# Made of _async/stored.py by generate.py: change it there.
"""Resources of the control plane: what the gateway stores. Fields are those of its API reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portkey_ai import types
from portkey_ai._sync.resource import Resource
from portkey_ai._calls import path


class Configs(Resource):
    """Saved configs."""

    def create(self, *, name: str, config: Mapping[str, Any] | str, **fields: Any) -> types.ConfigMade:
        """Save a config; it is used by the slug of the answer."""
        return self._send(types.ConfigMade, "POST", "/configs", {"name": name, "config": config, **fields})

    def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return self._send(types.Page, "GET", "/configs", query)

    def retrieve(self, slug: str, **query: Any) -> types.Config:
        """A saved config, with its content."""
        return self._send(types.Config, "GET", path("/configs/{}", slug), query)

    def update(self, slug: str, **fields: Any) -> types.ConfigMade:
        """Change one; another `config` is a new version."""
        return self._send(types.ConfigMade, "PUT", path("/configs/{}", slug), fields)

    def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/configs/{}", slug), query)

    def versions(self, slug: str, **query: Any) -> types.Page:
        """The versions of one, newest first."""
        return self._send(types.Page, "GET", path("/configs/{}/versions", slug), query)


class VirtualKeys(Resource):
    """Providers' keys that the gateway holds."""

    def create(self, *, name: str, provider: str, key: str | None = None, **fields: Any) -> types.VirtualKey:
        """Store a provider's key; it is used by the slug of the answer, and never shown again."""
        return self._send(
            types.VirtualKey, "POST", "/virtual-keys", {"name": name, "provider": provider, "key": key, **fields}
        )

    def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return self._send(types.Page, "GET", "/virtual-keys", query)

    def retrieve(self, slug: str, **query: Any) -> types.VirtualKey:
        """What is known of one."""
        return self._send(types.VirtualKey, "GET", path("/virtual-keys/{}", slug), query)

    def update(self, slug: str, **fields: Any) -> types.VirtualKey:
        """Change one."""
        return self._send(types.VirtualKey, "PUT", path("/virtual-keys/{}", slug), fields)

    def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/virtual-keys/{}", slug), query)


class Providers(Resource):
    """Providers of a workspace, each with an integration."""

    def create(self, *, name: str, integration_id: str, **fields: Any) -> types.Provider:
        """Give a workspace an integration."""
        return self._send(
            types.Provider, "POST", "/providers", {"name": name, "integration_id": integration_id, **fields}
        )

    def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return self._send(types.Page, "GET", "/providers", query)

    def retrieve(self, slug: str, **query: Any) -> types.Provider:
        """What is known of one."""
        return self._send(types.Provider, "GET", path("/providers/{}", slug), query)

    def update(self, slug: str, **fields: Any) -> types.Provider:
        """Change one."""
        return self._send(types.Provider, "PUT", path("/providers/{}", slug), fields)

    def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/providers/{}", slug), query)


class IntegrationModels(Resource):
    """The models that an integration may be used with."""

    def list(self, slug: str, **query: Any) -> types.Result:
        """All of them."""
        return self._send(types.Result, "GET", path("/integrations/{}/models", slug), query)

    def update(self, slug: str, **fields: Any) -> types.Result:
        """Add or change some."""
        return self._send(types.Result, "PUT", path("/integrations/{}/models", slug), fields)

    def delete(self, slug: str, *, slugs: Sequence[str], **query: Any) -> types.Result:
        """Take some off the list."""
        return self._send(
            types.Result, "DELETE", path("/integrations/{}/models", slug), {"slugs": slugs, **query}
        )


class IntegrationWorkspaces(Resource):
    """The workspaces that may use an integration."""

    def list(self, slug: str, **query: Any) -> types.Result:
        """All of them."""
        return self._send(types.Result, "GET", path("/integrations/{}/workspaces", slug), query)

    def update(self, slug: str, **fields: Any) -> types.Result:
        """Give it to some, or take it from them."""
        return self._send(types.Result, "PUT", path("/integrations/{}/workspaces", slug), fields)


class Integrations(Resource):
    """Providers' credentials, each for one workspace or several."""

    @property
    def models(self) -> IntegrationModels:
        """Their models."""
        return IntegrationModels(self._client)

    @property
    def workspaces(self) -> IntegrationWorkspaces:
        """Their workspaces."""
        return IntegrationWorkspaces(self._client)

    def create(self, *, name: str, ai_provider_id: str, **fields: Any) -> types.Integration:
        """Store a credential."""
        return self._send(
            types.Integration, "POST", "/integrations", {"name": name, "ai_provider_id": ai_provider_id, **fields}
        )

    def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return self._send(types.Page, "GET", "/integrations", query)

    def retrieve(self, slug: str, **query: Any) -> types.Integration:
        """What is known of one."""
        return self._send(types.Integration, "GET", path("/integrations/{}", slug), query)

    def update(self, slug: str, **fields: Any) -> types.Integration:
        """Change one."""
        return self._send(types.Integration, "PUT", path("/integrations/{}", slug), fields)

    def delete(self, slug: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/integrations/{}", slug), query)


class ApiKeys(Resource):
    """Keys of the gateway."""

    def create(
        self, *, type: str, sub_type: str, name: str, scopes: Sequence[str], **fields: Any
    ) -> types.ApiKeyMade:
        """Make a key (`type` organisation or workspace, `sub_type` service or user); it is shown this once."""
        return self._send(
            types.ApiKeyMade,
            "POST",
            path("/api-keys/{}/{}", type, sub_type),
            {"name": name, "scopes": scopes, **fields},
        )

    def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return self._send(types.Page, "GET", "/api-keys", query)

    def retrieve(self, id: str, **query: Any) -> types.ApiKey:
        """One, without its secret."""
        return self._send(types.ApiKey, "GET", path("/api-keys/{}", id), query)

    def update(self, id: str, **fields: Any) -> types.ApiKey:
        """Change one."""
        return self._send(types.ApiKey, "PUT", path("/api-keys/{}", id), fields)

    def delete(self, id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/api-keys/{}", id), query)

    def rotate(self, id: str, **fields: Any) -> types.ApiKeyMade:
        """Give one a new secret; the present one goes on working for `key_transition_period_ms`."""
        return self._send(types.ApiKeyMade, "POST", path("/api-keys/{}/rotate", id), fields)


class ModelConfigs(Resource):
    """What the gateway knows of models, for anybody who asks."""

    def pricing(self, provider: str, model: str, **query: Any) -> types.Result:
        """What a model costs, by the table that ships with the gateway."""
        return self._send(types.Result, "GET", path("/model-configs/pricing/{}/{}", provider, model), query)


class Workspaces(Resource):
    """Workspaces."""

    def create(self, *, name: str, **fields: Any) -> types.Workspace:
        """Make one."""
        return self._send(types.Workspace, "POST", "/admin/workspaces", {"name": name, **fields})

    def list(self, **query: Any) -> types.Page:
        """A page of them: `current_page` from 0, `page_size` at most 1000."""
        return self._send(types.Page, "GET", "/admin/workspaces", query)

    def retrieve(self, workspace_id: str, **query: Any) -> types.Workspace:
        """What is known of one."""
        return self._send(types.Workspace, "GET", path("/admin/workspaces/{}", workspace_id), query)

    def update(self, workspace_id: str, **fields: Any) -> types.Workspace:
        """Change one."""
        return self._send(types.Workspace, "PUT", path("/admin/workspaces/{}", workspace_id), fields)

    def delete(self, workspace_id: str, **fields: Any) -> types.Deleted:
        """Delete one; with `force_delete=True` what is in it, too."""
        return self._send(types.Deleted, "DELETE", path("/admin/workspaces/{}", workspace_id), fields)


class Admin(Resource):
    """What belongs to the organisation."""

    @property
    def workspaces(self) -> Workspaces:
        """Workspaces."""
        return Workspaces(self._client)
