"""The API's main paths over recurring schedules, integrations and visitors."""

import re
from datetime import datetime
from typing import Any

import httpx
from experience_runtime.domain.executions import execution_number
from experience_runtime.runtime import Runtime
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.web.simulations import Simulations
from fastapi import FastAPI

from tests.support.executions import FAILED, claim, settle, start

from .api_client import done, refused, run

# --- schedules

DIGEST = {
    "integration": "webhook",
    "payload": {"body": "Good morning"},
    "daily": "09:00",
    "timezone": "Europe/Paris",
    "skip": ["2026-12-25"],
}


def test_a_schedule_is_saved_shown_paused_run_and_removed(client: httpx.Client) -> None:
    tried = done(client.put("/v1/schedules/digest", json=DIGEST | {"dry_run": True}))
    saved = done(client.put("/v1/schedules/digest", json=DIGEST))
    paused = done(client.post("/v1/schedules/digest/pause"))
    resumed = done(client.post("/v1/schedules/digest/resume"))
    ran = done(client.post("/v1/schedules/digest/run"))

    assert (tried["saved"], saved["saved"], saved["is_new"]) == (False, True, True)
    assert [datetime.fromisoformat(each["local"]).hour for each in saved["next"]] == [9] * 5
    assert (paused["next_at"], paused["next"]) == (None, [])
    assert len(resumed["next"]) == 5
    assert ran["integration"] == "webhook"
    assert refused(client.post("/v1/schedules/digest/run"), 409) == "conflict"
    listed = done(client.get("/v1/schedules"))["schedules"]
    assert [each["name"] for each in listed] == ["digest"]
    assert done(client.delete("/v1/schedules/digest")) == {"removed": "digest"}
    assert refused(client.get("/v1/schedules/digest"), 404) == "unknown_schedule"
    assert refused(client.put("/v1/schedules/digest", json=DIGEST | {"cron": "* * * * *"}), 422)
    assert refused(client.put("/v1/schedules/d", json=DIGEST | {"integration": "x"}), 404)


def test_a_schedule_is_previewed(client: httpx.Client) -> None:
    preview = done(client.post("/v1/preview", json={"cron": "0 9 * * 1-5", "timezone": "UTC"}))

    assert (preview["timezone"], len(preview["next"])) == ("UTC", 5)


# --- integrations


def test_an_integrations_settings_are_set_or_not_set_and_nothing_more(client: httpx.Client) -> None:
    shown = done(client.get("/v1/integrations/webhook"))

    url = next(each for each in shown["settings"] if each["name"] == "url")
    assert url == {
        "name": "url",
        "required": True,
        "is_set": True,
        "missing_variable": None,
        "missing_file": None,
        "known": True,
    }
    assert shown["site"]
    assert "127.0.0.1:9" not in str(shown)
    assert refused(client.get("/v1/integrations/webhok"), 404) == "unknown_integration"


def test_an_integration_is_paused_and_resumed(client: httpx.Client) -> None:
    run(client)

    paused = done(client.post("/v1/integrations/webhook/pause", json={"reason": "moving"}))

    assert (paused["reason"], paused["pending"]) == ("moving", 1)
    listed = done(client.get("/v1/integrations"))["integrations"]
    assert "moving" in next(each["held"] for each in listed if each["name"] == "webhook")
    assert refused(client.post("/v1/integrations/webhook/pause"), 409) == "conflict"
    assert done(client.post("/v1/integrations/webhook/resume"))["paused_at"] is None


# --- visitors


def test_a_visitors_zone_is_kept_and_used(client: httpx.Client) -> None:
    put = done(client.put("/v1/visitors/v9", json={"timezone_offset": -60}))

    assert put == {"id": "v9", "timezone": None, "timezone_offset": -60}
    ran = done(client.post("/v1/experiences/reminder/run", json={"visitor": "v9"}))
    assert ran["executions"][0]["zone"] == "UTC+01:00"
    assert refused(client.put("/v1/visitors/v9", json={}), 422) == "missing_parameter"
    known = {"timezone": "Europe/Paris", "timezone_offset": -60}
    assert done(client.put("/v1/visitors/v9", json=known))["timezone"] == "Europe/Paris"
    unknown = {"timezone": "Mars/Olympus", "timezone_offset": -60}  # a browser newer than this machine
    assert done(client.put("/v1/visitors/v9", json=unknown))["timezone_offset"] == -60


