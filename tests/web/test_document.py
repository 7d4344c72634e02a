"""The API's document: names that people type, an example of each body, and the page that shows it."""

import re
from typing import Any

import httpx
from experience_runtime.web.api.document import TAGS
from experience_runtime.web.api.examples import BODIES
from experience_runtime.web.pages.reference import WIRE
from fastapi import FastAPI

from .conftest import Token, bearing


def operations(web: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    paths = web.openapi()["paths"]
    return [(method, path, each) for path, item in paths.items() for method, each in item.items()]


def test_every_operation_has_a_name_that_people_type_a_group_and_a_sentence(web: FastAPI) -> None:
    found = operations(web)
    names = [each["operationId"] for _, _, each in found]

    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name)] == []
    assert {"scheduleIntegration", "listExecutions", "moveExecution", "sendEvent"} <= set(names)
    assert {tag for _, _, each in found for tag in each["tags"]} == {name for name, _ in TAGS}
    assert all(each["summary"] and each["description"] for _, path, each in found if path.startswith("/v1/"))


def test_every_body_has_an_example_that_is_taken(web: FastAPI) -> None:
    schemas = web.openapi()["components"]["schemas"]
    bodies = set()
    for _, _, each in operations(web):
        for content in each.get("requestBody", {}).get("content", {}).values():
            refs = [content["schema"], *content["schema"].get("anyOf", [])]
            bodies |= {ref["$ref"].rpartition("/")[2] for ref in refs if "$ref" in ref}

    assert {name for name in bodies if "examples" not in schemas[name]} == set()
    assert set(BODIES) <= bodies
    for name in bodies:
        properties = schemas[name]["properties"]
        for example in schemas[name]["examples"]:
            assert set(schemas[name].get("required", [])) <= set(example) <= set(properties), name


def test_instants_of_answers_say_their_format(web: FastAPI) -> None:
    schemas = web.openapi()["components"]["schemas"]

    assert schemas["WholeExecution"]["properties"]["due_at"]["format"] == "date-time"
    assert schemas["ScheduleDocument"]["properties"]["next_at"]["anyOf"][0]["format"] == "date-time"


def test_the_page_shows_every_operation_to_anybody_and_loads_nothing_from_elsewhere(
    client: httpx.Client, web: FastAPI, token: Token
) -> None:
    operator = token(name="ops")

    page = client.get("/docs")
    signed_in = client.get("/docs", headers=bearing(operator)).text

    assert page.status_code == 200
    for method, path, each in operations(web):
        assert f'<details id="{each["operationId"]}">' in page.text
        assert f'<strong>{method.upper()}</strong> <code class="hostile">{path}</code>' in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
    assert ('<nav aria-label="Main">' in page.text, '<nav aria-label="Main">' in signed_in) == (False, True)
    wired = {
        (method, route.path)
        for route in web.state.routes
        if route.endpoint.__module__.startswith("experience_runtime.web.wire.")
        for method in route.methods - {"HEAD"}
        if "{site_key}" not in route.path
    }
    assert {(method, path) for method, path, _, _ in WIRE} == wired
    assert client.get("/v1/openapi.json").json()["servers"] == [{"url": "/"}]
