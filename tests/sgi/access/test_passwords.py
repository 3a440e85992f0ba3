import re

import pytest

from sgi.access import passwords


def test_the_hash_is_argon2id_with_a_salt_of_its_own() -> None:
    one, other = (passwords.hash_password("secret") for _ in range(2))
    assert one != other
    found = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$[\w+/]{22}\$[\w+/]{43}", one)
    assert found
    memory_kib, passes = map(int, found.groups())
    assert memory_kib >= 19_456, "OWASP's least"
    assert passes >= 2
    assert passwords.matches(one, "secret")
    assert passwords.matches(other, "secret")


@pytest.mark.parametrize("kept", ["", "secret", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$YQ$YQ"])
def test_what_is_no_hash_matches_nothing(kept: str) -> None:
    assert not passwords.matches(kept, "secret")


@pytest.mark.parametrize("password", ["Secret", "secret ", "", "secre\0t"])
def test_another_password_does_not_match(password: str) -> None:
    assert not passwords.matches(passwords.hash_password("secret"), password)
