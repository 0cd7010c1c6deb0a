"""The Portkey client of PyPI, with what it stores on the gateway."""

import pytest

from tests.clients.environment import Run
from tests.fake import Fake

pytestmark = pytest.mark.timeout(900)  # its environment may have to be made


def test_a_virtual_key_and_a_config(portkey: Run, fake: Fake) -> None:
    """Made, listed, shown, changed, used in every way there is, deleted."""
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL)
        made = client.virtual_keys.create(
            name="of the client", provider="openai", key="sk-stored-with-the-gateway", customHost=FAKE
        )
        slug = made.slug
        saved = client.configs.create(
            name="of the client", config={"virtual_key": slug, "override_params": {"temperature": 0}}
        ).slug

        listed = [row["slug"] for row in client.virtual_keys.list().data]
        configs = [row["slug"] for row in client.configs.list().data]
        shown = client.virtual_keys.retrieve(slug=slug)
        client.virtual_keys.update(slug=slug, name="renamed", note="by the client")
        renamed = client.virtual_keys.retrieve(slug=slug)
        config = client.configs.retrieve(slug=saved)
        client.configs.update(slug=saved, name="renamed", config={"virtual_key": slug})

        def say(model="m", **options):
            made = Portkey(api_key=KEY, base_url=URL, **options).chat.completions.create(
                model=model, messages=[{"role": "user", "content": "Hello"}]
            )
            return made.choices[0].message.content

        texts = [
            say(virtual_key=slug), say(config=saved), say(provider="@" + slug), say(model=f"@{slug}/m"),
            say(config={"virtual_key": slug}),
            Portkey(api_key=KEY, base_url=URL, virtual_key=slug).completions.create(
                model="m", prompt="Say"
            ).choices[0].text,
        ]
        used = failure(lambda: client.virtual_keys.delete(slug=slug))
        client.configs.delete(slug=saved)
        client.virtual_keys.delete(slug=slug)
        gone = failure(lambda: say(virtual_key=slug))
        show(
            slug=slug, saved=saved, listed=listed, configs=configs, names=[shown.name, renamed.name, renamed.note],
            config=config.config, told=str(shown) + str(renamed), texts=texts, used=[type(used).__name__, str(used)],
            gone=[type(gone).__name__, str(gone)],
        )
    """)
    assert found["slug"] in found["listed"]
    assert found["saved"].startswith("pc-")
    assert found["saved"] in found["configs"]
    assert found["names"] == ["of the client", "renamed", "by the client"]
    assert found["config"] == {"virtual_key": found["slug"], "override_params": {"temperature": 0}}
    assert "sk-stored" not in found["told"]
    assert found["texts"] == ["This is a test."] * 6
    assert found["used"][0] == "ConflictError"
    assert found["saved"] in found["used"][1]
    assert found["gone"][0] == "BadRequestError"
    assert "there is no virtual key" in found["gone"][1]
    assert len(fake.requests) == 6
    for received in fake.requests:
        assert received.header("authorization") == "Bearer sk-stored-with-the-gateway"
        assert received.json["model"] == "m"
        assert "temperature" not in received.json


def test_an_api_key(portkey: Run, fake: Fake) -> None:
    """One with a default config, which is all that its requests need."""
    found = portkey("""
        client = Portkey(api_key=KEY, base_url=URL)
        slug = client.virtual_keys.create(
            name="of a key", provider="openai", key="sk-stored-with-the-gateway", customHost=FAKE
        ).slug
        saved = client.configs.create(name="of a key", config={"virtual_key": slug}).slug
        made = client.api_keys.create(
            name="of the client", type="workspace", sub_type="service", scopes=["completions.write"],
            defaults={"config_id": saved},
        )
        of_key = Portkey(api_key=made.key, base_url=URL)
        text = of_key.completions.create(model="m", prompt="Say").choices[0].text
        shown = client.api_keys.retrieve(id=made.id)
        client.api_keys.update(id=made.id, name="renamed", scopes=["completions.write", "virtual_keys.list"])
        names = [row["name"] for row in client.api_keys.list().data]
        lacking = failure(lambda: of_key.configs.list())
        client.api_keys.delete(id=made.id)
        gone = failure(lambda: of_key.completions.create(model="m", prompt="Say"))
        show(
            text=text, key=made.key, told=str(shown), names=names,
            lacking=type(lacking).__name__, gone=type(gone).__name__,
        )
    """)
    assert found["text"] == "This is a test."
    assert found["key"] not in found["told"]
    assert "renamed" in found["names"]
    assert (found["lacking"], found["gone"]) == ("PermissionDeniedError", "AuthenticationError")
    [received] = fake.requests
    assert received.header("authorization") == "Bearer sk-stored-with-the-gateway"
