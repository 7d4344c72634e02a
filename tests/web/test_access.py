"""Who may call what: every route, with every scope, without a token, from elsewhere, with a revoked one."""

import re
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.limits import AtOnce, Buckets
from experience_runtime.web.guard.problems import Throttled
from experience_runtime.web.pages.playground.form import Play
from experience_runtime.web.server import MOST_AT_ONCE
from fastapi import FastAPI

from .conftest import Token, bearing
from .gateway_client import encoded

RUNNERS = frozenset({Scope.AUTHOR, Scope.OPERATOR, Scope.SITE})
AUTHORS = frozenset({Scope.AUTHOR, Scope.OPERATOR})
READERS_OF_RUNS = frozenset({Scope.AUTHOR, Scope.OPERATOR, Scope.VIEWER})
READERS = frozenset({Scope.OPERATOR, Scope.VIEWER})
SITES = frozenset({Scope.SITE, Scope.OPERATOR})
OPERATORS = frozenset({Scope.OPERATOR})

RELEASES = "/v1/experiences/{name}/releases"

# Every operation of the API, and the scopes that may call it; one without a line here fails below.
MATRIX: dict[tuple[str, str], frozenset[Scope]] = {
    ("GET", "/metrics"): READERS | {Scope.METRICS},
    ("GET", "/v1/experiences"): READERS_OF_RUNS,
    ("POST", "/v1/experiences/{name}/run"): RUNNERS,
    ("GET", "/v1/experiences/{name}/traffic"): READERS_OF_RUNS,
    ("GET", RELEASES): READERS_OF_RUNS,
    ("POST", RELEASES): OPERATORS,
    ("GET", RELEASES + "/{number}"): READERS_OF_RUNS,
    ("GET", RELEASES + "/{number}/diff"): READERS_OF_RUNS,
    ("POST", RELEASES + "/{number}/activate"): OPERATORS,
    ("POST", RELEASES + "/rollback"): OPERATORS,
    ("POST", RELEASES + "/deactivate"): OPERATORS,
    ("GET", "/v1/agenda"): READERS,
    ("GET", "/v1/stream"): READERS_OF_RUNS,
    ("GET", "/v1/runs"): READERS_OF_RUNS,
    ("GET", "/v1/runs/{run_id}"): READERS_OF_RUNS,
    ("POST", "/v1/simulate"): AUTHORS,
    ("POST", "/v1/check"): AUTHORS,
    ("POST", "/v1/explain"): READERS_OF_RUNS,
    ("GET", "/v1/executions"): READERS_OF_RUNS,
    ("POST", "/v1/executions/search"): READERS_OF_RUNS,
    ("GET", "/v1/executions/{execution_id}"): READERS_OF_RUNS,
    ("POST", "/v1/executions/{execution_id}/cancel"): OPERATORS,
    ("POST", "/v1/executions/{execution_id}/replay"): OPERATORS,
    ("POST", "/v1/executions/{execution_id}/restore"): OPERATORS,
    ("POST", "/v1/executions/{execution_id}/move"): OPERATORS,
    ("POST", "/v1/executions/{execution_id}/run"): OPERATORS,
    ("POST", "/v1/batch"): OPERATORS,
    ("POST", "/v1/bulk/cancel"): OPERATORS,
    ("POST", "/v1/bulk/replay"): OPERATORS,
    ("POST", "/v1/bulk/restore"): OPERATORS,
    ("POST", "/v1/bulk/move"): OPERATORS,
    ("GET", "/v1/jobs/{job_id}"): READERS,
    ("GET", "/v1/schedules"): READERS,
    ("GET", "/v1/schedules/{name}"): READERS,
    ("PUT", "/v1/schedules/{name}"): OPERATORS,
    ("DELETE", "/v1/schedules/{name}"): OPERATORS,
    ("POST", "/v1/schedules/{name}/restore"): OPERATORS,
    ("POST", "/v1/schedules/{name}/pause"): OPERATORS,
    ("POST", "/v1/schedules/{name}/resume"): OPERATORS,
    ("POST", "/v1/schedules/{name}/run"): OPERATORS,
    ("POST", "/v1/preview"): READERS,
    ("GET", "/v1/integrations"): READERS_OF_RUNS,
    ("GET", "/v1/integrations/{name}"): READERS,
    ("POST", "/v1/integrations/{name}/call"): OPERATORS,
    ("POST", "/v1/integrations/{name}/schedule"): OPERATORS,
    ("POST", "/v1/integrations/{name}/cancel"): OPERATORS,
    ("POST", "/v1/integrations/{name}/execute"): OPERATORS,
    ("PATCH", "/v1/integrations/{name}/settings"): OPERATORS,
    ("POST", "/v1/integrations/{name}/pause"): OPERATORS,
    ("POST", "/v1/integrations/{name}/resume"): OPERATORS,
    ("GET", "/v1/tokens"): READERS,
    ("GET", "/v1/audit"): READERS,
    ("POST", "/v1/hold"): OPERATORS,
    ("POST", "/v1/resume"): OPERATORS,
    ("GET", "/v1/visitors"): READERS_OF_RUNS,
    ("GET", "/v1/visitors/{visitor_id}"): READERS,
    ("GET", "/v1/visitors/{visitor_id}/why"): READERS,
    ("GET", "/v1/visitors/{visitor_id}/export"): READERS,
    ("DELETE", "/v1/visitors/{visitor_id}"): OPERATORS,
    ("PUT", "/v1/visitors/{visitor_id}"): OPERATORS,
    ("POST", "/v1/visitors/{visitor_id}/events"): SITES,
    ("POST", "/v1/visitors/{visitor_id}/convert"): SITES,
    ("POST", "/v1/visitors/{visitor_id}/identify"): SITES,
}
FOR_ANYBODY = {("GET", "/healthz"), ("GET", "/readyz")}

