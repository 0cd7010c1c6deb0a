"""What is sealed opens where it belongs, and nowhere else."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.errors import Unsealable
from gatekey.vault import Vault, new_key

ROW = "integrations/1/credential"
VAULT = Vault(new_key())
CONTENT = "sk-of-the-provider"


@given(st.text(), st.text(max_size=100))
def test_what_was_sealed_is_opened(content: str, row: str) -> None:
    sealed = VAULT.seal(content, row)
    assert VAULT.open(sealed, row).reveal() == content
    assert VAULT.current(sealed)


@given(st.data())
def test_a_changed_character_opens_nothing(data: st.DataObject) -> None:
    sealed = VAULT.seal(CONTENT, ROW)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123456789-_. ").filter(lambda mark: mark != sealed[at]))
    changed = sealed[:at] + other + sealed[at + 1 :]
    try:
        opened = VAULT.open(changed, ROW).reveal()
    except Unsealable:
        return
    # The last character of a part carries bits that are not used: the bytes are the same then.
    assert opened == CONTENT
    assert [_bytes(part) for part in changed.split(".")[2:]] == [_bytes(part) for part in sealed.split(".")[2:]]


def _bytes(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_")


@given(st.text(max_size=300))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Unsealable):
        VAULT.open(text, ROW)
    with pytest.raises(Unsealable):
        VAULT.rewrap(text, ROW)


def test_a_sealed_text_belongs_to_its_row() -> None:
    sealed = VAULT.seal(CONTENT, ROW)
    with pytest.raises(Unsealable, match="another row"):
        VAULT.open(sealed, "integrations/2/credential")
    with pytest.raises(Unsealable):
        VAULT.rewrap(sealed, "integrations/2/credential")


def test_parts_of_two_sealed_texts_do_not_mix() -> None:
    one, other = (VAULT.seal(content, ROW).split(".") for content in (CONTENT, "another"))
    with pytest.raises(Unsealable):
        VAULT.open(".".join((*one[:3], other[3])), ROW)


def test_the_content_shows_nowhere_and_never_the_same() -> None:
    sealed = [VAULT.seal(CONTENT, ROW) for _ in range(50)]
    assert len(set(sealed)) == 50
    assert len({text.split(".")[2] for text in sealed}) == 50
    for text in sealed:
        assert CONTENT not in text
        assert base64.urlsafe_b64encode(CONTENT.encode()).decode().rstrip("=") not in text


def test_another_master_key_opens_nothing_and_says_what_to_do() -> None:
    sealed = VAULT.seal(CONTENT, ROW)
    with pytest.raises(Unsealable, match="GATEKEY_MASTER_KEY"):
        Vault(new_key()).open(sealed, ROW)


def test_rotation_moves_to_the_first_key_and_leaves_the_content() -> None:
    old, new = new_key(), new_key()
    sealed = Vault(old).seal(CONTENT, ROW)
    both = Vault(new, old)
    assert both.open(sealed, ROW).reveal() == CONTENT
    assert not both.current(sealed)
    moved = both.rewrap(sealed, ROW)
    assert both.current(moved)
    assert moved.split(".")[3] == sealed.split(".")[3]
    assert Vault(new).open(moved, ROW).reveal() == CONTENT
    with pytest.raises(Unsealable):
        Vault(old).open(moved, ROW)


def test_a_rotation_reaches_a_vault_in_use() -> None:
    old, new = new_key(), new_key()
    file = [old]
    running = Vault(old, again=lambda: file)
    before = running.seal(CONTENT, ROW)
    file[:] = [new]
    assert running.open(Vault(new).seal(CONTENT, ROW), ROW).reveal() == CONTENT
    assert Vault(new).open(running.seal(CONTENT, ROW), ROW).reveal() == CONTENT
    assert running.open(before, ROW).reveal() == CONTENT  # what it has known it goes on knowing


def test_a_vault_in_use_seals_under_a_new_key_before_it_has_seen_it() -> None:
    old, new = new_key(), new_key()
    sealed = Vault(old, again=lambda: [new, old]).seal(CONTENT, ROW)
    assert Vault(new).open(sealed, ROW).reveal() == CONTENT


@pytest.mark.parametrize("found", [[], ["short"], None])
def test_keys_that_cannot_be_read_anew_change_nothing(found: list[str] | None) -> None:
    def again() -> list[str]:
        if found is None:
            raise FileNotFoundError
        return found

    key = new_key()
    assert Vault(key).open(Vault(key, again=again).seal(CONTENT, ROW), ROW).reveal() == CONTENT


def test_a_key_may_be_hex_base64url_or_a_long_passphrase() -> None:
    raw = secrets.token_bytes(32)
    sealed = Vault(raw.hex()).seal(CONTENT, ROW)
    assert Vault(base64.urlsafe_b64encode(raw).decode().rstrip("=")).open(sealed, ROW).reveal() == CONTENT
    assert Vault(base64.urlsafe_b64encode(raw).decode()).open(sealed, ROW).reveal() == CONTENT
    phrase = "a passphrase that nobody guesses, ever"
    assert Vault(phrase).open(Vault(phrase).seal(CONTENT, ROW), ROW).reveal() == CONTENT


@pytest.mark.parametrize("keys", [(), ("",), ("short",), ("x" * 31,), (new_key(), "short")])
def test_weak_master_keys_are_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        Vault(*keys)


def test_new_keys_differ_and_have_256_bits() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(_bytes(key)) for key in keys} == {32}
