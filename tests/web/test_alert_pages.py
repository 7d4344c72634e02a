"""Where an alarm leads to: a page that is there."""

import httpx
import pytest
from experience_runtime.domain.alerts import KINDS, Kind
from experience_runtime.engine.alerting import page_of

SUBJECTS = {"run_failed": "reminder", "schedule_skipped": "digest"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_address_of_an_alarm_is_a_page(client: httpx.Client, kind: Kind) -> None:
    answer = client.get(page_of(kind, SUBJECTS.get(kind, "webhook")), headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
