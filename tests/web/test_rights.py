"""Rights add up: a token with several scopes may do what each of them may, and nothing besides."""

from collections.abc import Callable
from itertools import chain, combinations

import httpx
import pytest
from experience_runtime.domain.access import Right, Scope, permitted, scopes_with

from .conftest import Token, bearing
from .gateway_client import encoded, refused_as

SETS = [frozenset(each) for n in range(1, len(Scope) + 1) for each in combinations(Scope, n)]

_CSML = {
    "function_id": "utils/scheduler",
    "client": {"bot_id": "b", "channel_id": "messenger", "user_id": "anna"},
    "data": {"action": "webhook", "delay": "5 min", "url": "https://example.com/hook"},
}


def post(path: str, body: object) -> Callable[[httpx.Client, dict[str, str]], httpx.Response]:
    return lambda client, headers: client.post(path, json=body, headers=headers)


def get(path: str) -> Callable[[httpx.Client, dict[str, str]], httpx.Response]:
    return lambda client, headers: client.get(path, headers=headers)


def is_in(text: str) -> Callable[[httpx.Response], bool]:
    return lambda answer: answer.status_code == 200 and text in answer.text


# What a caller gets to do where the answer depends on who asks, beyond whether the route lets them in.
Act = Callable[[httpx.Client, dict[str, str]], httpx.Response]
ACTS: dict[str, tuple[Act, Callable[[httpx.Response], bool]]] = {
    "call what is not for sites": (
        post(f"/integrations/{encoded('slack-update')}", {"data": {}}),
        lambda answer: answer.json()["error"]["code"] not in ("forbidden", "unauthorized"),
    ),
    "schedule what is not for sites": (
        post(f"/integrations/defer/{encoded('slack-update')}", {"data": {"message": "x"}, "delay": "1 day"}),
        is_in('"ok":true'),
    ),
    "schedule events": (post("/csml/apps", _CSML), lambda answer: answer.status_code == 200),
    "run a draft": (post("/v1/experiences/draft/run", {"visitor": "v1"}), is_in('"outcome":"ran"')),
    "run what is released": (post("/v1/experiences/reminder/run", {"visitor": "v1"}), is_in('"ran"')),
    "see the log": (
        post("/v1/experiences/reminder/run", {"visitor": "v1"}),
        is_in("told to the author"),
    ),
    "see what no experience made": (get("/v1/executions"), is_in('"experience":null')),
    "see whose ids are one person's": (
        post("/v1/visitors/v1/identify", {"person": "p1"}),
        is_in('"ids":["p1","v1"]'),
    ),
}


@pytest.mark.parametrize("scopes", SETS, ids=lambda each: "+".join(sorted(each)))
def test_the_rights_of_a_set_are_those_of_its_scopes(scopes: frozenset[Scope]) -> None:
    of_each = [permitted({scope}) for scope in scopes]

    assert permitted(scopes) == frozenset(chain.from_iterable(of_each))


def test_every_right_is_somebodys_and_a_viewer_changes_nothing() -> None:
    assert all(Scope.OPERATOR in scopes_with(right) for right in Right)
    changing = {Right.RUN, Right.RUN_DRAFTS, Right.TELL, Right.CALL, Right.CHANGE, Right.TRY}

    assert not changing & permitted({Scope.VIEWER, Scope.METRICS})


def test_what_a_set_of_scopes_gets_done_is_what_one_of_them_gets_done_or_sees(
    client: httpx.Client, token: Token
) -> None:
    """Seen and run by different scopes of one token, a run is both run and seen: that is the union too."""
    operator = bearing(token(Scope.OPERATOR, name="ops"))
    client.post("/v1/integrations/webhook/call", json={"payload": {"body": 1}}, headers=operator)
    needed = {
        "call what is not for sites": {Right.TELL, Right.CALL},
        "schedule what is not for sites": {Right.TELL, Right.CALL},
        "schedule events": {Right.TELL, Right.CALL},
        "run a draft": {Right.RUN, Right.RUN_DRAFTS},
        "run what is released": {Right.RUN},
        "see the log": {Right.RUN, Right.READ_RUNS},
        "see what no experience made": {Right.READ},
        "see whose ids are one person's": {Right.TELL, Right.READ},
    }
    wrong = []
    for scopes in SETS:
        headers = bearing(token(*scopes))
        for name, (act, is_done) in ACTS.items():
            if is_done(act(client, headers)) != (needed[name] <= permitted(scopes)):
                wrong.append((sorted(scopes), name))

    assert wrong == []


def test_a_site_that_is_also_an_author_calls_no_integration_that_is_not_for_sites(
    client: httpx.Client, token: Token
) -> None:
    both = bearing(token(Scope.SITE, Scope.AUTHOR))

    answer = client.post(f"/integrations/{encoded('slack-update')}", json={"data": {}}, headers=both)

    assert refused_as(answer) == "forbidden"


def test_a_viewer_reads_every_page_and_finds_no_button_that_changes_something(
    client: httpx.Client, token: Token
) -> None:
    made = client.post("/v1/integrations/webhook/call", json={"payload": {"body": 1}})
    client.put("/v1/schedules/digest", json={"integration": "webhook", "daily": "09:00", "timezone": "UTC"})
    id = client.get("/v1/executions").json()["executions"][0]["id"]
    viewer = bearing(token(Scope.VIEWER))
    assert made.status_code != 403

    for path in (
        "/",
        "/executions",
        f"/executions/{id}",
        "/settings/integrations",
        "/settings/integrations/webhook",
        "/settings/integrations/webhook/settings",
        "/settings/integrations/webhook/schedule",
        "/settings/tokens",
        "/settings/audit",
        "/visitors?id=v1",
    ):
        page = client.get(path, headers=viewer)
        assert page.status_code == 200, path
        forms = page.text.split('<main id="main"')[1].split('method="post"')[1:]
        assert [form for form in forms if "<button" in form.split("</form>")[0]] == [], path
    for path in ("/executions/bulk/cancel", "/playground"):
        assert client.get(path, headers=viewer).status_code == 403
