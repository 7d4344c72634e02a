"""Values with the secrets taken out: in one go, and as if each text in it had been alone."""

import json
from typing import Any

from experience_runtime.documents.documents import redacted_value
from experience_runtime.settings.redaction import redacted
from hypothesis import given
from hypothesis import strategies as st

SECRETS = frozenset({"s3cret-word", "123456", "two\nlines-of-it"})
TEXTS = st.sampled_from(
    [
        "plain",
        "has s3cret-word inside",
        "s3cret-",
        "word",
        "two\nlines-of-it",
        "two",
        "lines-of-it",
        "https://a.example/x?q=1",
        "https://a.example/x?",
        "https://a.exa",
        "\n\x1e\n",
        "",
        "end\\",
    ]
)
LEAVES = st.none() | st.booleans() | st.sampled_from([0, 1, 123456, 12345678, -1.5]) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12)


def redact(text: str) -> str:
    return redacted(text, SECRETS)


def one_by_one(value: Any) -> Any:
    match value:
        case dict():
            return {redact(name): one_by_one(inner) for name, inner in value.items()}
        case list():
            return [one_by_one(inner) for inner in value]
        case None | bool():
            return value
    return value if redact(str(value)) == str(value) else redact(str(value))


@given(VALUES)
def test_each_text_is_redacted_as_if_it_were_alone(value: Any) -> None:
    assert redacted_value(json.dumps(value), redact) == one_by_one(value)


def test_a_payload_of_many_texts_is_looked_through_once() -> None:
    asked = []

    def counting(text: str) -> str:
        asked.append(len(text))
        return redact(text)

    payload = {"lines": [{"n": n, "text": f"line {n}"} for n in range(5_000)]}

    assert redacted_value(json.dumps(payload), counting) == payload
    assert len(asked) == 1


def test_a_number_is_redacted_as_it_is_told_however_it_is_written() -> None:
    secrets = frozenset({"100000.0"})

    assert redacted_value("[1E5, 1E2]", lambda text: redacted(text, secrets)) == ["[redacted]", 100.0]
