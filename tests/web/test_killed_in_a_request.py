"""A server that is killed in the middle of a request: asked again, the request ends, and happens once."""

import json
import signal
import threading
import time
from typing import Any

import httpx

from .conftest import write
from .test_serve import DEADLINE_SECONDS, Project, Served, project

__all__ = ["project"]

SLOW = """
module.exports = async function variation (options) {
  const notify = options.integration('webhook')
  await notify.schedule({ step: 1 }, { delay: '1 hour' })
  await new Promise(resolve => setTimeout(resolve, 4000))
  await notify.schedule({ step: 2 }, { delay: '1 hour' })
}
"""


MANY = """
module.exports = function variation (options) {
  const notify = options.integration('webhook')
  return Promise.all(Array.from({ length: 600 }, () => notify.schedule({ step: 1 }, { delay: '1 hour' })))
}
"""


def ask(served: Served) -> httpx.Response:
    with served.client as client:
        return client.post(
            "/v1/experiences/slow/run", json={"visitor": "v1"}, headers={"Idempotency-Key": "k"}
        )


def executions(served: Served) -> list[dict[str, Any]]:
    with served.client as client:
        return list(client.get("/v1/executions").json()["executions"])


def test_a_run_that_a_kill_interrupted_goes_on_when_it_is_asked_for_again(project: Project) -> None:
    write(project.folder / "released/slow/variation.js", SLOW)
    settings = project.folder / "experience.toml"
    settings.write_text(
        settings.read_text().replace("[experiences]", '[experiences]\nslow = "released/slow"')
    )
    served = project.serve()
    asking = threading.Thread(target=lambda: _unanswered(served))
    asking.start()
    gives_up_at = time.monotonic() + DEADLINE_SECONDS
    while not (made := executions(served)):
        assert time.monotonic() < gives_up_at
    served.end(signal.SIGKILL)
    asking.join()

    served = project.serve()
    answer, again = ask(served), ask(served)

    assert (answer.status_code, answer.json()["outcome"]) == (200, "ran")
    assert again.content == answer.content
    assert again.headers["idempotent-replayed"] == "true"
    found = executions(served)
    assert [each["payload"] for each in found] == [{"step": 2}, {"step": 1}]
    assert found[1]["id"] == made[0]["id"]
    assert [each["id"] for each in answer.json()["executions"]] == [found[1]["id"], found[0]["id"]], (
        json.dumps(answer.json())
    )


def _unanswered(served: Served) -> None:
    try:
        answer = ask(served)
    except httpx.TransportError:
        return
    raise AssertionError(f"it was answered before it was killed: {answer.text}")


def test_a_job_that_a_kill_interrupted_goes_on_in_the_next_process(project: Project) -> None:
    write(project.folder / "released/many/variation.js", MANY)
    settings = project.folder / "experience.toml"
    settings.write_text(
        settings.read_text().replace("[experiences]", '[experiences]\nmany = "released/many"')
    )
    served = project.serve("--no-worker")
    with served.client as client:
        for _ in range(4):
            ran = client.post("/v1/experiences/many/run", json={}).json()
            assert (ran["outcome"], len(ran["executions"])) == ("ran", 600)
        job = client.post("/v1/bulk/cancel", json={"everything": True}).json()["id"]
        served.end(signal.SIGKILL)

    served = project.serve("--no-worker")
    gives_up_at = time.monotonic() + DEADLINE_SECONDS
    with served.client as client:
        while (told := client.get(f"/v1/jobs/{job}").json())["state"] == "running":
            assert time.monotonic() < gives_up_at, told
        left = client.get("/v1/executions?status=pending").json()["executions"]
        history = client.get("/v1/executions?status=cancelled&limit=1").json()["executions"]

    # what ended between a batch and its note is not found again, and counts as neither
    assert (told["state"], told["matching"], left) == ("done", 2400, [])
    assert len(history) == 1
