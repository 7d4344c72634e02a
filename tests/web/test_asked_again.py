"""A request whose first try was interrupted, asked again later: what was made is told, whatever holds now."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from experience_runtime.domain.clients import read_client
from experience_runtime.domain.errors import Conflict, ExperienceError
from experience_runtime.domain.executions import Execution, Filter, Status
from experience_runtime.domain.instants import iso
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.app_events import answer_app
from experience_runtime.engine.claims import Claim, in_hand
from experience_runtime.releasing.releasing import Act, Wanted, change, release
from experience_runtime.running.guest import Marshalled, Request
from experience_runtime.running.guest_calls import GuestCalls
from experience_runtime.runtime import Runtime
from fastapi import FastAPI

from .gateway_client import encoded

PAYLOAD = {"body": 1}
NOBODY = Visitor(id=None)
HOUR = timedelta(hours=1)


def scheduled(runtime: Runtime) -> str:
    made = runtime.scheduler.schedule("webhook", PAYLOAD, {"delay": "1 hour"}, visitor=NOBODY)
    return made.execution.id


def begun_execute(runtime: Runtime, *, key: str | None) -> Execution:
    return runtime.scheduler.begin_execute("webhook", PAYLOAD, key=key, visitor=NOBODY, experience=None)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request under a key of its own; its first try was asked an hour ago, and its process has ended."""

    runtime: Runtime
    path: str
    body: Any
    method: str = "POST"

    @property
    def key(self) -> str:
        return self.path.replace("/", "-")

    def claim(self, at: datetime) -> Claim:
        asked = f"{self.method}\0{self.path}\0\0{json.dumps(self.body)}".encode()
        digest = hashlib.sha256(asked).digest()
        claim = self.runtime.store.replies.claim(caller="", key=self.key, request=digest, now=at)
        assert isinstance(claim, Claim)
        return claim

    def interrupted(self, act: Callable[[], Any]) -> Any:
        """What the first try made."""
        claim = self.claim(self.runtime.clock.now() - HOUR)
        with in_hand(claim):
            made = act()
        self.runtime.store.replies.release(claim)
        return made

    def send(self, client: httpx.Client) -> httpx.Response:
        """The same again, now."""
        headers = {"Idempotency-Key": self.key, "Content-Type": "application/json"}
        return client.request(self.method, self.path, content=json.dumps(self.body), headers=headers)


def test_an_instant_that_has_passed_meanwhile_is_no_refusal_of_what_was_made(
    client: httpx.Client, runtime: Runtime
) -> None:
    time = iso(runtime.clock.now() - HOUR / 2)
    moved = scheduled(runtime)
    cases: list[tuple[str, Any, Callable[[], Any]]] = [
        (
            "/v1/integrations/webhook/schedule",
            {"payload": PAYLOAD, "options": {"time": time}},
            lambda: scheduled(runtime),
        ),
        (
            f"/integrations/defer/{encoded('webhook')}",
            {"data": PAYLOAD, "time": time},
            lambda: scheduled(runtime),
        ),
        (
            f"/v1/executions/{moved}/move",
            {"time": time},
            lambda: runtime.operations.move(moved, {"delay": "2 hours"}).id,
        ),
    ]
    for path, body, act in cases:
        asked = Asked(runtime=runtime, path=path, body=body)
        made = asked.interrupted(act)
        before = runtime.store.count(Filter())

        answer = asked.send(client).json()

        assert answer.get("data", answer).get("id") == made, answer
        assert runtime.store.count(Filter()) == before
        fresh = client.post(path, json=body).json()
        assert fresh.get("error", fresh)["code"] == "in_the_past"


def test_an_execute_that_was_made_is_told_while_its_integration_is_paused(
    client: httpx.Client, runtime: Runtime
) -> None:
    made = Asked(runtime=runtime, path="/v1/integrations/webhook/execute", body={"payload": PAYLOAD})
    begun = made.interrupted(lambda: begun_execute(runtime, key=None))
    runtime.operations.pause("webhook")

    told = made.send(client)

    assert begun.id in told.json()["detail"], told.text
    runtime.store.give_back(now=runtime.clock.now() + 2 * HOUR)
    assert made.send(client).json()["code"] == "integration_failed"


def test_only_the_key_of_an_execute_was_taken_so_it_is_begun_now_and_may_be_refused(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"payload": PAYLOAD, "options": {"key": "order 17"}}
    asked = Asked(runtime=runtime, path="/v1/integrations/webhook/execute", body=body)
    now = runtime.clock.now()

    def take() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(type(runtime.store), "add", _ends)
            with pytest.raises(KeyboardInterrupt):
                begun_execute(runtime, key="order 17")

    asked.interrupted(take)
    claim = asked.claim(now)
    runtime.operations.pause("webhook")
    with in_hand(claim), pytest.raises(Conflict, match="paused"):
        begun_execute(runtime, key="order 17")
    runtime.operations.resume("webhook")
    runtime.store.replies.release(claim)

    with in_hand(claim := asked.claim(now)):
        execution = begun_execute(runtime, key="order 17")

    assert (execution.status, execution.created_at >= now) == (Status.RUNNING, True)
    assert execution.lease_until is not None
    assert execution.lease_until > runtime.clock.now()
    runtime.store.replies.release(claim)


