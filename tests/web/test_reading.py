"""Reading: what is the same is not sent again, what is large is cut, and what does not change is kept."""

import re

import apsw
import httpx
from experience_runtime.domain.access import Scope
from experience_runtime.domain.workers import WorkerInfo
from experience_runtime.engine.lookup import PAGE_BYTES
from experience_runtime.runtime import Runtime
from experience_runtime.web.server import make_web

from tests.support.serving import serving

from .conftest import Token, bearing
from .gateway_client import encoded


def fill(client: httpx.Client, count: int, size: int) -> None:
    for number in range(count):
        sent = {"data": {"text": "x" * size}, "delay": "1 day", "key": {"n": number}}
        assert client.post(f"/integrations/defer/{encoded('webhook')}", json=sent).json()["ok"]


def test_a_page_of_large_payloads_is_cut_and_goes_on_where_it_was_cut(client: httpx.Client) -> None:
    fill(client, 24, 200_000)
    seen: list[str] = []
    cursor, pages = None, 0

    while pages == 0 or cursor is not None:
        params = {"limit": "24"} | ({} if cursor is None else {"cursor": cursor})
        answer = client.get("/v1/executions", params=params)
        assert len(answer.content) < PAGE_BYTES + 100_000
        seen += [each["id"] for each in answer.json()["executions"]]
        cursor, pages = answer.json()["next"], pages + 1

    assert (len(seen), len(set(seen)), pages) == (24, 24, 3)
    assert len(client.get("/executions").text) < 200_000


def test_what_has_not_changed_is_not_sent_again(client: httpx.Client) -> None:
    fill(client, 1, 10)

    for path in ("/v1/executions", "/v1/openapi.json", "/static/live.js", "/v1/integrations", "/visitor.js"):
        first = client.get(path)
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            again = client.get(path, headers={"if-none-match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), path
        assert client.get(path, headers={"if-none-match": '"x"'}).content == first.content

    tag = client.get("/v1/executions").headers["etag"]
    fill(client, 2, 10)
    assert client.get("/v1/executions", headers={"if-none-match": tag}).status_code == 200


def test_no_refusal_is_told_to_be_the_same(client: httpx.Client) -> None:
    assert "etag" not in client.get("/v1/executions/ex_0000000000001").headers
    assert client.get("/v1/nothing", headers={"if-none-match": "*"}).status_code == 404


def test_the_pages_own_files_are_kept_under_an_address_that_changes_with_them(client: httpx.Client) -> None:
    page = client.get("/").text
    addresses = re.findall(r'"(/static/[^"]+)"', page)
    assert len(addresses) >= 3

    for address in addresses:
        kept = client.get(address)
        assert kept.status_code == 200
        assert "immutable" in kept.headers["cache-control"], address
        assert client.get(address.partition("?")[0]).headers["cache-control"] == "no-cache"
        assert client.get(address + "0").headers["cache-control"] == "no-cache"


def test_the_stamp_is_another_once_something_was_written(
    client: httpx.Client, runtime: Runtime, token: Token
) -> None:
    at = runtime.clock.now()

    def stamp() -> str:
        return str(client.get("/stamp").json()["stamp"])

    first = stamp()
    assert stamp() == first
    fill(client, 1, 10)
    second = stamp()
    assert second != first
    assert stamp() == second
    report = WorkerInfo(
        id="w", host="h", pid=1, version="1", concurrency=1, integrations=None, started_at=at, beat_at=at
    )
    for _ in range(3):
        runtime.store.workers.beat(report)
    assert stamp() == second  # or every page would be loaded anew every five seconds
    with apsw.Connection(runtime.database_path) as another:
        another.execute("INSERT INTO milestones VALUES ('by another process', 1)")
    assert stamp() != second
    author, viewer = bearing(token(Scope.AUTHOR)), bearing(token(Scope.VIEWER))

    assert 'data-stamp="/stamp"' in client.get("/executions", headers=viewer).text
    assert client.get("/stamp", headers=viewer).status_code == 200
    # it would tell that something was written which authors do not see
    assert "data-stamp" not in client.get("/executions", headers=author).text
    assert client.get("/stamp", headers=author).status_code == 403


def test_a_form_of_one_web_process_is_taken_by_another(
    client: httpx.Client, runtime: Runtime, token: Token
) -> None:
    text = token(Scope.OPERATOR, name="ops")
    client.post("/login", data={"token": text})
    page = client.get("/visitors", params={"id": "v1"}).text
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found is not None
    cookie = f"experience_session={client.cookies['experience_session']}"

    with serving(make_web(runtime)) as address, httpx.Client(base_url=address, trust_env=False) as other:
        fields, said = {"id": "v1", "event": ""}, {"origin": address, "cookie": cookie}
        taken = other.post("/visitors", data={**fields, "form_token": found[1]}, headers=said)
        foreign = other.post("/visitors", data={**fields, "form_token": "0" * 64}, headers=said)

    assert (taken.status_code, foreign.status_code) == (303, 403)


def test_a_form_key_tells_nothing_of_its_session(client: httpx.Client, token: Token) -> None:
    client.post("/login", data={"token": token(Scope.OPERATOR, name="ops")})
    secret = client.cookies["experience_session"]

    assert secret not in client.get("/visitors?id=v1").text
    assert client.get("/executions", headers=bearing("x")).status_code in (303, 401)
