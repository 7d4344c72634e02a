"""Redaction: from which length on a string is a secret, and which parts of an address are one."""

import pytest
from experience_runtime.settings.redaction import SECRET_LENGTH, redacted, secret_texts


def shown(text: str, *settings: str, database: str = "sqlite:///experience.db") -> str:
    return redacted(text, frozenset(secret_texts(database, settings)))


def test_a_secret_has_six_characters_or_more() -> None:
    assert SECRET_LENGTH == 6
    assert shown("it is abc123.", "abc123") == "it is [redacted]."
    assert shown("it is abc12.", "abc12") == "it is abc12."


@pytest.mark.parametrize(
    "part",
    ["pa55wo", "/services/T0/B0", "aLongSegmentOfThePath", "token=t0ken42", "t0ken42"],
)
def test_each_part_of_an_address_that_is_a_secret_by_itself_is_hidden(part: str) -> None:
    address = "https://user:pa55wo@hooks.example/services/T0/B0"
    if part == "aLongSegmentOfThePath":
        address += f"/{part}"
    if "t0ken" in part:
        address += "?token=t0ken42"

    assert part not in shown(f"the server said: {part}!", address)


@pytest.mark.parametrize("password", ["pa55wo", "p%40ss-w0rd"])
def test_the_password_of_the_database_is_hidden(password: str) -> None:
    database = f"postgresql://someone:{password}@db.example/experience"

    assert password not in shown(f"cannot connect with {password}", database=database)