def _ends(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_schedule_that_was_saved_is_not_taken_for_somebody_elses(
    client: httpx.Client, runtime: Runtime
) -> None:
    runtime.recurring.set("digest", "webhook", PAYLOAD, {"daily": "08:00", "timezone": "UTC"})
    body = {"integration": "webhook", "payload": PAYLOAD, "daily": "09:00", "timezone": "UTC", "version": 1}
    asked = Asked(runtime=runtime, method="PUT", path="/v1/schedules/digest", body=body)
    asked.interrupted(
        lambda: runtime.recurring.set(
            "digest", "webhook", PAYLOAD, {"daily": "09:00", "timezone": "UTC"}, expected=1
        )
    )

    answer = asked.send(client)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["is_new"], answer.json()["schedule"]["version"]) == (False, 2)
    assert runtime.recurring.get("digest").version == 2


def test_a_job_that_was_begun_is_not_begun_again(
    web: FastAPI, client: httpx.Client, runtime: Runtime
) -> None:
    scheduled(runtime)
    asked = Asked(runtime=runtime, path="/v1/bulk/replay", body={"everything": True})
    begun = asked.interrupted(
        lambda: web.state.jobs.begin("replay", Filter(statuses=(Status.FAILED,)), matching=7, reason=None)
    )

    answer = asked.send(client)

    assert (answer.status_code, answer.json()["id"], answer.json()["matching"]) == (202, begun.id, 7)


def test_a_release_that_was_made_is_not_made_again_nor_taken_for_somebody_elses(
    client: httpx.Client, runtime: Runtime
) -> None:
    place, files = "/v1/experiences/shop/releases", {"variation.js": "module.exports = () => {}"}
    new = Asked(runtime=runtime, path=place, body={"files": files, "expected": 0})
    made, live = new.interrupted(
        lambda: release(runtime, Wanted(experience="shop", files=files, actor="ops", expected=0))
    )
    gone = Asked(runtime=runtime, path=f"{place}/deactivate", body={"expected": live.version})
    change_made = gone.interrupted(
        lambda: change(runtime, "shop", Act.DEACTIVATE, actor="ops", expected=live.version)
    )

    answer, answer_of_change = new.send(client), gone.send(client)

    assert (answer.status_code, answer.json()["number"]) == (200, made.number), answer.text
    assert answer.json()["live"]["version"] == live.version
    assert (answer_of_change.status_code, answer_of_change.json()["version"]) == (200, change_made.version)
    assert len(runtime.store.releases.releases("shop")) == 1
    assert len(runtime.store.releases.changes("shop")) == 2


def test_an_event_that_was_made_is_told_by_the_name_that_it_got(
    client: httpx.Client, runtime: Runtime
) -> None:
    data = {"action": "webhook", "delay": "5 min", "url": "https://example.com/hook"}
    told = {"bot_id": "bot", "channel_id": "messenger", "user_id": "anna"}
    sent = {"function_id": "utils/scheduler", "data": data, "client": told}
    asked = Asked(runtime=runtime, path="/csml/apps", body=sent)
    made = asked.interrupted(
        lambda: answer_app(runtime.scheduler, "utils/scheduler", data, client=read_client(told))
    )

    answer = asked.send(client).json()["data"]

    assert made["success"], made
    assert answer["result"]["schedule_id"] == made["result"]["schedule_id"]


def test_of_a_turn_what_was_not_made_yet_is_planned_now(runtime: Runtime) -> None:
    asked = Asked(runtime=runtime, path="/v1/experiences/reminder/run", body={})
    made = asked.interrupted(lambda: scheduled(runtime))
    calls = GuestCalls(scheduler=runtime.scheduler, visitor=NOBODY, experience=None, linked=("webhook",))
    request = Request(
        id=1,
        verb="schedule",
        integration="webhook",
        payload=Marshalled(text=json.dumps(PAYLOAD)),
        options=Marshalled(text='{"delay": "1 hour"}'),
        defaults=Marshalled(),
    )
    now = runtime.clock.now()

    with in_hand(asked.claim(now)):
        first, second = calls.answer_together([request, request], lambda _: lambda *_: None)

    assert not isinstance(first, ExperienceError)
    assert not isinstance(second, ExperienceError)
    assert first[1] is not None
    assert second[1] is not None
    assert first[1].id == made
    assert (second[1].created_at >= now, second[1].due_at >= now + HOUR) == (True, True)
