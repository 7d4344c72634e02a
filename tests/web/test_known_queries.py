"""A name in a query that a route does not read is refused, on every page and everywhere in the API."""

import re

import httpx
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.pages.refusals import HtmlRoute
from fastapi import FastAPI

from .api_client import run

ELSEWHERE = {"/v1/openapi.json", "/login", "/static/{name}"}


def test_no_route_passes_over_a_query_that_it_does_not_know(client: httpx.Client, web: FastAPI) -> None:
    made = run(client)
    id = made["executions"][0]["id"] if "executions" in made else ""
    places = {"execution_id": id, "id": "v1", "visitor_id": "v1", "name": "webhook", "verb": "cancel"}
    routes = [each for each in web.state.routes if isinstance(each, HtmlRoute | OnceRoute)]
    asked = 0

    for route in routes:
        if "GET" not in (route.methods or ()) or route.path in ELSEWHERE or "stream" in route.path:
            continue
        path = re.sub(r"\{(\w+)(:path)?\}", lambda part: places.get(part[1], "x"), route.path)
        usual = client.get(path)
        odd = client.get(path, params={"visitr": "v1"})
        if usual.status_code == 200:
            asked += 1
            assert odd.status_code == 422, path
            assert "visitr" in odd.text, path

    assert asked > 25
    near = client.get("/v1/visitors", params={"txt": "v"}).json()
    assert (near["code"], near["detail"]) == (
        "invalid_parameter",
        'query "txt" is not known here; did you mean text?',
    )
