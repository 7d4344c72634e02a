"""Metrics: what is counted, under the names and labels of the reference, and never by an address."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from experience_runtime import measured
from experience_runtime.domain.executions import IfExists
from experience_runtime.domain.schedules import Outcome, ScheduleRun
from experience_runtime.runtime import Runtime
from experience_runtime.web.metrics import Metrics
from experience_runtime.web.server import make_web
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.metrics import reference
from tests.store.test_contract_schedules import a_schedule, firing
from tests.support.executions import an_execution, running
from tests.support.serving import serving

from .gateway_client import encoded

MINUTE = timedelta(minutes=1)


@pytest.fixture
def metrics(runtime: Runtime) -> Iterator[Metrics]:
    before, made = measured.hearer(), Metrics()
    runtime._attempted = made.attempted
    measured.hear(made)
    yield made
    measured.hear(before)


def test_everything_is_counted_under_the_names_and_labels_of_the_reference(
    runtime: Runtime, metrics: Metrics
) -> None:
    drafts = runtime.settings.served.drafts
    assert drafts is not None
    (drafts / "spins.js").write_text("module.exports = () => { for (;;); }")
    runtime.for_serving()
    now = runtime.clock.now()
    running(runtime.store, an_execution())
    runtime.store.add(replace(an_execution(2), due_at=now - MINUTE), IfExists.REPLACE)
    due = a_schedule(next_at=now - MINUTE)
    runtime.store.schedules.put(due, replacing=None)
    skipped = ScheduleRun(at=now, outcome=Outcome.SKIPPED, recorded_at=now)
    runtime.store.schedules.fire([firing(due, execution=None, record=skipped, look_at=now - MINUTE)], now=now)
    seen, wrong = ({"key": letter * 20, "type": what} for letter, what in (("k", "seen"), ("l", 5)))
    call = {"data": {"body": 1}, "meta": {"visitorId": "secretvisitor"}}
    web = make_web(runtime, is_open=True, metrics=metrics)
    with serving(web) as address, httpx.Client(base_url=address, trust_env=False, timeout=120) as client:
        client.post("/v1/experiences/spins/run", json={"visitor": "v1"})
        client.post("/visitors/events", json={"visitor": "v1", "items": [seen, wrong]})
        client.post(f"/integrations/{encoded('webhook')}", json=call)
        client.post("/integrations/conversion", json={})
        client.post("/integrations/conversion", json={}, headers={"Idempotency-Key": "a b"})
        client.post("/csml/apps", json={})
        client.post("/v1/visitors/v1/convert", json={})
        client.post("/v1/visitors/v1/identify", json={"person": "p1"})
        client.get("/v1/executions/secretexecution")
        client.get("/secretpath")
        client.get("/executions/secretexecution", headers={"accept": "text/html"})
        text = client.get("/metrics").text
    found = {
        (each.name, frozenset(each.labels.items())): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    for kind in ("event", "conversion", "identification"):
        assert value("experience_events_total", kind=kind) == 1
    for code, count in (("missing_parameter", 2), ("invalid_parameter", 3), ("unknown_execution", 2)):
        assert value("experience_refusals_total", code=code) == count
    assert value("experience_attempt_seconds_count", integration="webhook", outcome="failed") == 1
    assert value("experience_commit_seconds_count") > 5
    assert value("experience_failed_runs_total", experience="spins", code="limit_cpu") == 1
    assert value("experience_schedule_instants_total", outcome="skipped") == 1
    assert value("experience_schedule_lag_seconds") >= 60
    assert value("experience_oldest_running_seconds", integration="slack-update") > 60
    assert value("experience_lag_seconds", integration="slack-update", held="no_worker") >= 60
    assert value("experience_http_request_seconds_count", method="GET", route="none") == 1
    assert value("experience_database_bytes") > 4096
    assert value("experience_sandbox_processes", state="busy") == 0
    assert value("experience_sandbox_processes", state="idle") >= 1
    assert "secret" not in text
    labelled = {name: {label for label, _ in labels} - {"le"} for name, labels in found}
    for name, labels in labelled.items():
        base = name if name in reference() else name.rpartition("_")[0]  # of a histogram
        assert labels == reference()[base], name
    families = {family.name for family in text_string_to_metric_families(text)}
    assert families == {name.removesuffix("_total") for name in reference()}
