"""The resources of a client, by their documented names. Those beside inference are imported when they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portkey_ai._async import inference

if TYPE_CHECKING:
    from portkey_ai._async import beta, media, observed, policies, stored


class AsyncResources:
    """What a client offers."""

    @property
    def completions(self: Any) -> inference.AsyncCompletions:
        """Text completions."""
        return inference.AsyncCompletions(self)

    @property
    def chat(self: Any) -> inference.AsyncChat:
        """Chats."""
        return inference.AsyncChat(self)

    @property
    def embeddings(self: Any) -> inference.AsyncEmbeddings:
        """Vectors of texts."""
        return inference.AsyncEmbeddings(self)

    @property
    def models(self: Any) -> inference.AsyncModels:
        """Models."""
        return inference.AsyncModels(self)

    @property
    def moderations(self: Any) -> inference.AsyncModerations:
        """Judgements of texts."""
        return inference.AsyncModerations(self)

    @property
    def responses(self: Any) -> inference.AsyncResponses:
        """OpenAI's Responses."""
        return inference.AsyncResponses(self)

    @property
    def messages(self: Any) -> inference.AsyncMessages:
        """Anthropic's Messages."""
        return inference.AsyncMessages(self)

    @property
    def images(self: Any) -> media.AsyncImages:
        """Images."""
        from portkey_ai._async import media

        return media.AsyncImages(self)

    @property
    def audio(self: Any) -> media.AsyncAudio:
        """Sounds."""
        from portkey_ai._async import media

        return media.AsyncAudio(self)

    @property
    def files(self: Any) -> media.AsyncFiles:
        """Files at the provider."""
        from portkey_ai._async import media

        return media.AsyncFiles(self)

    @property
    def batches(self: Any) -> media.AsyncBatches:
        """Many requests in a file."""
        from portkey_ai._async import media

        return media.AsyncBatches(self)

    @property
    def fine_tuning(self: Any) -> media.AsyncFineTuning:
        """Tuning of models."""
        from portkey_ai._async import media

        return media.AsyncFineTuning(self)

    @property
    def vector_stores(self: Any) -> media.AsyncVectorStores:
        """Vector stores at the provider."""
        from portkey_ai._async import media

        return media.AsyncVectorStores(self)

    @property
    def beta(self: Any) -> beta.AsyncBeta:
        """Assistants and threads."""
        from portkey_ai._async import beta

        return beta.AsyncBeta(self)

    @property
    def configs(self: Any) -> stored.AsyncConfigs:
        """Saved configs."""
        from portkey_ai._async import stored

        return stored.AsyncConfigs(self)

    @property
    def virtual_keys(self: Any) -> stored.AsyncVirtualKeys:
        """Providers' keys that the gateway holds."""
        from portkey_ai._async import stored

        return stored.AsyncVirtualKeys(self)

    @property
    def providers(self: Any) -> stored.AsyncProviders:
        """Providers of a workspace."""
        from portkey_ai._async import stored

        return stored.AsyncProviders(self)

    @property
    def integrations(self: Any) -> stored.AsyncIntegrations:
        """Providers' credentials."""
        from portkey_ai._async import stored

        return stored.AsyncIntegrations(self)

    @property
    def api_keys(self: Any) -> stored.AsyncApiKeys:
        """Keys of the gateway."""
        from portkey_ai._async import stored

        return stored.AsyncApiKeys(self)

    @property
    def model_configs(self: Any) -> stored.AsyncModelConfigs:
        """Prices of models."""
        from portkey_ai._async import stored

        return stored.AsyncModelConfigs(self)

    @property
    def policies(self: Any) -> policies.AsyncPolicies:
        """Limits by what requests have in common."""
        from portkey_ai._async import policies

        return policies.AsyncPolicies(self)

    @property
    def admin(self: Any) -> stored.AsyncAdmin:
        """What belongs to the organisation."""
        from portkey_ai._async import stored

        return stored.AsyncAdmin(self)

    @property
    def logs(self: Any) -> observed.AsyncLogs:
        """Logs of requests."""
        from portkey_ai._async import observed

        return observed.AsyncLogs(self)

    @property
    def feedback(self: Any) -> observed.AsyncFeedback:
        """What callers think of answers."""
        from portkey_ai._async import observed

        return observed.AsyncFeedback(self)

    @property
    def analytics(self: Any) -> observed.AsyncAnalytics:
        """Figures."""
        from portkey_ai._async import observed

        return observed.AsyncAnalytics(self)

    @property
    def audit_logs(self: Any) -> observed.AsyncAuditLogs:
        """The trail of changes."""
        from portkey_ai._async import observed

        return observed.AsyncAuditLogs(self)
