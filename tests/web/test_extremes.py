"""Never 500: every route, and every field of each, with the edges of calendars, numbers, encodings and types.

Each field meets every fifth of the edges, another fifth than its neighbour; EXTREMES=1 tries them all.
"""

import copy
import json
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from experience_runtime.domain.access import Scope
from fastapi import FastAPI

from .conftest import Token, bearing
from .gateway_client import encoded

STRIDE = int(os.environ.get("EXTREMES", "5"))

EDGES: list[Any] = [
    "9999-12-31",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59",
    "2026-02-30",
    253_402_300_799_999,
    -62_135_596_800_001,
    "9" * 4_200,
    10**4_200,
    -(10**400),
    2**63,
    2**31 + 1,
    -1,
    -0.0,
    0.1,
    1e308,
    "1e400",
    "nan",
    "365000000 years",
    "\ud800",
    "\udfff\ud800",
    "\0",
    "\uffff",
    "\u0660\u0661",  # digits, and not ASCII
    "\u00b2",  # a digit to isdigit(), and no number to int()
    "\u0130",  # two characters in small letters
    "%",
    "%zz",
    "a" * 20_000,
    "",
    " ",
    "\r\n",
    None,
    True,
    [],
    {},
    [None],
    {"": {"": []}},
    [[[[[[]]]]]],
]

