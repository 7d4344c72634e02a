"""Runs are kept: what failed is seen by the API, the pages, the log and the metrics, without secrets."""

import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.errors import DatabaseUnavailable
from experience_runtime.runtime import Runtime

from .conftest import Token, bearing, write

BROKEN = """module.exports = function variation (options) {
  options.log.info('<b>begins</b>')
  throw new Error('it broke for ' + options.meta.visitorId)
}
"""
REFUSED = """module.exports = function variation (options) {
  const hook = options.integration('webhook')
  return hook.schedule({ body: {} }, { delay: 'soon' })
    .catch(() => hook.schedule({ body: {} }, { delay: '1 day' }))
}
"""


@pytest.fixture
def shop(client: httpx.Client, folder: Path) -> httpx.Client:
    """A server with experiences that throw, that are refused a call, and that run."""
    write(folder / "drafts/broken/variation.js", BROKEN)
    write(folder / "drafts/refused/variation.js", REFUSED)
    return client


def run(client: httpx.Client, name: str, visitor: str = "v1", **headers: str) -> Any:
    answer = client.post(f"/v1/experiences/{name}/run", json={"visitor": visitor}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/runs{query}")
    assert answer.status_code == 200, answer.text
    runs: list[dict[str, Any]] = answer.json()["runs"]
    return runs


def test_a_run_that_throws_is_kept_with_its_place_and_its_log(shop: httpx.Client) -> None:
    run(shop, "broken")

    (kept,) = listed(shop)
    whole = shop.get(f"/v1/runs/{kept['id']}").json()

    assert (kept["experience"], kept["outcome"], kept["visitor"], kept["trigger"]) == (
        "broken",
        "failed",
        "v1",
        "api",
    )
    assert (kept["code"], kept["place"]) == ("script_error", "variation.js:3:37")
    assert "it broke for v1" in kept["message"]
    assert "<b>begins</b>" in [line["message"] for line in whole["log"]]
    assert whole["calls"] == whole["executions"] == []


def test_a_refused_call_is_kept_and_the_execution_names_its_run(shop: httpx.Client) -> None:
    made = run(shop, "refused")["executions"][0]["id"]

    (kept,) = listed(shop, "?experience=refused")

    assert kept["outcome"] == "ran"
    assert kept["executions"] == [made]
    (refusal,) = kept["refused"]
    assert (refusal["integration"], refusal["verb"], refusal["code"]) == (
        "webhook",
        "schedule",
        "invalid_delay",
    )
    assert refusal["place"].startswith("variation.js:3:")
    assert '"soon"' in refusal["message"]
    assert shop.get(f"/v1/executions/{made}").json()["run"] == kept["id"]


def test_an_experience_that_cannot_be_read_is_kept_as_failed(shop: httpx.Client, folder: Path) -> None:
    write(folder / "drafts/half/variation.js", "module.exports = function (")

    run(shop, "half")

    (kept,) = listed(shop, "?outcome=failed")
    assert (kept["experience"], kept["code"]) == ("half", "syntax_error")


def test_what_failed_is_one_warning_each_with_experience_code_and_place(
    shop: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="experience_runtime"):
        run(shop, "broken")
        run(shop, "refused")
        run(shop, "reminder")

    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 2, told
    assert re.fullmatch(
        r"run failed: experience broken, code script_error, place variation\.js:3:37 \(run rn_\w{13}\)",
        told[0],
    )
    assert re.fullmatch(
        r"call refused: experience refused, code invalid_delay, place variation\.js:3:\d+ "
        r"\(schedule of webhook, run rn_\w{13}\)",
        told[1],
    )


def test_metrics_count_by_experience_and_outcome(shop: httpx.Client) -> None:
    for name in ("broken", "broken", "refused"):
        run(shop, name)

    text = shop.get("/metrics").text

    assert 'experience_runs_total{experience="broken",outcome="failed"} 2.0' in text
    assert 'experience_runs_total{experience="refused",outcome="ran"} 1.0' in text
    assert 'experience_refused_calls_total{code="invalid_delay",experience="refused"} 1.0' in text


def test_lists_are_filtered_page_by_page_and_refuse_what_is_no_filter(shop: httpx.Client) -> None:
    for visitor in ("v1", "v2", "v3"):
        run(shop, "broken", visitor)
        run(shop, "reminder", visitor)

    first = shop.get("/v1/runs?outcome=failed&limit=2").json()
    second = shop.get(f"/v1/runs?outcome=failed&limit=2&cursor={first['next']}").json()

    assert [each["visitor"] for each in first["runs"] + second["runs"]] == ["v3", "v2", "v1"]
    assert second["next"] is None
    assert [each["experience"] for each in listed(shop, "?visitor=v2")] == ["reminder", "broken"]
    for query in ("?outcome=broken", "?limit=0", "?cursor=ex_0000000000001", "?nothing=1"):
        assert shop.get(f"/v1/runs{query}").status_code == 422, query
    unknown = shop.get("/v1/runs/rn_0000000000001")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_run")


def test_a_sites_run_is_kept_as_such(shop: httpx.Client, token: Token) -> None:
    site, operator = token(Scope.SITE), token(Scope.OPERATOR)

    run(shop, "reminder", **bearing(site))

    answer = shop.get("/v1/runs", headers=bearing(operator)).json()["runs"]
    assert [each["trigger"] for each in answer] == ["site"]
    assert shop.get("/v1/runs", headers=bearing(site)).status_code == 403


def test_no_secret_is_kept_of_a_run(shop: httpx.Client, folder: Path, runtime: Runtime) -> None:
    secret = "http://127.0.0.1:9/"  # the webhook's address
    write(
        folder / "drafts/leaky/variation.js",
        f"module.exports = function (options) {{ options.log.info('at', {{ url: '{secret}' }}); "
        f"throw new Error('cannot reach {secret}') }}",
    )

    run(shop, "leaky")

    (kept,) = listed(shop)
    assert "cannot reach" in kept["message"]
    stored = runtime.store.database.look(lambda read: read("find_runs", {"before": 2**63 - 1, "limit": 10}))
    assert stored
    assert secret not in str(stored) + shop.get(f"/v1/runs/{kept['id']}").text


def test_why_a_visitor_got_nothing_is_told_newest_first(shop: httpx.Client) -> None:
    run(shop, "broken", "ada")
    first = run(shop, "reminder", "ada")["executions"][0]["id"]
    second = run(shop, "reminder", "ada")["executions"][0]["id"]
    shop.post("/v1/visitors/ada/identify", json={"person": "customer-1"})
    shop.post("/v1/visitors/customer-1/convert")

    told = shop.get("/v1/visitors/ada/why").json()
    by_alias = shop.get("/v1/visitors/customer-1/why").json()

    whats = {(entry["what"], entry["execution"]) for entry in told["entries"]}
    assert {("replaced", first), ("cancelled", second), ("failed", None), ("converted", None)} <= whats
    assert [entry["at"] for entry in told["entries"]] == sorted(
        (entry["at"] for entry in told["entries"]), reverse=True
    )
    assert told["ids"] == ["ada", "customer-1"]
    assert by_alias["entries"] == told["entries"]
    (failed,) = [entry for entry in told["entries"] if entry["what"] == "failed"]
    assert failed["why"].startswith("script_error at variation.js:3:37: ")


def test_why_tells_what_an_integration_waits_for(shop: httpx.Client) -> None:
    run(shop, "reminder", "ada")
    shop.post("/v1/integrations/webhook/pause", json={"reason": "the receiver moves"})

    told = shop.get("/v1/visitors/ada/why?integration=webhook").json()
    other = shop.get("/v1/visitors/ada/why?integration=slack-update").json()

    assert "the receiver moves" in told["now"][0]
    assert [entry["what"] for entry in told["entries"]] == ["held", "ran"]
    assert [entry["what"] for entry in other["entries"]] == ["ran"]
    assert other["now"] == []


def test_pages_show_failures_grouped_and_both_ways_between_run_and_execution(shop: httpx.Client) -> None:
    for visitor in ("v1", "v2"):
        run(shop, "broken", visitor)
    made = run(shop, "refused")["executions"][0]["id"]
    kept = {each["experience"]: each["id"] for each in listed(shop)}

    overview = shop.get("/experiences").text
    page = shop.get("/experiences/broken").text
    filtered = shop.get("/experiences/broken?outcome=failed&visitor=v2").text
    of_run = shop.get(f"/runs/{kept['refused']}").text
    of_broken = shop.get(f"/runs/{kept['broken']}").text

    assert 'href="/experiences/broken"' in overview
    assert "variation.js:3:37" in page
    assert page.count("/runs/rn_") == 3  # one group, two runs
    assert filtered.count("/runs/rn_") == 2
    assert f"/executions/{made}" in of_run
    assert "invalid_delay" in of_run
    assert "&lt;b&gt;begins" in of_broken
    assert "<b>begins" not in of_broken
    assert f"/runs/{kept['refused']}" in shop.get(f"/executions/{made}").text
    visitor = shop.get("/visitors?id=v1").text
    assert "invalid_delay" in visitor
    assert f"/runs/{kept['refused']}" in visitor
    assert shop.get("/runs/rn_0000000000001").status_code == 404
    assert shop.get("/experiences/broken?outcome=lost").status_code == 422
    assert shop.get("/experiences/%3Cscript%3E").status_code == 200


def test_a_run_that_cannot_be_kept_fails_nobody_and_the_log_says_so(
    shop: httpx.Client, runtime: Runtime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the disk is full")

    monkeypatch.setattr(runtime.store.runs, "keep", full)

    assert run(shop, "reminder")["outcome"] == "ran"
    assert "a run of reminder could not be kept: the disk is full" in caplog.text


def test_an_operator_is_who_sees_a_visitors_story(shop: httpx.Client, token: Token) -> None:
    author = bearing(token(Scope.AUTHOR))
    run(shop, "broken", "ada", **author)
    assert shop.get("/experiences/broken", headers=author).status_code == 200
    assert shop.get("/v1/visitors/ada/why", headers=author).status_code == 403