def test_a_conversion_of_another_id_of_the_person_cancels_and_one_that_was_earlier_does_not(
    client: httpx.Client,
) -> None:
    run(client)
    one = done(client.post("/v1/visitors/v1/identify", json={"person": "customer-5512"}))

    earlier = done(client.post("/v1/visitors/customer-5512/convert", json={"age": 86_400_000}))
    now = done(client.post("/v1/visitors/customer-5512/convert"))

    assert one == {"visitor": "v1", "ids": ["customer-5512", "v1"]}
    assert (earlier["cancelled"], now["cancelled"]) == (0, 1)
    assert done(client.get("/v1/visitors/customer-5512"))["ids"] == ["customer-5512", "v1"]
    assert refused(client.post("/v1/visitors/v1/identify", json={"person": ""}), 422) == "invalid_parameter"


def test_an_event_that_is_a_conversion_cancels_what_waits_for_one(client: httpx.Client) -> None:
    run(client)
    path = "/v1/visitors/v1/events"

    view = done(client.post(path, json={"type": "ecView", "data": {"a": 1}, "timezone": "Asia/Tokyo"}))
    bought = done(client.post(path, json={"type": "shop.ecBasketTransactionSummary"}))

    assert (view["conversion"], view["cancelled"]) == (False, 0)
    assert (bought["conversion"], bought["cancelled"]) == (True, 1)
    visitor = done(client.get("/v1/visitors/v1"))
    assert [each["type"] for each in visitor["events"]] == ["shop.ecBasketTransactionSummary", "ecView"]
    assert visitor["events"][1]["data"] == {"a": 1}
    assert [each["event"] for each in visitor["conversions"]] == ["shop.ecBasketTransactionSummary"]
    assert all(each["at"] == each["received_at"] for each in visitor["events"] + visitor["conversions"])
    assert visitor["timezone"] == "Asia/Tokyo"
    assert refused(client.get("/v1/visitors/nobody"), 404) == "unknown_visitor"
    large = {"type": "ecView", "data": "x" * 16_385}
    assert refused(client.post(path, json=large), 413) == "payload_too_large"


def test_a_conversion_is_recorded(client: httpx.Client) -> None:
    id = run(client)["executions"][0]["id"]

    assert done(client.post("/v1/visitors/v1/convert")) == {"visitor": "v1", "cancelled": 1, "ids": [id]}
    assert refused(client.post("/v1/visitors/v1/convert", json={"event": "x"}), 422) == "invalid_parameter"


def test_an_execution_is_replayed_with_another_payload_that_its_integration_takes(
    client: httpx.Client, runtime: Runtime
) -> None:
    body = {"payload": {"message": "Helo"}, "options": {"delay": "1 hour"}, "visitor": "v1"}
    waits, id = (done(client.post("/v1/integrations/slack-update/schedule", json=body))["id"] for _ in "ab")
    number = execution_number(id)
    runtime.operations.run_now(id)
    (claimed,) = claim(runtime.store, now=runtime.clock.now())
    start(runtime.store, claimed, now=runtime.clock.now())
    settle(runtime.store, number, claimed.attempt, FAILED, now=runtime.clock.now())
    path = f"/v1/executions/{id}/replay"

    early = client.post(f"/v1/executions/{waits}/replay", json={"payload": {"message": "Hello"}})
    wrong = client.post(path, json={"payload": {"mesage": "Hello"}})
    replayed = done(client.post(path, json={"payload": {"message": "Hello"}, "reason": "a slip"}))

    assert (refused(early, 409), refused(wrong, 422)) == ("conflict", "invalid_payload")
    assert "mesage" in wrong.text
    assert (replayed["status"], replayed["payload"]) == ("pending", {"message": "Hello"})
    last = replayed["history"][-1]
    assert (last["reason"], last["payload_changed"], last["payload_before"]) == (
        "a slip",
        True,
        {"message": "Helo"},
    )
    entry = done(client.get(f"/v1/audit?object={id}"))["entries"][0]
    assert (entry["action"], entry["after"]["payload_changed"]) == ("replay", True)


# --- the playground


class Counted(Simulations):
    """Simulations, counted."""

    count = 0

    def play(self, *asked: Any, **options: Any) -> Simulated:
        self.count += 1
        return super().play(*asked, **options)


def test_a_press_of_run_it_plays_once_and_its_address_plays_anew(
    client: httpx.Client, web: FastAPI, runtime: Runtime
) -> None:
    played = web.state.simulations = Counted(runtime)
    form = dict(
        re.findall(r'name="(form_token|steps|moment)" value="([^"]*)"', client.get("/playground").text)
    )
    sent = client.post("/playground", data=form | {"source": "module.exports = () => 1", "act": "run"})

    pages = [client.get(sent.headers["location"]).text for _ in range(2)]

    assert (['id="result"' in page for page in pages], played.count) == ([True, True], 2)