WINDOW = {"day": "monday-friday", "time": "09:00-17:00", "timezone": "UTC"}
BROWSER = {"visitor": "v1", "timezone": "Europe/Paris", "timezone_offset": -60}
STORY = {
    "at": "2026-03-06T09:00:00Z",
    "for": "2d",
    "visitors": [{"id": "ada", "timezone": "UTC", "state": {}}],
    "steps": [{"after": "1 hour", "visitor": "ada", "do": "emit", "type": "ecView", "data": {}}],
    "answers": {"webhook": [{"status": 200, "body": {}, "retry_after": 1}]},
    "expect": [{"visitor": "ada", "integration": "webhook", "status": "succeeded", "due_at": "2026-03-06"}],
}
CSML = {
    "function_id": "utils/scheduler",
    "client": {"bot_id": "b", "channel_id": "messenger", "user_id": "u"},
    "data": {"action": "webhook", "url": "https://a.example", "schedule_id": "s", "body": {}},
}
CALL = {"data": {"body": 1}, "key": {"k": 1}, "meta": {"visitorId": "v", "experience": {"experienceId": 7}}}
FILTER = {
    "status": ["pending"],
    "integration": "webhook",
    "since": "2026-01-01",
    "until": "2026-01-02",
    "due_since": "2026-01-01",
    "due_until": "2026-01-02",
    "finished_since": "2026-01-01",
    "failed_until": "2026-01-02",
    "text": "v",
    "payload": "v",
    "zone": "Europe/Paris",
}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/experiences/none/run", {"visitor": "v1", "timezone": "UTC", "timezone_offset": 60}),
    ("POST", "/v1/experiences/none/run", {"data": {}, "browser": {"url": "x"}, "variation": "1"}),
    ("POST", "/v1/explain", {"delay": "1 day", "window": WINDOW, "timezone": "UTC", "at": "2026-01-01"}),
    ("POST", "/v1/explain", {"time": "2026-01-02", "timezone_offset": 60, "at": "2026-01-01"}),
    ("POST", "/v1/explain", {"delay": "30 days", "window": WINDOW | {"time": "23:59-00:00"}}),
    ("POST", "/v1/simulate", {"experience": "none", "at": "2026-01-01", "for": "1d", "timezone_offset": 60}),
    ("POST", "/v1/simulate", {"experience": "none", "story": STORY}),
    ("POST", "/v1/check", {"files": {"variation.js": "0"}, "variation": "1"}),
    ("POST", "/v1/bulk/cancel", {"filter": FILTER, "dry_run": True, "reason": "x"}),
    ("POST", "/v1/bulk/replay", {"filter": FILTER, "dry_run": True}),
    ("POST", "/v1/executions/ex_0000000000001/cancel", {"reason": "x"}),
    ("PUT", "/v1/schedules/digest", {"integration": "webhook", "daily": "09:00", "timezone": "UTC"}),
    ("PUT", "/v1/schedules/weekly", {"integration": "webhook", "weekly": "monday 09:00", "window": WINDOW}),
    ("PUT", "/v1/schedules/cron", {"integration": "webhook", "cron": "0 9 * * *", "skip": ["2026-12-25"]}),
    ("POST", "/v1/preview", {"every": "15 minutes", "starting": "2026-01-01", "timezone": "UTC"}),
    ("POST", "/v1/preview", {"cron": "0 9 29 2 *", "timezone": "UTC", "window": WINDOW}),
    ("POST", "/v1/integrations/none/call", {"payload": {"body": 1}, "timeout_ms": 1000}),
    ("POST", "/v1/integrations/none/pause", {"reason": "x"}),
    ("PUT", "/v1/visitors/v1", {"timezone": "UTC", "timezone_offset": 60}),
    ("POST", "/v1/visitors/v1/events", {"type": "ecView", "data": {}, "age": 5, "timezone_offset": 60}),
    ("POST", "/v1/visitors/v1/convert", {"event": "x", "age": 5}),
    ("POST", "/v1/visitors/v1/identify", {"person": "p"}),
    ("POST", f"/integrations/defer/{encoded('webhook')}", CALL | {"delay": "1 day", "window": WINDOW}),
    ("POST", f"/integrations/defer/{encoded('webhook')}", CALL | {"time": "2026-01-01", "ifExists": "keep"}),
    ("POST", f"/integrations/cancel/{encoded('webhook')}", CALL | {"reason": "x", "scope": "property"}),
    ("POST", f"/integrations/{encoded('none')}", CALL | {"timeout": 5000}),
    ("POST", "/integrations/conversion", {"visitorId": "v1"}),
    ("POST", "/csml/apps", CSML | {"data": CSML["data"] | {"delay": "5 min"}}),  # type: ignore[operator]
    ("POST", "/csml/apps", CSML | {"data": CSML["data"] | {"schedule_time": "2026-01-01"}}),  # type: ignore[operator]
    ("POST", "/csml/apps", CSML | {"data": {"action": "cancel", "schedule_id": "s"}}),
    ("POST", "/csml/apps", CSML | {"data": {"flow_id": "f", "step_id": "s", "metadata": {}, "delay": "1h"}}),
    ("POST", "/visitors/events", BROWSER | {"items": [{"key": "k" * 16, "type": "x", "data": 1, "age": 1}]}),
    ("POST", "/visitors/events", BROWSER | {"items": [{"key": "k" * 16, "identify": "p"}], "domain": "x.y"}),
    ("POST", "/visitors/events", BROWSER | {"type": "ecView", "data": {}, "age": 5}),
    ("POST", "/visitors/run/none", BROWSER | {"data": {}, "browser": {"url": "x", "screen": {"width": 1}}}),
]
"""What each route takes; every leaf of it becomes each of the edges. Nothing here runs an experience."""


