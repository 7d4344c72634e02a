"""The migrations of both databases are numbered from 1, each number once."""

import re
from importlib import resources

import pytest


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_each_number_is_given_once_and_none_is_left_out(database: str) -> None:
    folder = resources.files(f"experience_runtime.store.{database}") / "migrations"

    names = [each.name for each in folder.iterdir() if each.name.endswith(".sql")]

    numbers = sorted(int(re.match(r"\d{4}", name)[0]) for name in names)  # type: ignore[index]
    assert numbers == list(range(1, len(names) + 1)), sorted(names)