FOR_ANYBODYS_BROWSER = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/static/{name}"),
    ("GET", "/visitor.js"),
    ("GET", "/docs"),
}

BODIES = {
    RELEASES: {"files": {"variation.js": "module.exports = () => {}"}},
    RELEASES + "/{number}/activate": {"expected": 0},
    RELEASES + "/rollback": {"expected": 0},
    RELEASES + "/deactivate": {"expected": 0},
    "/v1/experiences/{name}/run": {},
    "/v1/simulate": {"experience": "reminder"},
    "/v1/check": {"experience": "reminder"},
    "/v1/explain": {"delay": 0},
    "/v1/executions/{execution_id}/move": {"delay": 0},
    "/v1/executions/search": {},
    "/v1/batch": {"items": [{"verb": "cancel", "integration": "webhook", "options": {"key": 1}}]},
    "/v1/bulk/cancel": {"everything": True},
    "/v1/bulk/replay": {"everything": True},
    "/v1/preview": {"daily": "09:00", "timezone": "UTC"},
    "/v1/integrations/{name}/call": {"payload": {"body": 1}, "timeout_ms": 100},
    "/v1/integrations/{name}/schedule": {"payload": {"body": 1}, "options": {"delay": 1000}},
    "/v1/integrations/{name}/cancel": {"options": {"key": 1}},
    "/v1/integrations/{name}/execute": {"payload": {"body": 1}, "options": {"timeout": 100}},
    "/v1/visitors/{visitor_id}/events": {"type": "ecView"},
    "/v1/visitors/{visitor_id}": {"timezone": "UTC"},
    "/v1/visitors/{visitor_id}/identify": {"person": "customer-5512"},
}


