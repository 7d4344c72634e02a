"""Releases over HTTP and on the pages: who may, what is refused, and what a change was decided on."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from experience_runtime.domain.access import Scope
from experience_runtime.domain.releases import MOST_FILE_BYTES
from experience_runtime.runtime import Runtime

from .conftest import REMINDER, Token, bearing, write

AT = "/v1/experiences/shop/releases"
STORY = '{"steps": [{"do": "run"}], "expect": [{"integration": "webhook"}]}'


def files(text: str) -> dict[str, str]:
    return {"variation.js": f"module.exports = ({{ log }}) => log.info('{text}')\n"}


def said(client: httpx.Client, **body: Any) -> str:
    answer = client.post("/v1/experiences/shop/run", json={"visitor": "v1"} | body).json()
    return str(answer["log"][0]["message"] if answer.get("log") else answer.get("code"))


def test_a_program_releases_compares_goes_back_and_is_told_when_somebody_was_quicker(
    client: httpx.Client, token: Token
) -> None:
    client.headers.update(bearing(token(Scope.OPERATOR, name="ops")))
    assert client.get(AT).json()["code"] == "unknown_release"

    first = client.post(AT, json={"files": files("one"), "note": "the first", "expected": 0}).json()
    second = client.post(AT, json={"files": files("two") | {"a.json": "1"}}).json()
    late = client.post(AT, json={"files": files("three"), "expected": first["live"]["version"]})

    assert (first["number"], first["actor"], first["live"]["active"]) == (1, "ops", 1)
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert said(client) == "two"
    listed = client.get(AT, params={"limit": 1}).json()
    assert ([each["number"] for each in listed["releases"]], listed["next"]) == ([2], 2)
    rest = client.get(AT, params={"before": listed["next"]}).json()
    assert ([each["note"] for each in rest["releases"]], rest["next"]) == (["the first"], None)
    shown = client.get(f"{AT}/2").json()
    assert {each["name"]: each["text"] for each in shown["files"]} == files("two") | {"a.json": "1"}
    assert shown["digest"] == second["digest"]
    changed = client.get(f"{AT}/2/diff", params={"against": 1}).json()["changed"]
    assert [each["file"] for each in changed] == ["a.json", "variation.js"]
    version = second["live"]["version"]
    for verb, runs in (("rollback", "one"), ("deactivate", "module_not_found"), ("1/activate", "one")):
        stale = client.post(f"{AT}/{verb}", json={"expected": version - 1})
        assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
        done = client.post(f"{AT}/{verb}", json={"expected": version})
        assert done.status_code == 200, done.text
        assert said(client) == runs
        version = done.json()["version"]
    shared = client.post(f"{AT}/2/activate", json={"expected": version, "share": "2.5%"}).json()
    assert (shared["active"], shared["partial"], shared["share"]) == (1, 2, "2.5%")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a name that leads elsewhere": ({"files": {"../x.js": ""}}, "invalid_parameter"),
    "a name that is no code": ({"files": {"variation.js\n": ""}}, "invalid_parameter"),
    "no file": ({"files": {}}, "invalid_parameter"),
    "too many": ({"files": {f"{n}.json": "1" for n in range(201)}}, "invalid_parameter"),
    "a text that is none": ({"files": {"variation.js": 1}}, "invalid_parameter"),
    "a text too large": ({"files": {"variation.js": " " * MOST_FILE_BYTES}}, "payload_too_large"),
    "what fails its check": ({"files": {"variation.js": "let a; let a"}}, "not_releasable"),
    "what fails its story": ({"files": files("x") | {"story.json": STORY}}, "not_releasable"),
    "no share": ({"files": files("x"), "share": "110%"}, "invalid_parameter"),
    "a share beside nothing": ({"files": files("x"), "share": "10%"}, "conflict"),
    "a version that is none": ({"files": files("x"), "expected": -1}, "invalid_parameter"),
    "a note too long": ({"files": files("x"), "note": "x" * 1001}, "invalid_parameter"),
}


def test_what_cannot_be_released_is_refused_and_nothing_is_kept(
    client: httpx.Client, runtime: Runtime
) -> None:
    found = {name: client.post(AT, json=body) for name, (body, _) in BAD.items()}

    told = {name: answer.json()["code"] for name, answer in found.items()}
    assert told == {name: code for name, (_, code) in BAD.items()}
    assert "story.json: expect[0]" in found["what fails its story"].text
    assert "raise largest_body_kib" in found["a text too large"].text
    assert client.post("/v1/experiences/a%2Fb/releases", json={"files": files("x")}).status_code in (404, 422)
    assert runtime.store.releases.live() == []


def test_authors_release_where_the_settings_say_so(
    behind: Callable[[str], httpx.Client], folder: Path, client: httpx.Client, token: Token
) -> None:
    author, viewer = bearing(token(Scope.AUTHOR)), bearing(token(Scope.VIEWER))
    body = {"files": files("x")}

    refused = client.post(AT, json=body, headers=author)
    open_to_authors = behind("authors_may_release = true")

    assert (refused.status_code, "authors_may_release" in refused.text) == (403, True)
    assert open_to_authors.post(AT, json=body, headers=author).status_code == 200
    assert open_to_authors.post(AT, json=body, headers=viewer).status_code == 403
    assert open_to_authors.post("/v1/schedules/a/pause", headers=author).status_code == 403
    assert folder.is_dir()


def test_a_draft_runs_where_it_is_asked_for_also_while_nothing_is_released(
    client: httpx.Client, folder: Path, token: Token
) -> None:
    write(folder / "drafts/shop/variation.js", "module.exports = ({ log }) => log.info('draft')")
    made = client.post(AT, json={"files": files("released")}).json()

    assert (said(client), said(client, draft=True)) == ("released", "draft")
    client.post(f"{AT}/deactivate", json={"expected": made["live"]["version"]})
    assert (said(client), said(client, draft=True)) == ("module_not_found", "draft")
    simulated = client.post("/v1/simulate", json={"experience": "shop", "draft": True}).json()
    assert simulated["log"][0]["message"] == "draft"
    for name, code in (("gone", "module_not_found"), ("shop", None)):
        checked = client.post("/v1/check", json={"experience": name, "draft": True}).json()
        assert checked.get("code") == code
    site = bearing(token(Scope.SITE))
    asked = client.post("/v1/experiences/shop/run", json={"draft": True}, headers=site)
    assert (asked.status_code, asked.json()["code"]) == (403, "forbidden")


def test_the_page_compares_asks_and_changes_only_what_it_showed(client: httpx.Client, token: Token) -> None:
    hostile = {"variation.js": "module.exports = () => {} // <script>alert(1)</script>"}
    for sent in (files("one"), hostile):
        client.post(AT, json={"files": sent, "note": "<b>bold</b>"})
    page = client.get("/experiences/shop").text
    assert "<b>bold" not in page
    assert 'href="/experiences/shop/releases/ask/rollback"' in page

    one = client.get("/experiences/shop/releases/2").text
    assert "alert(1)&lt;/script&gt;" in one
    assert "<script>alert" not in one
    question = client.get("/experiences/shop/releases/ask/rollback").text
    assert "Then release 1 runs" in question
    form = dict(re.findall(r'name="(form_token|version)" value="([^"]*)"', question))
    stale = form | {"version": "1"}

    refused = client.post("/experiences/shop/releases/ask/rollback", data=stale)
    assert (refused.status_code, "changed meanwhile" in refused.text) == (409, True)
    done = client.post("/experiences/shop/releases/ask/rollback", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/experiences/shop")
    assert said(client) == "one"
    newest = client.get(AT).json()["live"]["version"]
    activate = {**form, "version": str(newest), "number": "2", "share": "x"}
    bad = client.post("/experiences/shop/releases/ask/activate", data=activate)
    assert (bad.status_code, "is none; write a percentage" in bad.text) == (422, True)
    forged = {**activate, "share": "", "form_token": "x"}
    assert client.post("/experiences/shop/releases/ask/activate", data=forged).status_code == 403
    assert (
        client.post("/experiences/shop/releases/ask/activate", data={**activate, "share": ""}).status_code
        == 303
    )
    for place in (
        "releases/99",
        "releases/ask/activate",
        "releases/ask/activate?number=99",
        "releases/ask/x",
    ):
        assert client.get(f"/experiences/shop/{place}").status_code in (404, 422), place
    assert client.get("/experiences/none/releases/ask/rollback").status_code == 404
    client.post("/login", data={"token": token(Scope.VIEWER)})
    assert "ask/rollback" not in client.get("/experiences/shop").text
    assert client.get("/experiences/shop/releases/1").status_code == 200
    assert client.get("/experiences/shop/releases/ask/rollback").status_code == 403
    assert REMINDER not in page
