"""What a browser is shown when nothing can be shown: a page, whatever the reason."""

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime

from .conftest import Token, bearing

PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/executionz", "/settings", "/static", "/executions/x/y/z", "/%ff"])
def test_a_mistyped_address_is_a_page(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=PAGE)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="/executions"' in answer.text


def test_a_program_is_told_in_a_document_what_is_not_there(client: httpx.Client) -> None:
    for path, headers in (("/executionz", {}), ("/v1/executionz", PAGE), ("/integrations/k/x/y", PAGE)):
        assert client.get(path, headers=headers).headers["content-type"] == "application/problem+json"


def test_another_way_to_ask_and_too_much_of_it_are_pages_too(client: httpx.Client) -> None:
    other = client.delete("/executions", headers=PAGE)
    much = client.post("/visitors", content=b"x" * 1_000_000, headers=PAGE)

    assert (other.status_code, other.headers["allow"]) == (405, "GET")
    assert "text/html" in other.headers["content-type"]
    assert much.status_code == 413


def test_a_page_that_is_refused_for_now_says_when_to_come_again(
    client: httpx.Client,
    token: Token,
    runtime: Runtime,
) -> None:
    viewer = bearing(token(Scope.VIEWER)) | PAGE
    statuses = [client.get("/executions", headers=viewer) for _ in range(300)]
    late = [answer for answer in statuses if answer.status_code == 429]
    assert all(answer.headers["retry-after"] for answer in late)

    runtime.store.close()
    gone = client.get("/executions", headers=viewer)

    assert gone.status_code == 500
    assert "text/html" in gone.headers["content-type"]
    assert "something went wrong on our side" in gone.text