def with_edges(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, place in enumerate(places(body)):
        for edge in edges_for(number):
            changed = copy.deepcopy(body)
            holder: Any = changed
            for step in place[:-1]:
                holder = holder[step]
            holder[place[-1]] = edge
            yield changed


def edges_for(number: int) -> list[Any]:
    return EDGES[number % STRIDE :: STRIDE]


def places(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, the document itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in inside:
        yield (*above, step)
        yield from places(inner, *above, step)


@pytest.mark.parametrize(
    ("method", "path", "body"), BODIES, ids=[f"{n} {each[1][:40]}" for n, each in enumerate(BODIES)]
)
def test_no_field_of_a_body_makes_a_defect(
    client: httpx.Client, method: str, path: str, body: dict[str, Any]
) -> None:
    defects = []
    for changed in with_edges(body):
        content = written(changed)
        answer = client.request(method, path, content=content, headers={"content-type": "application/json"})
        if answer.status_code >= 500 and answer.json()["code"] != "integration_timeout":
            defects.append((content[:200], answer.text[:200]))

    assert defects == []


def written(body: Any) -> str:
    """JSON as anybody may write it: also numbers that no float holds, and halves of characters."""
    return json.dumps(body).replace('"1e400"', "1e400")


def test_no_field_of_a_query_or_a_form_makes_a_defect(client: httpx.Client, web: FastAPI) -> None:
    client.put("/v1/schedules/digest", json={"integration": "webhook", "daily": "09:00", "timezone": "UTC"})
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get("/visitors?id=v1").text)
    assert found is not None
    defects, number = [], 0
    for route in web.state.routes:
        place = route.path.replace("{name}", "webhook").replace("{schedule_name}", "digest")
        place = place.replace("{verb}", "pause" if "schedule" in place else "cancel")
        place = re.sub(r"\{[^}]*\}", "ex_0000000000001", place)
        for name, is_form in fields(route):
            number += 1
            for edge in edges_for(number):
                pair = f"{name}={percent_encoded(edge)}"
                form = f"form_token={found[1]}&{pair}" if is_form else ""
                if len(pair) > 60_000 and not is_form:
                    continue
                for method in route.methods - {"HEAD"}:
                    with client.stream(
                        method,
                        place if is_form else f"{place}?{pair}",
                        content=form,
                        headers={"content-type": "application/x-www-form-urlencoded"},
                    ) as answer:
                        if answer.headers.get("content-type", "").startswith("text/event-stream"):
                            continue  # it goes on, and has begun well
                        answer.read()
                    if answer.status_code >= 500:
                        defects.append((method, place, pair[:80], answer.text[:200]))

    assert defects == []


def percent_encoded(edge: Any) -> str:
    text = edge if isinstance(edge, str) else json.dumps(edge)
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def fields(route: Any) -> Iterator[tuple[str, bool]]:
    """What a route reads from its query, and from its form: the names, and whether it is the form."""
    waiting = [getattr(route, "dependant", None)]
    while waiting:
        dependant = waiting.pop()
        if dependant is None:
            continue
        waiting += dependant.dependencies
        for params, is_form in ((dependant.query_params, False), (dependant.body_params, True)):
            for param in params:
                model = getattr(param.field_info.annotation, "model_fields", None)
                yield from ((name, is_form) for name in model or [param.alias] if name != "form_token")


def test_no_path_makes_a_defect(client: httpx.Client, web: FastAPI) -> None:
    defects = []
    for number, route in enumerate(each for each in web.state.routes if "{" in each.path):
        for edge in edges_for(number):
            text = percent_encoded(edge)
            for method in route.methods - {"HEAD"} if len(text) <= 60_000 else ():
                answer = client.request(method, re.sub(r"\{[^}]*\}", text, route.path), json={})
                if answer.status_code >= 500:
                    defects.append((method, route.path, text[:60], answer.text[:200]))

    assert defects == []


HEADERS = (
    "accept",
    "accept-encoding",
    "authorization",
    "content-type",
    "cookie",
    "idempotency-key",
    "if-none-match",
    "origin",
    "sec-fetch-site",
    "user-agent",
    "x-api-key",
    "x-forwarded-for",
)
VALUES = (
    b"\xff\xfe",
    b"\xc3\x28",
    b"a" * 20_000,
    b"",
    b"%00",
    b"\xed\xa0\x80",
    b"9" * 4_200,
    b"\xb2",
    b"Bearer \xff",
    b"experience_session=\xff",
    b"http://[",
    b"http://a:99999999",
    b"text/html;q=\xb2",
)
ASKED = (
    ("GET", "/executions"),
    ("GET", "/visitor.js"),
    ("GET", "/static/live.js"),
    ("POST", "/csml/apps"),
    ("POST", "/v1/explain"),
    ("POST", "/visitors/events"),
    ("POST", "/login"),
)


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_makes_a_defect(client: httpx.Client, header: str, token: Token) -> None:
    key = bearing(token(Scope.OPERATOR))
    defects = []
    for value in VALUES:
        for method, path in ASKED:
            for more in ({}, {name: text for name, text in key.items() if name.lower() != header}):
                given = [(name.encode(), text.encode()) for name, text in more.items()]
                content = b"{}" if method == "POST" else None
                answer = client.request(
                    method, path, content=content, headers=[*given, (header.encode(), value)]
                )
                if answer.status_code >= 500:
                    defects.append((method, path, value[:60], answer.text[:200]))

    assert defects == []
