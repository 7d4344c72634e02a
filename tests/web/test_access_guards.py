"""Access: what a site key in an address gives, and what guessing at tokens costs."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.access import Right, Scope, new_token
from experience_runtime.domain.errors import Unauthorized
from experience_runtime.store.opening import SqliteStore, open_sqlite
from experience_runtime.web.guard.access import Access
from experience_runtime.web.guard.problems import Throttled
from starlette.requests import Request

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    opened = open_sqlite(":memory:")
    yield opened
    opened.close()


def access_on(store: SqliteStore, *, per_second: float = 0) -> Access:
    return Access(
        store.tokens, VirtualClock(NOW), is_open=True, per_second=per_second, per_address=per_second
    )


def request(path: str = "/v1/executions", *, token: str = "", host: str = "192.0.2.1") -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    return Request(
        {"type": "http", "method": "POST", "path": path, "headers": headers, "client": (host, 1), "state": {}}
    )


def test_a_site_key_in_an_address_is_no_more_than_a_site_whatever_else_its_token_may(
    store: SqliteStore,
) -> None:
    secret, token = new_token("both", (Scope.SITE, Scope.OPERATOR), (), now=NOW)
    store.tokens.put(token)

    caller = access_on(store).caller(request(f"/integrations/k/{secret}/conversion"))

    assert caller.scopes == {Scope.SITE}
    assert (caller.may(Right.TELL), caller.may(Right.CALL), caller.is_limited) == (True, False, True)


@pytest.mark.parametrize("place", ["a header", "an address"])
def test_guessing_at_tokens_is_slowed_down_for_one_host_and_no_other(store: SqliteStore, place: str) -> None:
    store.tokens.put(new_token("first", (Scope.OPERATOR,), (), now=NOW)[1])
    access = access_on(store, per_second=1)

    def guess(number: int, host: str = "192.0.2.1") -> Request:
        text = f"exp_site_{number:043}"
        if place == "a header":
            return request(token=text, host=host)
        return request(f"/integrations/k/{text}/conversion", host=host)

    refused: list[type[Exception]] = []
    for number in range(200):
        with pytest.raises((Unauthorized, Throttled)) as caught:
            access.caller(guess(number))
        refused.append(caught.type)

    assert refused[0] is Unauthorized
    assert refused.count(Throttled) > 100
    with pytest.raises(Unauthorized):
        access.caller(guess(0, host="192.0.2.2"))


def test_a_customers_network_logs_in_as_one_address(store: SqliteStore) -> None:
    access = access_on(store, per_second=1)

    refused: list[type[Exception]] = []
    for number in range(20):
        with pytest.raises((Unauthorized, Throttled)) as caught:
            access.begin_session("exp_site_guessed", request(host=f"2001:db8::{number:x}"))
        refused.append(caught.type)

    assert refused.count(Throttled) > 10
    with pytest.raises(Unauthorized):
        access.begin_session("exp_site_guessed", request(host="2001:db8:0:1::1"))
