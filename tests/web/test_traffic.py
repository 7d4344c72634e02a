"""Traffic through a served application: who gets what, what is kept of it, and how it is shown."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from experience_runtime.domain.access import Scope
from experience_runtime.domain.traffic import read_traffic

from .conftest import Token, bearing

SHOP = "/v1/experiences/shop"
SHARES = {"control": 20, "101": 40, "202": 40}
META = {"variations": {"variation-100": {"variationIsControl": True, "variationId": 7}}}
CODE = """module.exports = function variation (options) {
  options.log.info('variation', options.meta)
  return options.integration('webhook').schedule({ body: 1 }, { delay: '1 day' })
}
"""
TRIGGERS = """module.exports = function triggers (options, cb) {
  options.log.info('triggers', options.meta)
  cb(options.data !== 'no')
}
"""


def put(client: httpx.Client, shares: Mapping[str, float]) -> None:
    files = {
        "package.json": json.dumps({"meta": META, "traffic": shares}),
        "triggers.js": TRIGGERS,
        **{f"variation-{number}.js": CODE for number in ("101", "202")},
    }
    answer = client.post(f"{SHOP}/releases", json={"files": files})
    assert answer.status_code == 200, answer.text


def ran(client: httpx.Client, visitor: str | None, **body: Any) -> list[Any]:
    """The master ids that the run's parts saw, and the variation that traffic chose."""
    found = client.post(f"{SHOP}/run", json={"visitor": visitor} | body).json()
    seen = [each["metadata"]["variationMasterId"] for each in found["log"] if each["metadata"]]
    chosen = [each["message"].split()[-1] for each in found["log"] if each["logger"] == "traffic"]
    return [*chosen, *seen, len(found["executions"])]


def test_visitors_are_shared_out_keep_what_they_saw_and_are_counted(
    client: httpx.Client, token: Token
) -> None:
    client.headers.update(bearing(token(Scope.OPERATOR, name="ops")))
    put(client, SHARES)
    chosen = read_traffic(SHARES, ["101", "202"])
    visitors = {f"v{number}": chosen.of("shop", f"v{number}") for number in range(12)}
    assert set(visitors.values()) == {"control", "101", "202"}
    expected = {
        visitor: ["control", 100, 0] if name == "control" else [name, int(name), int(name), 1]
        for visitor, name in visitors.items()
    }

    assert {visitor: ran(client, visitor) for visitor in visitors} == expected
    put(client, {"control": 1, "101": 98, "202": 1})
    assert {visitor: ran(client, visitor) for visitor in visitors} == expected
    put(client, {"control": 50, "202": 50})
    left = {visitor: ran(client, visitor)[0] for visitor in visitors}
    assert all(left[visitor] == name for visitor, name in visitors.items() if name != "101")
    assert "101" not in left.values()

    # what is asked for by its name, nobody known, and triggers that say no: shown and counted nowhere
    before = client.get(f"{SHOP}/traffic").json()
    assert ran(client, "asked", variation="101") == [101, 101, 1]
    assert ran(client, "asked", variation="control") == [100, 0]
    assert ran(client, None) == ["202", 202, 202, 1]
    assert ran(client, "said no", data="no")[-1] == 0
    assert client.get(f"{SHOP}/traffic").json() == before
    counted = {each["variation"]: each["visitors"] for each in before["variations"]}
    assert counted == {name: list(left.values()).count(name) for name in ("control", "202")}

    buyer = next(visitor for visitor, name in left.items() if name == "202")
    client.post(f"/v1/visitors/{buyer}/convert", json={})
    (_, shown) = client.get(f"{SHOP}/traffic").json()["variations"]
    assert (shown["variation"], shown["converted"], shown["rate"]) == ("202", 1, round(1 / counted["202"], 6))
    assert 0 < shown["low"] < shown["rate"] < shown["high"] < 1
    assert shown["executions"] >= counted["202"]
    page = client.get("/experiences/shop/traffic").text
    assert f"{shown['low'] * 100:.2f} % to {shown['high'] * 100:.2f} %" in page
    exported = client.get(f"/v1/visitors/{buyer}/export").json()["exposures"]
    assert [(each["experience"], each["variation"]) for each in exported] == [("shop", "202")]
    client.delete(f"/v1/visitors/{buyer}")
    assert client.get(f"{SHOP}/traffic").json()["variations"][1]["visitors"] == counted["202"] - 1


def test_a_simulation_gives_each_visitor_theirs_and_a_story_may_name_one(client: httpx.Client) -> None:
    put(client, SHARES)
    chosen = read_traffic(SHARES, ["101", "202"])
    runs = [{"do": "run", "visitor": f"v{number}"} for number in range(8)]

    def seen(**story: Any) -> list[Any]:
        body = {"experience": "shop", "story": {"steps": runs, **story}}
        answer = client.post("/v1/simulate", json=body).json()
        return [each["metadata"]["variationMasterId"] for each in answer["log"] if each["metadata"]]

    of_shares = [chosen.of("shop", f"v{number}") for number in range(8)]
    assert set(of_shares) == {"control", "101", "202"}
    assert seen() == [
        int(name) if name != "control" else 100
        for name in of_shares
        for _ in range(1 if name == "control" else 2)
    ]
    assert seen(variation="202") == [202] * 16
    assert seen(variation="control") == [100] * 8
    assert client.get(f"{SHOP}/traffic").json()["variations"] == []


def test_shares_that_cannot_be_are_found_by_the_check_and_refuse_the_run_and_the_release(
    client: httpx.Client,
) -> None:
    def files(**more: str) -> dict[str, str]:
        package = '{\n  "traffic": {"101": 1, "220": 1}\n}'
        return {"package.json": package, "variation-101.js": CODE, "variation-202.js": CODE} | more

    checked = client.post("/v1/check", json={"files": files()}).json()
    simulated = client.post("/v1/simulate", json={"files": files()}).json()
    released = client.post(f"{SHOP}/releases", json={"files": files()}).json()

    (problem,) = checked["problems"]
    assert (problem["file"], problem["line"]) == ("package.json", 2)
    assert 'did you mean "202"?' in problem["message"]
    assert simulated["error"]["message"] == problem["message"]
    assert (released["code"], problem["message"] in released["detail"]) == ("not_releasable", True)
    # every variation that has a share is looked into
    package = '{"traffic": {"control": 1, "101": 1, "202": 1}}'
    broken = files(**{"package.json": package, "variation-101.js": "module.exports = () => {}; let a; let a"})
    (problem,) = client.post("/v1/check", json={"files": broken}).json()["problems"]
    assert (problem["file"], problem["line"]) == ("variation-101.js", 1)
