"""Quotas: what one site's key leaves here has an end, and conversions count all the same."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.errors import RateLimited
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.runs import RunFilter
from experience_runtime.engine.sites import Kind, Quotas, Site, on_behalf_of
from experience_runtime.runtime import Runtime
from experience_runtime.web.server import make_web

from tests.support.serving import serving

from .conftest import Token, bearing
from .gateway_client import encoded

DEFER = f"/integrations/defer/{encoded('webhook')}"


@pytest.fixture
def limited(runtime: Runtime) -> Iterator[httpx.Client]:
    """A server whose sites may leave little."""
    served = replace(runtime.settings.served, pending_per_key=3, visitors_per_key=2, events_per_key=4)
    runtime.settings = replace(runtime.settings, served=served)
    with serving(make_web(runtime)) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def test_a_key_leaves_so_many_pending_executions_and_no_more(limited: httpx.Client, token: Token) -> None:
    shop, other = bearing(token(Scope.SITE, name="shop")), bearing(token(Scope.SITE, name="other"))

    def schedule(headers: dict[str, str], number: int) -> str:
        sent = {"data": {"body": 1}, "delay": "1 day", "key": {"n": number}, "meta": {"visitorId": "v"}}
        answer = limited.post(DEFER, json=sent, headers=headers).json()
        return "ok" if answer["ok"] else str(answer["error"]["code"])

    assert [schedule(shop, number) for number in range(5)] == ["ok"] * 3 + ["rate_limited"] * 2
    assert schedule(other, 9) == "ok"


def test_what_is_replaced_or_cancelled_at_once_and_what_ran_have_an_end_too(
    limited: httpx.Client, runtime: Runtime, token: Token
) -> None:
    shop, path = bearing(token(Scope.SITE, name="shop")), "/v1/experiences/reminder/run"

    codes = [limited.post(path, json={"visitor": "v1"}, headers=shop) for _ in range(6)]
    called = limited.post(f"/integrations/{encoded('webhook')}", json={"data": {"body": 1}}, headers=shop)
    operator = limited.post(path, json={"visitor": "v1"}, headers=bearing(token(Scope.OPERATOR)))

    said = [each.json()["error"] and each.json()["error"]["code"] for each in codes]
    assert said == [*[None] * 4, *["rate_limited"] * 2]
    assert called.json()["error"]["code"] == "rate_limited"
    assert operator.json()["outcome"] == "ran"
    found = runtime.store.find(Filter(), limit=20).executions
    assert [each.site for each in found] == [None, *["shop"] * 4]
    assert len(runtime.lookup.runs.list(RunFilter(), limit=20)["runs"]) == 4 + 1


def test_two_processes_let_in_little_more_than_one(runtime: Runtime) -> None:
    usage, clock = runtime.store.usage, runtime.clock
    both = [Site("shop", Quotas(usage, clock, pending=20, visitors=0, events=0)) for _ in range(2)]

    def let_in(site: Site) -> bool:
        with on_behalf_of(site):
            try:
                runtime.scheduler.schedule("webhook", {"body": 1}, {"delay": "1 day"}, visitor=None)
            except RateLimited:
                return False
            return True

    assert sum(let_in(each) for _ in range(20) for each in both) in (20, 21)


def test_an_operator_is_not_counted(limited: httpx.Client, runtime: Runtime, token: Token) -> None:
    ops = bearing(token(Scope.OPERATOR, name="ops"))

    for number in range(6):
        sent = {"data": {"body": 1}, "delay": "1 day", "key": {"n": number}}
        assert limited.post(DEFER, json=sent, headers=ops).json()["ok"]

    found = runtime.store.find(Filter(statuses=[Status.PENDING]), limit=10).executions
    assert {each.site for each in found} == {None}


def test_what_a_run_schedules_counts_for_the_key_that_ran_it(
    limited: httpx.Client, runtime: Runtime, token: Token
) -> None:
    shop = bearing(token(Scope.SITE, name="shop"))

    documents = [
        limited.post("/v1/experiences/reminder/run", json={"visitor": f"v{n}"}, headers=shop).json()
        for n in range(4)
    ]

    assert [len(each["executions"]) for each in documents] == [1, 1, 1, 0]
    assert {each.site for each in runtime.store.find(Filter(), limit=10).executions} == {"shop"}


def test_events_and_conversions_that_cancel_nothing_have_an_end(
    limited: httpx.Client, runtime: Runtime, token: Token
) -> None:
    shop = bearing(token(Scope.SITE, name="shop"))

    def tell(event: str, visitor: str) -> httpx.Response:
        return limited.post(f"/v1/visitors/{visitor}/events", json={"type": event}, headers=shop)

    assert [tell("ecView", "v1").status_code for _ in range(6)] == [200] * 4 + [429] * 2
    bought = [tell("ecBasketTransactionSummary", f"v{number}").json()["conversion"] for number in range(4)]
    assert tell("ecBasketTransactionSummary", "v5").status_code == 429
    client_answer = limited.post("/integrations/conversion", json={"visitorId": "v5"}, headers=shop).json()
    assert client_answer["error"]["code"] == "rate_limited"
    assert limited.post("/v1/visitors/v5/convert", headers=shop).status_code == 429
    assert bought == [True] * 4
    known = [runtime.store.visitor(f"v{number}") is not None for number in range(4)]
    assert known == [True, True, False, False]  # v1 came first, then v0
    assert len(runtime.store.events.conversions("v3", limit=9)) == 1


def test_a_purchase_that_cancels_something_is_never_one_too_many(
    limited: httpx.Client, runtime: Runtime, token: Token
) -> None:
    shop = bearing(token(Scope.SITE, name="shop"))
    for number in range(5):
        limited.post("/v1/visitors/idle/convert", headers=shop)
        runtime.identify(f"browser{number}", f"person{number}")  # by the operator: counted for nobody
    sent = {
        "data": {"body": 1},
        "delay": "1 day",
        "cancelOnConversion": True,
        "meta": {"visitorId": "person1"},
    }
    assert limited.post(DEFER, json=sent, headers=shop).json()["ok"]

    assert limited.post("/v1/visitors/browser2/convert", headers=shop).status_code == 429
    assert limited.post("/v1/visitors/browser1/convert", headers=shop).json()["cancelled"] == 1


def test_who_is_identified_is_a_visitor_more(limited: httpx.Client, token: Token) -> None:
    shop = bearing(token(Scope.SITE, name="shop"))

    def identify(person: str) -> int:
        path = "/v1/visitors/browser/identify"
        return limited.post(path, json={"person": person}, headers=shop).status_code

    assert [identify(person) for person in ("a", "a", "b", "c", "a")] == [200, 200, 200, 429, 200]


def test_a_day_has_its_own_count_and_processes_share_it(runtime: Runtime) -> None:
    class Days:
        """A clock that stands where it is put."""

        at = runtime.clock.now()

        def now(self) -> object:
            return self.at

    clock = Days()
    first, second = (
        Quotas(runtime.store.usage, clock, pending=0, visitors=5, events=0)  # type: ignore[arg-type]
        for _ in range(2)
    )

    def taken() -> list[bool]:
        return [each.take("shop", Kind.VISITOR) for _ in range(4) for each in (first, second)]

    assert sum(taken()) == 5
    assert first.take("other", Kind.VISITOR)
    clock.at += timedelta(days=1)
    assert sum(taken()) == 5
    assert all(first.take("shop", Kind.EVENT) for _ in range(100))  # 0: any number
