"""An operator's questions on the pages and in the API: every number leads to exactly what it counts."""

import html
import re
from datetime import timedelta

import httpx
import pytest
from experience_runtime.domain.executions import Settlement, Settling, Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine import lookup
from experience_runtime.runtime import Runtime

from tests.support.executions import claim, start


def _asked(runtime: Runtime, name: str, delay: str) -> None:
    runtime.scheduler.schedule(
        "webhook", {"body": {"n": name}}, {"delay": delay}, visitor=None, experience=None
    )


@pytest.fixture
def shop(runtime: Runtime) -> Runtime:
    """Three that failed, one of them replayed, three that are due, two that are not, and a schedule."""
    now = runtime.clock.now()
    for number in range(3):
        _asked(runtime, f"fails {number}", "0 s")
    due = claim(runtime.store, now=runtime.clock.now() + timedelta(seconds=1))
    failed = Settlement(status=Status.FAILED, reason="integration_failed", http_status=400, error="no")
    for each in due:
        assert start(runtime.store, each, now=now)
        runtime.store.settle_all([Settling(each.number, each.attempt, failed, now)])
    runtime.scheduler.replay(due[0].id)
    for number in range(2):
        _asked(runtime, f"due {number}", "0 s")
        _asked(runtime, f"later {number}", "2 days")
    runtime.recurring.set("digest", "webhook", {"body": 1}, {"daily": "09:00", "timezone": "UTC"})
    return runtime


def _shown(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def _counted(page: str) -> dict[str, int]:
    """The links to lists of executions on a page, and the number that each says."""
    found = re.findall(
        r'href="(/executions\?[^"]+)"[^>]*>([\d,]+)(?: pending executions?| that were [^<]*)?</a>', page
    )
    return {html.unescape(link): int(number.replace(",", "")) for link, number in found}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("path", "numbers"), [("/", {0, 2, 3, 5}), ("/agenda?day=tomorrow", {0}), ("/agenda?zone=UTC", {3})]
)
def test_every_number_leads_to_exactly_what_it_counts(
    client: httpx.Client, path: str, numbers: set[int]
) -> None:
    counted = _counted(_shown(client, path))

    def listed(link: str) -> int:
        return len(set(re.findall(r'class="id" href="/executions/(ex_\w+)"', _shown(client, link))))

    assert {link: listed(link) for link in counted} == counted
    assert set(counted.values()) == numbers, "failed, due, pending"


def test_the_agenda_is_the_same_over_http(client: httpx.Client, shop: Runtime) -> None:
    day = (shop.clock.now() + timedelta(days=2)).date().isoformat()

    found = client.get("/v1/agenda", params={"day": day}).json()

    assert (found["executions"], found["instants"]) == (2, 1)
    assert f">{day}, UTC<" in _shown(client, f"/agenda?day={day}")
    assert {each["schedule"] for each in found["entries"]} == {"digest", None}
    for path in ("/v1/agenda", "/agenda"):
        refused = client.get(path, params={"day": "someday"})
        assert refused.status_code == 422
        assert "someday" in refused.text


def test_what_a_list_does_not_know_is_refused_everywhere(client: httpx.Client) -> None:
    for path in ("/v1/executions", "/executions"):
        for query in ("failed_sinc=noon", "failed_since=soon", "sort=oldest", "zone=Mars", "status=lost"):
            answer = client.get(f"{path}?{query}")
            assert answer.status_code == 422, (path, query)
            assert query.partition("=")[0] in answer.text, answer.text


def test_a_hold_is_told_wherever_one_looks_and_with_the_button(client: httpx.Client, shop: Runtime) -> None:
    payload, visitor, told = {"body": 1}, Visitor(id="v1"), "everything is held since"
    id = shop.scheduler.schedule(
        "webhook", payload, {"delay": "1 hour"}, visitor=visitor, experience=None
    ).execution.id
    own, call = "/settings/integrations/webhook", "/settings/integrations/webhook/call"
    where = ["/", "/agenda", "/executions", f"/executions/{id}", "/visitors?id=v1"]
    where += ["/schedules", "/settings/integrations", own, f"{own}/schedule"]
    shop.operations.pause("webhook")
    paused = {path: _shown(client, path) for path in where}

    shop.operations.hold_all()

    held = {path: _shown(client, path) for path in where}
    form = dict(re.findall(r'name="(form_token)" value="([^"]+)"', held["/"]))
    refused = {path: client.post(path, data=form | {"payload": "{}"}).text for path in ("/hold", call)}
    assert [path for path, page in paused.items() if "webhook is paused since" not in page] == []
    assert [path for path, page in (held | refused).items() if told not in page] == []
    assert told in client.get("/v1/agenda").json()["integrations"][0]["held"]
    every = [*paused.items(), *held.items(), *refused.items()]
    assert [path for path, page in every if "resume all`" in page or "integrations resume" in page] == []


def test_what_stands_in_the_way_is_told_wherever_one_looks(client: httpx.Client, shop: Runtime) -> None:
    payload = {"message": "hello"}
    shop.scheduler.schedule("slack-update", payload, {"delay": "1 day"}, visitor=None, experience=None)
    shop.recurring.set("news", "slack-update", payload, {"daily": "09:00", "timezone": "UTC"})
    shop.recurring.pause("digest")
    shop.operations.pause("webhook", reason="moving")
    told = {
        "1 pending execution and what 1 schedule fires fails when it is due": "slack-update",
        "its schedule digest is paused since": "webhook",
        "moving; Resume on its page lets it go on": "webhook",
    }

    for trouble, integration in told.items():
        own = f"/settings/integrations/{integration}"
        for path in ("/", "/settings/integrations", own, f"{own}/schedule"):
            assert trouble in _shown(client, path), (path, trouble)
    every = _shown(client, "/schedules")
    assert [name for name in ("digest", "news") if f'edit={name}"' not in every] == []
    assert "paused</span>" in every
    page = _shown(client, "/settings/integrations/webhook")
    assert page.index(">Resume</button>") < page.index("Test call")


@pytest.mark.usefixtures("shop")
def test_a_search_that_is_not_over_says_how_far_it_came_and_goes_on(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "MOST_WALKED", 2)  # executions a look

    def found(path: str) -> list[str]:
        return re.findall(r'<a class="id[^>]*href="/executions/(ex_\w+)"', _shown(client, path))

    whole = client.get("/v1/executions").json()
    oldest = whole["executions"][-1]
    first = client.get("/v1/executions", params={"payload": "fails 0"}).json()
    page = _shown(client, "/executions?payload=fails+0")
    pages, at = 0, "/executions?payload=fails+0"
    while not (ids := found(at)):
        (link,) = re.findall(r'href="(/executions\?[^"]*cursor=[^"]*)">Search older</a>', _shown(client, at))
        pages, at = pages + 1, html.unescape(link)

    assert (whole["searched_to"], whole["next"]) == (None, None)
    assert (first["executions"], first["searched_to"]) == ([], whole["executions"][1]["created_at"])
    assert "Nothing found yet, of those made since" in page
    assert (ids, pages) == ([oldest["id"]], 3)
    by_id = client.get("/v1/executions", params={"text": oldest["id"][:12]}).json()
    assert oldest["id"] in [each["id"] for each in by_id["executions"]]
