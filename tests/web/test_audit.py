"""Every route that changes something leaves one entry in the audit, with who asked; a refused one none."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.audit import AuditFilter
from experience_runtime.domain.executions import Filter
from experience_runtime.releasing.releasing import Wanted, release
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.settings.stored import SETTINGS_KEY, new_key
from experience_runtime.web.pages.refusals import HtmlRoute
from fastapi import FastAPI

from .conftest import Token, bearing

RELEASES = "/v1/experiences/{name}/releases"
FILES = {"variation.js": "module.exports = () => {}"}
SENT = frozenset(
    {
        ("POST", "/v1/experiences/{name}/run"),
        ("POST", "/v1/simulate"),
        ("POST", "/v1/check"),
        ("POST", "/v1/explain"),
        ("POST", "/v1/preview"),
        ("POST", "/v1/integrations/{name}/call"),
        ("POST", "/v1/integrations/{name}/schedule"),
        ("POST", "/v1/integrations/{name}/cancel"),
        ("POST", "/v1/integrations/{name}/execute"),
        ("POST", "/v1/batch"),
        ("POST", "/v1/executions/search"),
        ("PUT", "/v1/visitors/{visitor_id}"),
        ("POST", "/v1/visitors/{visitor_id}/events"),
        ("POST", "/v1/visitors/{visitor_id}/convert"),
        ("POST", "/v1/visitors/{visitor_id}/identify"),
    }
)
"""What programs send, or what changes nothing: its executions and events are what is kept of it."""

SENT_BY_PAGES = frozenset({"/playground", "/settings/webhooks/{name}/test"})
SLACK = "https://hooks.slack.com/services/T0/B0/x"


class World:
    """A served runtime with something to change, and an operator and a viewer who try to."""

    def __init__(self, client: httpx.Client, runtime: Runtime, token: Token) -> None:
        self.client = client
        self.runtime = runtime
        self.operator = bearing(token(Scope.OPERATOR, name="ops"))
        self.viewer = bearing(token(Scope.VIEWER, name="looker"))

    def scheduled(self) -> str:
        """The id of an execution that waits."""
        made = self.runtime.scheduler.schedule("webhook", {"body": 1}, {"delay": "1 hour"}, visitor=None)
        return made.execution.id

    def failed(self) -> str:
        """The id of an execution that failed: nobody listens where the webhook points."""
        execution = self.runtime.scheduler.begin_execute(
            "webhook", {"body": 1}, key=None, visitor=None, experience=None
        )
        with pytest.raises(Exception, match=r"127\.0\.0\.1|refused|answered"):
            self.runtime.dispatcher.call_now(execution)
        return execution.id

    def schedule(self, name: str = "daily") -> str:
        self.runtime.recurring.set(name, "webhook", {"body": 1}, {"daily": "09:00", "timezone": "UTC"})
        return name

    def entries(self) -> list[tuple[str, str, str, str]]:
        found = self.runtime.store.audit.find(AuditFilter(), limit=1000)
        return [(each.actor, each.kind, each.action, each.object) for each in reversed(found)]


@pytest.fixture
def runtime(folder: Path) -> Iterator[Runtime]:
    """One whose settings of integrations may be typed."""
    typed = {"EXPERIENCE_SERVE_SETTINGS": "database", SETTINGS_KEY: new_key()}
    with Runtime(load_settings(config=folder / "experience.toml", environ=typed)) as made:
        yield made


@pytest.fixture
def world(client: httpx.Client, runtime: Runtime, token: Token) -> World:
    return World(client, runtime, token)


def changes_of(web: FastAPI) -> set[tuple[str, str]]:
    operations = {(method.upper(), path) for path, item in web.openapi()["paths"].items() for method in item}
    return {each for each in operations if each[0] not in ("GET", "HEAD")} - SENT


def pages_of(web: FastAPI) -> set[str]:
    return {
        route.path
        for route in web.state.routes
        if "POST" in (route.methods or ()) and isinstance(route, HtmlRoute)  # not of the wire
    }


def test_every_changing_operation_leaves_one_entry_and_a_refused_one_none(web: FastAPI, world: World) -> None:
    schedule = {"integration": "webhook", "payload": {"body": 1}, "daily": "09:00", "timezone": "UTC"}
    # path -> how it is asked, with what was prepared for it, and the entry that is expected
    cases: dict[tuple[str, str], Any] = {
        ("POST", "/v1/executions/{execution_id}/cancel"): lambda: (
            world.scheduled(),
            {"reason": "no"},
            "execution",
            "cancel",
        ),
        ("POST", "/v1/executions/{execution_id}/replay"): lambda: (world.failed(), {}, "execution", "replay"),
        ("POST", "/v1/executions/{execution_id}/restore"): lambda: (
            cancelled(world),
            {},
            "execution",
            "restore",
        ),
        ("POST", "/v1/executions/{execution_id}/move"): lambda: (
            world.scheduled(),
            {"delay": "2 days"},
            "execution",
            "move",
        ),
        ("POST", "/v1/executions/{execution_id}/run"): lambda: (world.scheduled(), {}, "execution", "move"),
        ("PUT", "/v1/schedules/{name}"): lambda: ("weekly", schedule, "schedule", "set"),
        ("POST", "/v1/schedules/{name}/restore"): lambda: (removed(world), None, "schedule", "restore"),
        ("POST", "/v1/schedules/{name}/pause"): lambda: (world.schedule("p"), None, "schedule", "pause"),
        ("POST", "/v1/schedules/{name}/resume"): lambda: (paused(world), None, "schedule", "resume"),
        ("POST", "/v1/schedules/{name}/run"): lambda: (world.schedule("now"), None, "schedule", "run"),
        ("DELETE", "/v1/schedules/{name}"): lambda: (world.schedule("gone"), None, "schedule", "remove"),
        ("POST", "/v1/integrations/{name}/pause"): lambda: ("webhook", {}, "integration", "pause"),
        ("POST", "/v1/integrations/{name}/resume"): lambda: ("webhook", None, "integration", "resume"),
        ("PATCH", "/v1/integrations/{name}/settings"): lambda: (
            "slack-update",
            {"settings": {"url": SLACK}},
            "integration",
            "settings",
        ),
        ("POST", "/v1/hold"): lambda: ("", {"reason": "look"}, "deliveries", "hold"),
        ("POST", "/v1/resume"): lambda: ("", None, "deliveries", "resume"),
        ("DELETE", "/v1/visitors/{visitor_id}"): lambda: ("v1", None, "visitor", "erase"),
        ("POST", RELEASES): lambda: ("a", {"files": FILES}, "experience", "release"),
        ("POST", RELEASES + "/{number}/activate"): lambda: (*released(world, "b"), "experience", "activate"),
        ("POST", RELEASES + "/rollback"): lambda: (*released(world, "c"), "experience", "rollback"),
        ("POST", RELEASES + "/deactivate"): lambda: (*released(world, "d"), "experience", "deactivate"),
    }
    prepared: dict[str, Callable[[], str]] = {
        "cancel": world.scheduled,
        "replay": world.failed,
        "restore": lambda: cancelled(world),
        "move": world.scheduled,
    }
    jobs = {("POST", f"/v1/bulk/{action}"): action for action in prepared}
    assert changes_of(web) == {*cases, *jobs}, "a route that changes something needs a line here, or in SENT"

    for (method, path), prepare in cases.items():
        object, body, kind, action = prepare()
        place = re.sub(r"\{\w+\}", object, path.replace("{number}", "1"))
        before = world.entries()

        refused = world.client.request(method, place, json=body, headers=world.viewer)
        nothing = world.entries()
        answer = world.client.request(method, place, json=body, headers=world.operator)

        assert refused.status_code == 403, path
        assert nothing == before, path
        assert answer.status_code == 200, answer.text
        named = "" if kind == "visitor" else object
        assert world.entries()[len(before) :] == [("ops", kind, action, named)], path
    (ended,) = world.runtime.store.find(Filter(reason="no")).executions
    for (method, path), action in jobs.items():
        for _ in range(2):
            prepared[action]()
        before = world.entries()

        begun = world.client.request(
            method,
            path,
            json={"everything": True} | ({"delay": "2 days"} if action == "move" else {}),
            headers=world.operator,
        )
        while (
            world.client.get(f"/v1/jobs/{begun.json()['id']}", headers=world.operator).json()["state"]
            == "running"
        ):
            pass

        assert [each[:3] for each in world.entries()[len(before) :]] == [("ops", "execution", action)], path
    newest = world.runtime.store.audit.find(AuditFilter(actor="ops"))
    assert {each.address for each in newest} == {"127.0.0.1"}
    shown = world.client.get(f"/v1/executions/{ended.id}", headers=world.operator).json()
    assert [each["actor"] for each in shown["history"]][:2] == [None, "ops"]


def released(world: World, name: str) -> tuple[str, dict[str, int]]:
    """An experience that was released twice, and what a change of it expects."""
    for _ in range(2):
        _, live = release(world.runtime, Wanted(experience=name, files=FILES, actor="maker"))
    return name, {"expected": live.version}


def cancelled(world: World) -> str:
    id = world.scheduled()
    world.runtime.scheduler.cancel_execution(id, reason=None)
    return id


def later(world: World) -> str:
    return f"{world.runtime.clock.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"


def removed(world: World) -> str:
    name = world.schedule("removed")
    world.runtime.recurring.remove(name)
    return name


def paused(world: World) -> str:
    name = world.schedule("paused")
    world.runtime.recurring.pause(name)
    return name


def test_every_form_of_the_pages_leaves_one_entry(web: FastAPI, world: World) -> None:
    def form(page: str) -> str:
        found = re.search(
            r'name="form_token" value="([^"]+)"', world.client.get(page, headers=world.operator).text
        )
        assert found is not None, page
        return found[1]

    tab = "/settings/integrations/webhook/schedule"
    saved = {
        "name": "weekly",
        "kind": "daily",
        "daily_time": "09:00",
        "timezone": "UTC",
        "payload": '{"body": 1}',
    }
    cases: dict[str, Any] = {
        "/executions/{execution_id}/cancel": lambda: ([world.scheduled()], {}, "execution", "cancel"),
        "/executions/{execution_id}/replay": lambda: ([world.failed()], {}, "execution", "replay"),
        "/executions/{execution_id}/restore": lambda: ([cancelled(world)], {}, "execution", "restore"),
        "/executions/{execution_id}/move": lambda: (
            [world.scheduled()],
            {"time": later(world)},
            "execution",
            "move",
        ),
        "/executions/{execution_id}/run": lambda: ([world.scheduled()], {}, "execution", "move"),
        "/settings/integrations/{name}/pause": lambda: (["webhook"], {}, "integration", "pause"),
        "/settings/integrations/{name}/resume": lambda: (["webhook"], {}, "integration", "resume"),
        "/settings/integrations/{name}/call": lambda: (
            ["slack-update"],
            {"payload": '{"message": "a test"}'},
            "integration",
            "call",
        ),
        "/visitors": lambda: ([], {"id": "v1"}, "visitor", "convert"),
        "/settings/integrations/{name}/settings": lambda: (
            ["slack-update"],
            {"version": "0", "set.url": SLACK},
            "integration",
            "settings",
        ),
        "/settings/integrations/{name}/schedule": lambda: (["webhook"], saved, "schedule", "set"),
        "/settings/integrations/{name}/schedule/{schedule_name}/{verb}": lambda: (
            ["webhook", world.schedule("gone"), "remove"],
            {},
            "schedule",
            "remove",
        ),
        "/hold": lambda: ([], {"reason": "look"}, "deliveries", "hold"),
        "/resume": lambda: ([], {}, "deliveries", "resume"),
        "/visitors/erase": lambda: ([], {"id": "v1", "sure": "v1"}, "visitor", "erase"),
        "/experiences/{name}/releases/ask/{act}": lambda: (
            ["e", "rollback"],
            {"version": released(world, "e")[1]["expected"]},
            "experience",
            "rollback",
        ),
        "/executions/selected/{verb}": lambda: (
            ["cancel"],
            {"id": world.scheduled()},
            "execution",
            "cancel",
        ),
        "/executions/bulk/{verb}": lambda: (
            ["cancel"] if world.scheduled() else [],
            {"counted": "99"},
            "execution",
            "cancel",
        ),
    }
    assert pages_of(web) - SENT_BY_PAGES == set(cases), "a form that changes something needs a line here"
    for path, prepare in cases.items():
        parts, fields, kind, action = prepare()
        place = path
        for part in parts:
            place = re.sub(r"\{\w+\}", part, place, count=1)
        before = world.entries()

        page = tab if "schedule" in path else "/settings/integrations/webhook"
        answer = world.client.post(place, data={**fields, "form_token": form(page)}, headers=world.operator)

        failed = path.endswith("/call")  # it is not configured, and was asked for all the same
        assert answer.status_code == (422 if failed else 303), (path, answer.text)
        if "jobs" in answer.headers.get("location", ""):
            job = answer.headers["location"].split("/")[-1].split("?")[0]
            while world.client.get(f"/v1/jobs/{job}", headers=world.operator).json()["state"] == "running":
                pass
        assert [each[:3] for each in world.entries()[len(before) :]] == [("ops", kind, action)], path


def test_two_forms_of_one_schedule_do_not_overwrite_each_other_in_silence(world: World) -> None:
    world.schedule()
    place = "/settings/integrations/webhook/schedule"

    def form() -> dict[str, str]:
        page = world.client.get(f"{place}?edit=daily", headers=world.operator).text
        read = dict(re.findall(r'name="(form_token|version|editing)" value="([^"]*)"', page))
        fields = {
            "name": "daily",
            "kind": "daily",
            "timezone": "UTC",
            "payload": '{"body": 1}',
            "act": "save",
        }
        return read | fields

    def save(fields: dict[str, str], at: str) -> httpx.Response:
        return world.client.post(place, data=fields | {"daily_time": at}, headers=world.operator)

    one, other = form(), form()
    assert save(one, "10:00").status_code == 303

    refused = save(other, "11:00")

    for odd in ("x", "-1", "9" * 5000):  # no version at all is no leave to overwrite
        assert save(other | {"version": odd}, "11:00").status_code == 422
    assert refused.status_code == 409
    assert "10:00" in refused.text.split("Not done.")[1]
    assert "11:00" in refused.text.split("Not done.")[1]
    assert world.runtime.recurring.get("daily").recurrence == '{"daily":"10:00"}'
    again = dict(re.findall(r'name="(form_token|version|editing)" value="([^"]*)"', refused.text))
    assert save(other | again, "11:00").status_code == 303  # who has seen both may mean it
    body = {"integration": "webhook", "payload": {"body": 1}, "daily": "12:00", "timezone": "UTC"}
    stale = world.client.put("/v1/schedules/daily", json=body | {"version": 1}, headers=world.operator)
    fresh = world.client.put("/v1/schedules/daily", json=body | {"version": 3}, headers=world.operator)
    assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
    assert (fresh.status_code, fresh.json()["schedule"]["version"]) == (200, 4)


def test_the_overview_asks_before_it_holds_and_says_that_nothing_is_delivered(world: World) -> None:
    def page() -> str:
        return world.client.get("/", headers=world.operator).text

    before = page()
    world.runtime.operations.hold_all(reason="<b>look</b>")
    held = page()

    assert "Hold everything?" in before
    assert "Nothing is delivered." in held
    assert "everything is held since" in held
    assert "<b>look" not in held
    assert "Let deliveries go on" in held
    assert "Hold everything?" not in held
    assert 'action="/resume"' not in world.client.get("/", headers=world.viewer).text
