"""Alerts end to end: a server and a worker on one database, and a Slack that hears of them once."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .test_serve import DEADLINE_SECONDS, Project, project

__all__ = ["project"]


class Slack:
    """An incoming webhook; `arrived` are the bodies of what was posted to it."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                slack.arrived.append(self.rfile.read(length).decode())
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/services/T0/hidden"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hears(self, count: int) -> str:
        """Wait for so many messages; return the last."""
        ends_at = time.monotonic() + DEADLINE_SECONDS
        while len(self.arrived) < count:
            assert time.monotonic() < ends_at, self.arrived
            threading.Event().wait(0.05)
        return self.arrived[-1]


@pytest.fixture
def slack() -> Iterator[Slack]:
    made = Slack()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_breaker_that_opens_arrives_once_with_its_page_and_so_does_its_end(
    project: Project,
    slack: Slack,
) -> None:
    settings = project.folder / "experience.toml"
    settings.write_text(
        settings.read_text().replace("[serve]", '[serve]\npublic_url = "https://runtime.example"')
        + f'[integrations.slack-update]\nurl = "{slack.url}"\n[delivery.webhook]\nbreaker_failures = 1\n'
        '[alerts.ops]\nintegration = "slack-update"\non = ["breaker_opened", "no_worker", "disk"]\n'
    )
    tested = project.experience("alerts", "test", "ops")
    served = project.serve("--no-worker")
    project.serving("worker")

    with served.client as client:
        daily = {"integration": "webhook", "payload": {"card": "4111"}, "daily": "09:00", "timezone": "UTC"}
        assert client.put("/v1/schedules/now", json=daily).status_code == 200
        id = client.post("/v1/schedules/now/run").json()["id"]  # nobody listens on that port
        alarm = slack.hears(2)
        listed = project.experience("alerts", "list").stdout
        assert client.post(f"/v1/executions/{id}/cancel", json={}).status_code == 200
        assert client.post("/v1/integrations/webhook/resume", json={}).status_code == 200
        over = slack.hears(3)
    assert served.end() == 0

    assert tested.stdout == "slack-update took the message\n"
    assert "Test (ops)" in slack.arrived[0]
    assert "Alarm (ops)" in alarm
    assert "the circuit breaker of webhook is open since" in alarm
    assert "https://runtime.example/settings/integrations/webhook" in alarm
    assert "breaker_opened, no_worker, disk" in listed
    assert "told at" in listed
    assert "Resolved (ops)" in over
    assert len(slack.arrived) == 3
    logs = served.log.read_text() + project.running[1].log.read_text()
    assert "the alert ops told of breaker_opened:webhook" in logs
    assert not [each for each in ("hidden", "4111") if each in "".join(slack.arrived) + listed + logs]
