"""The example payload that an integration brings, for people who try it."""

import json
from pathlib import Path

import pytest
from experience_runtime.domain.errors import UnknownIntegration

from .test_registry import PLAIN, in_folder, registry


@pytest.mark.parametrize("name", sorted(registry().names()))
def test_the_example_of_what_comes_with_the_runtime_is_a_payload_it_takes(name: str) -> None:
    found = registry()

    found.parse_payload(name, json.loads(found.example(name)))

    assert found.example(name) != "{}"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{"to": "ada", "lines": [1]}', {"to": "ada", "lines": [1]}),
        ("None", {}),
        ("object()", {}),
        ("float('nan')", {}),
        ("property(lambda self: 1 / 0)", {}),
    ],
)
def test_an_example_that_is_no_json_is_none(tmp_path: Path, written: str, shown: object) -> None:
    text = PLAIN.replace("    payload = Payload\n", f"    payload = Payload\n    example = {written}\n")

    assert json.loads(registry(in_folder(tmp_path, plain=text)).example("plain")) == shown


def test_an_example_of_an_integration_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownIntegration):
        registry().example("plian")