def ask(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    place = path.replace("{name}", "webhook" if "integrations" in path else "reminder")
    place = place.replace("{execution_id}", "ex_0000000000001").replace("{job_id}", "job_1")
    place = (
        place.replace("{number}", "1").replace("{visitor_id}", "v1").replace("{run_id}", "rn_0000000000001")
    )
    body = BODIES.get(path) if method != "GET" else None
    brief = {"seconds": 0} if path == "/v1/stream" else None
    return client.request(method, place, params=brief, json=body, headers=headers)


def is_let_in(answer: httpx.Response) -> bool:
    return answer.status_code not in (401, 403)


@pytest.fixture
def closed(client: httpx.Client, token: Token) -> httpx.Client:
    """The server once there is a token."""
    token(Scope.OPERATOR, name="first")
    return client


def _operations(web: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    paths = web.openapi()["paths"]
    return [(path, method, item) for path, items in paths.items() for method, item in items.items()]


def test_every_operation_has_a_line_in_the_matrix(web: FastAPI) -> None:
    operations = {(method.upper(), path) for path, method, _ in _operations(web)}

    assert operations == {*MATRIX, *FOR_ANYBODY}


def test_the_document_names_the_scopes_of_each_operation(web: FastAPI) -> None:
    told = {(method.upper(), path): item["description"] for path, method, item in _operations(web)}
    sentences = {row: re.search(r"Scopes?: ([^.]*)", told[row]) for row in MATRIX}
    words = {row: re.findall(r"\w+", found[1]) if found else [] for row, found in sentences.items()}

    assert {row: {name for name in Scope if name in words[row]} for row in MATRIX} == MATRIX


def test_exactly_these_scopes_are_let_in(closed: httpx.Client, token: Token) -> None:
    tokens = {scope: token(scope) for scope in Scope}

    let_in = {
        (method, path): {
            scope for scope, text in tokens.items() if is_let_in(ask(closed, method, path, bearing(text)))
        }
        for method, path in MATRIX
    }

    assert let_in == MATRIX


def test_nobody_is_let_in_without_a_good_token(closed: httpx.Client, token: Token, runtime: Runtime) -> None:
    revoked = token(Scope.OPERATOR, name="revoked")
    runtime.store.tokens.revoke("revoked", now=runtime.clock.now())
    elsewhere = {"origin": "https://evil.example"}
    bad: dict[str, dict[str, str]] = {
        "none": {},
        "revoked": bearing(revoked),
        "no token": bearing("x"),
        "unknown": bearing("exp_operator_" + "A" * 43),
        "basic": {"Authorization": f"Basic {token(Scope.OPERATOR, name='basic')}"},
        "cookie": {"Cookie": f"experience_session={token(Scope.OPERATOR, name='cookie')}"},
        "from elsewhere": bearing(token(Scope.OPERATOR, name="elsewhere"), **elsewhere),
        "not listed": bearing(
            token(Scope.OPERATOR, name="listed", origins=["https://shop.example"]), **elsewhere
        ),
    }

    answers = {
        (method, path, why): ask(closed, method, path, headers)
        for method, path in MATRIX
        for why, headers in bad.items()
    }

    assert {row for row, answer in answers.items() if is_let_in(answer)} == set()
    assert {answer.json()["code"] for answer in answers.values()} <= {"unauthorized", "forbidden"}
    assert all("access-control-allow-origin" not in answer.headers for answer in answers.values())


def test_every_other_route_asks_for_a_token_too(closed: httpx.Client, web: FastAPI) -> None:
    open_to_all = set()
    for route in web.state.routes:
        for method in route.methods - {"HEAD"}:
            place = re.sub(r"\{[^}]*\}", "x", route.path)
            answer = closed.request(method, place, headers={"content-type": "application/json"})
            to_login = answer.status_code == 303 and answer.headers["location"].startswith("/login")
            told = (
                '"code":"unauthorized"' in answer.text
            )  # also to who takes every other status for no answer
            if answer.status_code not in (401, 403) and not told and not to_login:
                open_to_all.add((method, route.path))

    assert open_to_all - FOR_ANYBODY - FOR_ANYBODYS_BROWSER == set()


def test_every_form_of_the_pages_is_refused_unless_it_is_of_this_session(
    client: httpx.Client, web: FastAPI
) -> None:
    programs = ("/v1/", "/integrations/", "/csml/", "/visitors/events", "/visitors/run/", "/visitors/k/")
    client.cookies.set("experience_session", "x")
    posted = {route.path for route in web.state.routes if "POST" in route.methods}
    forms = sorted(path for path in posted if not path.startswith((*programs, "/login")))

    answers = {
        path: client.post(
            re.sub(r"\{[^}]*\}", "x", path),
            data={"form_token": "0" * 64},
            headers={"sec-fetch-site": "same-origin"},
        )
        for path in forms
    }

    assert len(forms) > 15
    told = "this form is not from this session"
    assert [each for each, said in answers.items() if said.status_code != 403 or told not in said.text] == []


@pytest.mark.parametrize(("method", "path"), sorted(FOR_ANYBODY))
def test_health_is_for_anybody(closed: httpx.Client, method: str, path: str) -> None:
    assert ask(closed, method, path, {}).status_code == 200


def test_while_there_is_no_token_everything_is_open(client: httpx.Client) -> None:
    assert {row for row in MATRIX if not is_let_in(ask(client, *row, {}))} == set()


def test_the_first_token_closes_the_door_and_revoking_it_does_not_open_it(
    client: httpx.Client, token: Token, runtime: Runtime
) -> None:
    assert client.get("/v1/executions").status_code == 200
    text = token(Scope.OPERATOR, name="ops")

    assert client.get("/v1/executions").status_code == 401
    assert client.get("/v1/executions", headers=bearing(text)).status_code == 200
    runtime.store.tokens.revoke("ops", now=runtime.clock.now())
    answer = client.get("/v1/executions", headers=bearing(text))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_site_key_is_used_from_its_origins_only(closed: httpx.Client, token: Token) -> None:
    key = token(Scope.SITE, origins=["https://shop.example"])
    path = "/v1/visitors/v1/events"

    def send(origin: str | None) -> httpx.Response:
        headers = bearing(key) | ({} if origin is None else {"origin": origin})
        return closed.post(path, json={"type": "ecView"}, headers=headers)

    assert send("https://shop.example").headers["access-control-allow-origin"] == "https://shop.example"
    assert send(None).status_code == 200
    for origin in (
        "https://shop.example.evil.example",
        "http://shop.example",
        "null",
        "https://SHOP.example",
    ):
        assert send(origin).status_code == 403


def test_what_is_almost_a_site_key_is_none(closed: httpx.Client, token: Token) -> None:
    key = token(Scope.SITE)

    for almost in (f"%09{key}", f"{key}%0a", f"{key}%20", f"{key}%3f", f"{key}%23"):
        assert closed.post(f"/csml/apps/k/{almost}", json={}).status_code == 401


def test_a_site_runs_what_is_released_and_sees_little_of_it(closed: httpx.Client, token: Token) -> None:
    key, author = bearing(token(Scope.SITE)), bearing(token(Scope.AUTHOR))
    body = {"visitor": "v1"}

    seen = closed.post("/v1/experiences/reminder/run", json=body, headers=key)
    whole = closed.post("/v1/experiences/reminder/run", json=body, headers=author)
    draft = closed.post("/v1/experiences/draft/run", json=body, headers=key)

    assert (seen.json()["outcome"], seen.json()["log"]) == ("ran", [])
    keeps = body | {"state": {"tier": "gold"}, "keep_state": True}
    refused = closed.post("/v1/experiences/reminder/run", json=keeps, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "keep_state is not for a site's key" in refused.text
    assert "the payload" not in seen.text
    assert "told to the author" not in seen.text
    assert "the payload" in whole.text
    assert "told to the author" in whole.text
    assert (draft.status_code, draft.json()["code"]) == (404, "module_not_found")
    assert closed.post("/v1/experiences/draft/run", json=body, headers=author).status_code == 200


def test_a_site_cancels_no_event_where_none_is_for_sites(closed: httpx.Client, token: Token) -> None:
    def call(headers: dict[str, str], **data: str) -> httpx.Response:
        client = {"bot_id": "bot", "channel_id": "messenger", "user_id": "anna"}
        sent = {"function_id": "utils/scheduler", "client": client, "data": {"schedule_id": "r1", **data}}
        return closed.post("/csml/apps", json=sent, headers=headers)

    operator, site = bearing(token(Scope.OPERATOR)), bearing(token(Scope.SITE))
    call(operator, action="webhook", delay="5 min", url="https://example.com/hook")

    assert call(site, action="cancel").status_code == 403
    assert call(operator, action="cancel").json()["data"]["cancelled"] is True


def test_an_author_sees_the_executions_of_experiences_only(closed: httpx.Client, token: Token) -> None:
    author, operator = bearing(token(Scope.AUTHOR)), bearing(token(Scope.OPERATOR))
    closed.post("/v1/experiences/reminder/run", json={"visitor": "v1"}, headers=author)
    closed.post("/v1/integrations/webhook/call", json={"payload": {"body": 1}}, headers=operator)

    seen = {
        name: closed.get("/v1/executions", headers=headers).json()["executions"]
        for name, headers in (("author", author), ("operator", operator))
    }

    assert [each["experience"] for each in seen["author"]] == ["reminder"]
    assert [each["experience"] for each in seen["operator"]] == [None, "reminder"]
    id = seen["operator"][0]["id"]
    assert closed.get(f"/v1/executions/{id}", headers=author).status_code == 404
    assert closed.get(f"/v1/executions/{id}", headers=operator).status_code == 200


def test_a_session_is_as_good_as_its_token_and_ends_with_it(
    closed: httpx.Client, token: Token, runtime: Runtime
) -> None:
    own = {"origin": str(closed.base_url).rstrip("/")}
    closed.post("/login", data={"token": token(Scope.AUTHOR, name="qa")})

    assert closed.get("/v1/executions").status_code == 200
    assert closed.get("/v1/schedules").status_code == 403
    assert closed.post("/v1/explain", json={"delay": 0}).status_code == 403  # no word of where it comes from
    assert closed.post("/v1/explain", json={"delay": 0}, headers=own).status_code == 200
    runtime.store.tokens.revoke("qa", now=runtime.clock.now())
    assert closed.get("/v1/executions").status_code == 401


def test_more_than_fit_at_once_are_refused() -> None:
    at_once = AtOnce(1)

    with at_once, pytest.raises(Throttled, match="1 experiences and calls"), at_once:
        pass
    with at_once:
        pass


def test_runs_and_calls_never_take_all_threads_of_the_server(client: httpx.Client, web: FastAPI) -> None:
    call = f"/integrations/{encoded('webhook')}"
    play = f"/playground?s={Play(source='module.exports = function () {}').address()}"

    with ExitStack() as under_way:
        for _ in range(MOST_AT_ONCE):
            under_way.enter_context(web.state.at_once)
        called = client.post(call, json={"data": {}}).json()
        assert (called["ok"], called["error"]["code"]) == (False, "rate_limited")
        assert client.get(play).status_code == 429
        assert client.post("/v1/experiences/reminder/run", json={}).status_code == 429
        assert client.get("/v1/executions").json()["executions"] == []

    assert client.get(play).status_code == 200
    assert client.post(call, json={"data": {}}).json()["error"]["code"] != "rate_limited"


def test_one_who_asks_too_often_is_told_when_to_come_again() -> None:
    now = 0.0
    buckets = Buckets(2, now=lambda: now)

    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    now = 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    assert not Buckets(0, now=lambda: now).take("a")
    assert Throttled("x", retry_after=0.5).code == "rate_limited"
