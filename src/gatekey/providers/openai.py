"""OpenAI, whose dialect is the one spoken here."""

from gatekey.providers import Option, compatible


def _sends(options: dict[str, str]) -> dict[str, str]:
    if not options:
        return {}
    names = {
        "openai_organization": "openai-organization",
        "openai_project": "openai-project",
        "openai_beta": "openai-beta",
    }
    return {header: options[name] for name, header in names.items() if name in options}


provider = compatible(
    slug="openai",
    name="OpenAI",
    docs="https://platform.openai.com/docs/api-reference",
    base="https://api.openai.com/v1",
    has=("completions", "chat", "embeddings", "models"),
    options={
        "openai_organization": Option(
            "Organization that the request is counted for.", headers=("openai-organization",)
        ),
        "openai_project": Option("Project that the request is counted for.", headers=("openai-project",)),
        "openai_beta": Option("Beta features to switch on.", headers=("openai-beta",)),
    },
    sends=_sends,
)
