"""The API's main paths: what each verb answers over HTTP is what it answers everywhere."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.runtime import Runtime

from .api_client import done, refused, run

PUBLISHED = """module.exports = function variation (options) {
  const options = { delay: 1000 }
}
"""


# --- experiences


def test_experiences_are_listed_by_name(client: httpx.Client) -> None:
    assert done(client.get("/v1/experiences")) == {
        "experiences": [
            {"name": "draft", "released": False, "release": None, "source": "draft"},
            {"name": "reminder", "released": True, "release": None, "source": "path"},
        ]
    }


def test_a_run_answers_the_document_of_the_command_line(client: httpx.Client, runtime: Runtime) -> None:
    ran = run(client)

    assert (ran["experience"], ran["outcome"], ran["error"]) == ("reminder", "ran", None)
    assert ran["visitor"] == {"id": "v1", "timezone": "Europe/Paris", "timezone_offset": None}
    (execution,) = ran["executions"]
    assert (execution["status"], execution["zone"]) == ("pending", "Europe/Paris")
    assert execution["payload"] == {"body": {"remind": "the payload"}}
    assert runtime.store.count(Filter(statuses=[Status.PENDING], visitor="v1", experience="reminder")) == 1


def test_what_is_not_there_cannot_be_run(client: httpx.Client) -> None:
    for name in ("nothing", "..", "%2e%2e%2freleased", "released/reminder", "reminder%00"):
        assert client.post(f"/v1/experiences/{name}/run", json={}).status_code == 404


def test_a_draft_that_is_a_link_out_of_its_folder_is_not_there(
    client: httpx.Client, runtime: Runtime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "variation.js").write_text("module.exports = function () {}")
    drafts = runtime.settings.served.drafts
    assert drafts is not None
    (drafts / "linked").symlink_to(outside)

    assert "linked" not in str(done(client.get("/v1/experiences")))
    assert refused(client.post("/v1/experiences/linked/run", json={}), 404) == "module_not_found"


def test_a_simulation_sends_nothing_and_stores_nothing(client: httpx.Client, runtime: Runtime) -> None:
    body = {
        "experience": "reminder",
        "visitor": "v1",
        "timezone": "Europe/Paris",
        "at": "2026-03-06T15:30:00Z",
    }

    simulated = done(client.post("/v1/simulate", json=body))

    (execution,) = simulated["executions"]
    assert (execution["status"], execution["due_at"]) == ("succeeded", "2026-03-06T17:30:00.000Z")
    assert runtime.store.count(Filter()) == 0


def test_a_pasted_experience_is_simulated_with_its_story(client: httpx.Client) -> None:
    body = {
        "files": {
            "variation.js": "module.exports = o => o.integration('webhook').schedule({body: 1}, {delay: 9})"
        },
        "story": {
            "at": "2026-03-06T15:30:00Z",
            "steps": [{"do": "run"}],
            "answers": {"webhook": [{"status": 503, "retry_after": 60}]},
            "expect": [{"integration": "webhook", "status": "failed"}],
        },
    }

    simulated = done(client.post("/v1/simulate", json=body))

    assert [a["outcome"] for a in simulated["executions"][0]["attempts"]] == ["held", "succeeded"]
    assert len(simulated["differences"]) == 1


def test_a_pasted_experience_is_checked_and_repaired(client: httpx.Client) -> None:
    files = {"variation.js": PUBLISHED}

    checked = done(client.post("/v1/check", json={"files": files}))
    repaired = done(client.post("/v1/check", json={"files": files, "repair": True}))

    assert [(p["code"], p["line"]) for p in checked["problems"]] == [("syntax_error", 2)]
    assert repaired == {"ok": True, "problems": [], "warnings": [], "waits": []}


@pytest.mark.parametrize(
    "files",
    [
        {"../evil.js": "1"},
        {"/etc/passwd.js": "1"},
        {"a/b.js": "1"},
        {"variation.py": "1"},
        {".js": "1"},
        {"a\0.js": "1"},
        {f"f{n}.js": "1" for n in range(21)},
    ],
)
def test_a_file_that_no_experience_has_is_refused(client: httpx.Client, files: dict[str, str]) -> None:
    assert refused(client.post("/v1/check", json={"files": files}), 422) == "invalid_parameter"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/experiences/reminder/run", {"timezone_offset": False}),
        ("/v1/experiences/reminder/run", {"timezone_offset": "60"}),
        ("/v1/explain", {"delay": True}),
        ("/v1/check", {"source": "", "repair": "yes"}),
        ("/v1/bulk/cancel", {"everything": 1}),
        ("/v1/simulate", {"source": "", "story": {"visitors": [{"id": "v", "timezone_offset": True}]}}),
    ],
)
def test_a_value_of_another_type_is_refused_and_not_read_as_one(
    client: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    assert refused(client.post(path, json=body), 422) == "invalid_parameter"


def test_an_instant_is_explained(client: httpx.Client) -> None:
    body = {
        "delay": "3 hours",
        "window": {"day": "monday-friday", "time": "09:00-17:00"},
        "timezone": "America/New_York",
        "at": "2026-03-06T21:30:00Z",
    }

    explained = done(client.post("/v1/explain", json=body))

    assert explained["due_local"] == "2026-03-09T09:00:00.000-04:00"
    assert explained["zone_from"] == "visitor_zone"
    assert refused(client.post("/v1/explain", json={"delay": 1, "time": 1}), 422) == "delay_and_time"


# --- executions


def test_executions_are_listed_page_by_page_and_by_filter(client: httpx.Client) -> None:
    made = [run(client, f"v{n}")["executions"][0]["id"] for n in range(5)]

    first = done(client.get("/v1/executions", params={"limit": 3}))
    rest = done(client.get("/v1/executions", params={"limit": 3, "cursor": first["next"]}))
    of_one = done(client.get("/v1/executions", params={"visitor": "v2", "status": ["pending", "failed"]}))
    found = done(client.get("/v1/executions", params={"text": made[4]}))

    assert [each["id"] for each in first["executions"] + rest["executions"]] == made[::-1]
    assert rest["next"] is None
    assert [(each["id"], each["visitor"], each["experience"]) for each in of_one["executions"]] == [
        (made[2], "v2", "reminder")
    ]
    assert [each["id"] for each in found["executions"]] == [made[4]]
    assert refused(client.get("/v1/executions", params={"cursor": "x"}), 422) == "invalid_parameter"
    assert refused(client.get("/v1/executions", params={"since": "soon"}), 422) == "invalid_time"
    assert refused(client.get("/v1/executions", params={"limit": 501}), 422) == "invalid_parameter"
    assert refused(client.get("/v1/executions", params={"foo": 1}), 422) == "invalid_parameter"


def test_an_execution_is_cancelled_once_and_shown_with_its_history(client: httpx.Client) -> None:
    id = run(client)["executions"][0]["id"]

    cancelled = done(client.post(f"/v1/executions/{id}/cancel", json={"reason": "the offer ended"}))

    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "the offer ended")
    assert [change["to"] for change in cancelled["history"]] == ["pending", "cancelled"]
    assert done(client.get(f"/v1/executions/{id}")) == cancelled
    assert refused(client.post(f"/v1/executions/{id}/cancel"), 409) == "conflict"
    assert refused(client.post(f"/v1/executions/{id}/replay"), 409) == "conflict"
    restored = done(client.post(f"/v1/executions/{id}/restore"))
    assert (restored["status"], restored["reason"]) == ("pending", "restored")
    assert refused(client.post(f"/v1/executions/{id}/restore"), 409) == "conflict"
    assert refused(client.get("/v1/executions/ex_0000000000001"), 404) == "unknown_execution"
    assert refused(client.get("/v1/executions/nonsense"), 404) == "unknown_execution"


def test_a_failed_execution_is_replayed(client: httpx.Client) -> None:
    failed = client.post("/v1/integrations/webhook/call", json={"payload": {"body": 1}, "timeout_ms": 2000})
    assert refused(failed, 422) == "blocked_address"  # loopback is not allowed in the settings
    (execution,) = done(client.get("/v1/executions"))["executions"]

    replayed = done(client.post(f"/v1/executions/{execution['id']}/replay"))

    assert (replayed["status"], replayed["reason"]) == ("pending", "replayed")


def wait_for(client: httpx.Client, job: Any) -> Any:
    while job["state"] == "running":
        job = done(client.get(f"/v1/jobs/{job['id']}"))
    return job


def test_many_are_cancelled_by_a_job_after_a_dry_run(client: httpx.Client, runtime: Runtime) -> None:
    for n in range(3):
        run(client, f"v{n}")
    filter = {"integration": "webhook", "visitor": "v1"}

    counted = done(client.post("/v1/bulk/cancel", json={"filter": filter, "dry_run": True}))
    begun = client.post("/v1/bulk/cancel", json={"filter": filter, "reason": "over"})
    ended = wait_for(client, done(begun))

    assert counted == {"matching": 1}
    assert begun.status_code == 202
    assert (ended["state"], ended["matching"], ended["seen"], ended["done"]) == ("done", 1, 1, 1)
    assert runtime.store.count(Filter(statuses=[Status.CANCELLED], reason="over")) == 1
    restored = wait_for(client, done(client.post("/v1/bulk/restore", json={"filter": filter})))
    at = "2030-01-01T09:00:00.000Z"
    too_far = client.post("/v1/bulk/move", json={"filter": filter, "time": at})
    moved = wait_for(client, done(client.post("/v1/bulk/move", json={"filter": filter, "delay": "9 days"})))
    (execution,) = done(client.get("/v1/executions", params=filter))["executions"]
    assert (restored["verb"], restored["done"], moved["verb"], moved["done"]) == ("restore", 1, "move", 1)
    ahead = datetime.fromisoformat(execution["due_at"]) - runtime.clock.now()
    assert timedelta(days=8) < ahead <= timedelta(days=9)
    assert refused(too_far, 422) == "beyond_limit"
    assert refused(client.post("/v1/bulk/move", json={"filter": filter}), 422) == "no_delay_or_time"
    assert refused(client.post("/v1/bulk/cancel", json={}), 422) == "invalid_parameter"
    wrong = {"filter": {"status": ["running"]}}
    assert refused(client.post("/v1/bulk/replay", json=wrong), 422) == "invalid_parameter"
    assert refused(client.get("/v1/jobs/job_1"), 404) == "unknown_execution"


# --- state


def test_numbers_are_there_for_prometheus(client: httpx.Client) -> None:
    run(client)

    text = client.get("/metrics").text

    assert 'experience_executions{status="pending"} 1.0' in text
    assert 'experience_backlog{integration="webhook"} 1.0' in text
    assert 'experience_runs_total{experience="reminder",outcome="ran"} 1.0' in text
    assert 'route="/v1/experiences/{name}/run",status="200"} 1.0' in text
    assert "experience_due_to_start_seconds_count 0.0" in text


def test_the_document_of_the_api_is_complete(client: httpx.Client) -> None:
    document = done(client.get("/v1/openapi.json"))

    assert document["openapi"].startswith("3.1.")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            if path.startswith("/v1"):
                assert {"401", "403", "422", "429", "500"} <= set(operation["responses"]), where
                assert any(s.startswith("2") for s in operation["responses"]), where
                changes = method != "get" and not path.endswith("/search")  # a search only reads
                assert not changes or any(
                    p["name"].lower() == "idempotency-key" for p in operation["parameters"]
                ), where
                for status, answer in operation["responses"].items():
                    for media in answer["content"].values():
                        assert "example" in media, f"{where} {status}"
