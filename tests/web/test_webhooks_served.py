"""Webhooks end to end: a served process tells a receiver, which verifies who told it."""

import threading
import time
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook as Receiver

from .test_serve import DEADLINE_SECONDS, Project, project

__all__ = ["project"]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_receiver_is_told_once_of_each_end_also_by_the_process_that_comes_after(
    project: Project, httpserver: HTTPServer
) -> None:
    for path, status in (("/hook", 200), ("/card", 400)):
        httpserver.expect_request(path).respond_with_data("", status=status)
    settings, file = project.folder / "experience.toml", project.folder / "secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    settings.write_text(
        settings.read_text().replace(_webhook_table(settings), "")
        + f'[integrations.webhook]\nurl = "{httpserver.url_for("/card")}?token=hidden-token"\n'
        f'[webhooks.crm]\nurl = "{httpserver.url_for("/hook")}"\nsecret = "file:{file}"\n'
        'on = ["execution.failed", "execution.cancelled"]\n'
    )
    served = project.serve("--no-worker")
    with served.client as client:
        failing = _scheduled(client, "fails", {"delay": "0 seconds"})
        _scheduled(client, "waits", {"delay": "1 hour"})
        cancelled = _scheduled(client, "goes", {"delay": "1 hour"})
        assert client.post(f"/v1/executions/{cancelled}/cancel", json={}).status_code == 200
        forged = client.post("/v1/integrations/state-changes/schedule", json={"payload": {}, "options": {}})
    served.process.kill()  # what it has not told yet, the next one tells
    project.serving("worker")
    tested = project.experience("webhooks", "test", "crm")

    arrived = _arrived(httpserver, 3)

    by_type = {each["type"]: each for each in arrived}
    assert set(by_type) == {"execution.failed", "execution.cancelled", "test"}
    failed = by_type["execution.failed"]["data"]
    assert (failed["from"], failed["to"]) == ("running", "failed")
    assert failed["execution"]["id"] == failing
    assert failed["execution"]["payload"] == {"to": "fails"}
    assert (failed["attempt"]["status"], failed["execution"]["status"]) == (400, "failed")
    assert by_type["execution.cancelled"]["data"]["execution"]["id"] == cancelled
    assert (forged.status_code, forged.json()["code"]) == (422, "invalid_parameter")
    assert tested.stdout == "crm took the event\n"
    listed = project.experience("webhooks", "list").stdout
    assert listed == "crm                  execution.failed, execution.cancelled  of every integration\n"
    assert len(_arrived(httpserver, 3)) == 3
    everything = str(arrived) + listed + "".join(each.log.read_text() for each in project.running)
    assert not [each for each in ("hidden-token", SECRET) if each in everything]


def _webhook_table(settings: Path) -> str:
    """The table of the webhook in the settings of the folder, if it has one."""
    _, begins, rest = settings.read_text().partition("[integrations.webhook]\n")
    return begins + rest.partition("[")[0]


def _scheduled(client: Any, to: str, options: dict[str, Any]) -> str:
    answer = client.post(
        "/v1/integrations/webhook/schedule", json={"payload": {"to": to}, "options": options}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def _arrived(receiver: HTTPServer, count: int) -> list[Any]:
    """Wait for so many events; each as a receiver verifies it."""
    ends_at = time.monotonic() + DEADLINE_SECONDS
    while True:
        arrived = [request for request, _ in receiver.log if request.path == "/hook"]
        if len(arrived) >= count:
            return [Receiver(SECRET).verify(each.data, dict(each.headers)) for each in arrived]
        assert time.monotonic() < ends_at, arrived
        threading.Event().wait(0.05)
