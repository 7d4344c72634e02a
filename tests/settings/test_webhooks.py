"""Webhooks: what a table `[webhooks.NAME]` means, and what it may not hold."""

from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.state_changes import ENDS, STATE_CHANGES, Webhook
from experience_runtime.settings.load import load_settings
from experience_runtime.settings.webhooks import read_webhook


def test_a_table_says_whom_to_tell_of_what(tmp_path: Path) -> None:
    file = tmp_path / "experience.toml"
    file.write_text(
        '[webhooks.crm]\nurl = "https://crm.example/hook"\non = ["execution.failed", "execution.started"]\n'
        '[webhooks.all]\nurl = "env:ALL"\nintegrations = ["sms"]\n'
    )

    settings = load_settings(config=file, environ={"EXPERIENCE_WEBHOOKS__CRM__SECRET": "s3cr3t-of-crm"})

    assert settings.webhooks == (
        Webhook(name="crm", on=("execution.started", "execution.failed")),
        Webhook(name="all", on=ENDS, integrations=("sms",)),
    )
    assert settings.integration(STATE_CHANGES) == {
        "webhooks": {"crm": {"url": "https://crm.example/hook", "secret": "s3cr3t-of-crm"}, "all": {}}
    }
    assert list(settings.missing_of(STATE_CHANGES)) == ["webhooks.all.url"]
    assert settings.redact("it said s3cr3t-of-crm") == "it said [redacted]"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"urls": "x"}, '"urls" is not a setting; did you mean "url"?'),
        ({"on": ["execution.fail"]}, 'did you mean "execution.failed"?'),
        ({"on": []}, "on is empty"),
        ({"on": "execution.failed"}, "must be a list of texts"),
        ({"integrations": [1]}, "integrations = [1] must be a list of texts"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        read_webhook("crm", table, where="experience.toml: webhooks.crm")

    assert told in refusal.value.message


def test_the_table_of_the_integration_itself_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "experience.toml"
    file.write_text("[integrations.State_Changes]\n")

    with pytest.raises(InvalidParameter, match=r"write \[webhooks.NAME\]"):
        load_settings(config=file, environ={})
