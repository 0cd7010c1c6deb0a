# Made of _async/resources.py by generate.py: change it there.
"""The resources of a client, by their documented names. Those beside inference are imported when they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portkey_ai._sync import inference

if TYPE_CHECKING:
    from portkey_ai._sync import beta, media, observed, policies, stored


class Resources:
    """What a client offers."""

    @property
    def completions(self: Any) -> inference.Completions:
        """Text completions."""
        return inference.Completions(self)

    @property
    def chat(self: Any) -> inference.Chat:
        """Chats."""
        return inference.Chat(self)

    @property
    def embeddings(self: Any) -> inference.Embeddings:
        """Vectors of texts."""
        return inference.Embeddings(self)

    @property
    def models(self: Any) -> inference.Models:
        """Models."""
        return inference.Models(self)

    @property
    def moderations(self: Any) -> inference.Moderations:
        """Judgements of texts."""
        return inference.Moderations(self)

    @property
    def responses(self: Any) -> inference.Responses:
        """OpenAI's Responses."""
        return inference.Responses(self)

    @property
    def messages(self: Any) -> inference.Messages:
        """Anthropic's Messages."""
        return inference.Messages(self)

    @property
    def images(self: Any) -> media.Images:
        """Images."""
        from portkey_ai._sync import media

        return media.Images(self)

    @property
    def audio(self: Any) -> media.Audio:
        """Sounds."""
        from portkey_ai._sync import media

        return media.Audio(self)

    @property
    def files(self: Any) -> media.Files:
        """Files at the provider."""
        from portkey_ai._sync import media

        return media.Files(self)

    @property
    def batches(self: Any) -> media.Batches:
        """Many requests in a file."""
        from portkey_ai._sync import media

        return media.Batches(self)

    @property
    def fine_tuning(self: Any) -> media.FineTuning:
        """Tuning of models."""
        from portkey_ai._sync import media

        return media.FineTuning(self)

    @property
    def vector_stores(self: Any) -> media.VectorStores:
        """Vector stores at the provider."""
        from portkey_ai._sync import media

        return media.VectorStores(self)

    @property
    def beta(self: Any) -> beta.Beta:
        """Assistants and threads."""
        from portkey_ai._sync import beta

        return beta.Beta(self)

    @property
    def configs(self: Any) -> stored.Configs:
        """Saved configs."""
        from portkey_ai._sync import stored

        return stored.Configs(self)

    @property
    def virtual_keys(self: Any) -> stored.VirtualKeys:
        """Providers' keys that the gateway holds."""
        from portkey_ai._sync import stored

        return stored.VirtualKeys(self)

    @property
    def providers(self: Any) -> stored.Providers:
        """Providers of a workspace."""
        from portkey_ai._sync import stored

        return stored.Providers(self)

    @property
    def integrations(self: Any) -> stored.Integrations:
        """Providers' credentials."""
        from portkey_ai._sync import stored

        return stored.Integrations(self)

    @property
    def api_keys(self: Any) -> stored.ApiKeys:
        """Keys of the gateway."""
        from portkey_ai._sync import stored

        return stored.ApiKeys(self)

    @property
    def model_configs(self: Any) -> stored.ModelConfigs:
        """Prices of models."""
        from portkey_ai._sync import stored

        return stored.ModelConfigs(self)

    @property
    def policies(self: Any) -> policies.Policies:
        """Limits by what requests have in common."""
        from portkey_ai._sync import policies

        return policies.Policies(self)

    @property
    def admin(self: Any) -> stored.Admin:
        """What belongs to the organisation."""
        from portkey_ai._sync import stored

        return stored.Admin(self)

    @property
    def logs(self: Any) -> observed.Logs:
        """Logs of requests."""
        from portkey_ai._sync import observed

        return observed.Logs(self)

    @property
    def feedback(self: Any) -> observed.Feedback:
        """What callers think of answers."""
        from portkey_ai._sync import observed

        return observed.Feedback(self)

    @property
    def analytics(self: Any) -> observed.Analytics:
        """Figures."""
        from portkey_ai._sync import observed

        return observed.Analytics(self)

    @property
    def audit_logs(self: Any) -> observed.AuditLogs:
        """The trail of changes."""
        from portkey_ai._sync import observed

        return observed.AuditLogs(self)
