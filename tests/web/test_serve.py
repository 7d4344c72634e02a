"""`experience serve` as a process: where it listens, who may call, how it ends."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.metrics import reference

DEADLINE_SECONDS = 120


@dataclass
class Served:
    """A running server: what it said when it was ready, and its process."""

    process: "subprocess.Popen[str]"
    ready: dict[str, Any]
    log: Path

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.ready["address"], trust_env=False, timeout=DEADLINE_SECONDS)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)


@dataclass
class Project:
    folder: Path
    running: list[Served]

    def experience(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [_command(), *words],
            cwd=self.folder,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def python(self, code: str) -> str:
        """What a program of this Python prints; it may not fail."""
        words = [sys.executable, "-c", code]
        return subprocess.run(words, env=_environ(), check=True, capture_output=True, text=True).stdout

    def serve(self, *words: str) -> Served:
        log = self.folder / f"log{len(self.running)}.txt"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [_command(), "serve", "--port", "0", "--json", *words],
                cwd=self.folder,
                env=_environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        self.running.append(Served(process, json.loads(line), log))
        return self.running[-1]

    def serving(self, *words: str) -> None:
        """Start a command that says nothing when it is ready."""
        log = self.folder / f"log{len(self.running)}.txt"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [_command(), *words], cwd=self.folder, env=_environ(), stderr=stderr, text=True
            )
        self.running.append(Served(process, {}, log))


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("EXPERIENCE_")}


def _command() -> str:
    found = shutil.which("experience", path=str(Path(sys.executable).parent))
    assert found is not None
    return found


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    (folder / "experience.toml").write_text(
        (folder / "experience.toml").read_text() + '[outbound]\nallow_private = ["127.0.0.1/32"]\n'
    )
    made = Project(folder, [])
    yield made
    for each in made.running:
        with contextlib.suppress(ProcessLookupError):
            each.process.kill()
        each.process.wait(DEADLINE_SECONDS)
        if each.process.stdout is not None:
            each.process.stdout.close()


def test_it_serves_this_machine_openly_delivers_and_ends_when_told(project: Project) -> None:
    served = project.serve()

    with served.client as client:
        ready = client.get("/readyz").json()
        ran = client.post("/v1/experiences/reminder/run", json={"visitor": "v1"}).json()
        client.get("/v1/executions?visitor=secretvisitor&token=secrettoken")
        before = client.get("/settings/integrations").text
        with (project.folder / "experience.toml").open("a") as config:
            config.write("# a word more\n")
        after = client.get("/settings/integrations").text
    code = served.end(signal.SIGHUP)

    assert served.ready["open"]
    assert served.ready["address"].startswith("http://127.0.0.1:")
    assert ready == {
        "ready": True,
        "store": True,
        "claim": True,
        "worker": True,
        "stuck": 0,
        "clock": True,
        "held": False,
        "problems": [],
    }
    assert ran["outcome"] == "ran"
    assert "Changed on disk" not in before
    assert 'Changed on disk since the start:</strong> <span class="hostile">experience.toml<' in after
    assert code == 0
    log = served.log.read_text()
    assert "POST /v1/experiences/reminder/run 200" in log
    assert "secretvisitor" not in log
    assert "secrettoken" not in log
    assert "Traceback" not in log


def test_what_is_due_is_delivered_by_the_server_itself(project: Project) -> None:
    served = project.serve()

    with served.client as client:
        saved = client.put(
            "/v1/schedules/now",
            json={"integration": "webhook", "payload": {"body": 1}, "daily": "09:00", "timezone": "UTC"},
        )
        assert saved.status_code == 200, saved.text
        id = client.post("/v1/schedules/now/run").json()["id"]
        ends_at = time.monotonic() + DEADLINE_SECONDS
        told = 'experience_attempts_total{integration="webhook",outcome="retry"} 1.0'
        while told not in (metrics := client.get("/metrics").text):
            assert time.monotonic() < ends_at, metrics
        document = client.get(f"/v1/executions/{id}").json()

    assert document["attempts"][0]["outcome"] == "retry"  # nobody listens on that port
    assert "experience_due_to_start_seconds_count 1.0" in metrics


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_refuses_to_be_open_to_others(project: Project, host: str) -> None:
    refused = project.experience("serve", "--host", host, "--port", "0", "--json")

    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "unauthorized"
    assert "experience tokens create" in error["message"]


def test_with_a_token_it_serves_others_who_show_it(project: Project) -> None:
    created = json.loads(
        project.experience("tokens", "create", "ops", "--scope", "operator", "--json").stdout
    )
    served = project.serve("--host", "0.0.0.0", "--no-worker")

    port = served.ready["address"].rpartition(":")[2]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        nobody = client.get("/v1/executions")
        known = client.get("/v1/executions", headers={"Authorization": f"Bearer {created['token']}"})
        ready = client.get("/readyz")
        project.experience("tokens", "revoke", "ops")
        revoked = client.get("/v1/executions", headers={"Authorization": f"Bearer {created['token']}"})

    assert not served.ready["open"]
    assert [answer.status_code for answer in (nobody, known, revoked)] == [401, 200, 401]
    assert (ready.status_code, ready.json()["problems"]) == (503, ["no worker delivers"])
    assert created["token"] not in served.log.read_text()


LEAKS = """
from experience_runtime.integration import Integration


class Leaks(Integration):
    name = "leaks"

    def call(self, payload, context):
        context.logger.info("sends")
        raise ValueError(f"cannot send to {payload['to']!r}, {payload['phone']}")
"""


def test_its_log_tells_programs_of_each_attempt_that_failed_and_never_a_payload(project: Project) -> None:
    (project.folder / "integrations").mkdir()
    (project.folder / "integrations/leaks.py").write_text(LEAKS)
    with (project.folder / "experience.toml").open("a") as settings:
        settings.write("[delivery.leaks]\nisolate = true\n")
    token = json.loads(project.experience("tokens", "create", "ops", "--scope", "operator", "--json").stdout)
    payload = {"to": "José O'Neil", "phone": 33612345678}
    served = project.serve("--integrations", "integrations", "--log-format", "json", "--log-level", "info")

    with served.client as client:
        client.headers["Authorization"] = f"Bearer {token['token']}"
        daily = {"integration": "leaks", "payload": payload, "daily": "09:00", "timezone": "UTC"}
        assert client.put("/v1/schedules/now", json=daily).status_code == 200
        ran = client.post("/v1/schedules/now/run")
        id = ran.json()["id"]
        for _ in range(2):
            assert client.get("/", headers={"x-live": "1"}).status_code < 400
            assert client.get("/readyz").status_code == 200
        ends_at = time.monotonic() + DEADLINE_SECONDS
        while "experience_runtime.attempts" not in served.log.read_text():
            assert client.get("/healthz").status_code == 200
            assert time.monotonic() < ends_at
    assert served.end() == 0

    text = served.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    (attempt,) = [each for each in lines if each["logger"] == "experience_runtime.attempts"]
    names = ("level", "execution", "integration", "attempt", "outcome", "status", "code")
    assert [attempt[name] for name in names] == [
        "warning", id, "leaks", 1, "retry", "pending", "integration_failed"
    ]  # fmt: skip
    error = re.sub(r" at leaks.py:\d+", "", attempt["error"])
    assert error == 'integration raised ValueError: cannot send to "…", …'
    own = [each for each in lines if each["logger"] == "experience.integration.leaks"]
    assert {(each["execution"], each["attempt"]) for each in own} == {(id, 1)}
    assert not [each for each in lines if "color_message" in each]
    assert attempt["next_try"].endswith("Z")
    assert all(each["time"].endswith("Z") for each in lines)
    request = next(each for each in lines if each.get("path") == "/v1/schedules/now/run")
    assert (request["request"], request["token"]) == (ran.headers["x-request-id"], "ops")
    assert not [each for each in lines if each.get("path") in ("/", "/readyz", "/healthz")]
    assert not [told for told in ("Jos", "Neil", "33612345678", token["token"]) if told in text]


def numbers_at(port: int) -> str:
    """The numbers of a worker; nothing while it starts."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return ""


def test_a_worker_serves_numbers_and_a_paused_integration_hides_no_other_lag(project: Project) -> None:
    (project.folder / "integrations").mkdir()
    (project.folder / "integrations/leaks.py").write_text(LEAKS)
    served = project.serve("--no-worker", "--integrations", "integrations")
    with served.client as client:
        for name, integration in (("one", "webhook"), ("two", "leaks")):
            daily = {"integration": integration, "payload": {}, "daily": "09:00", "timezone": "UTC"}
            assert client.put(f"/v1/schedules/{name}", json=daily).status_code == 200
            assert client.post(f"/v1/schedules/{name}/run").status_code == 200
        before = client.get("/metrics").text
        assert client.post("/v1/integrations/webhook/pause", json={}).status_code == 200
        paused = client.get("/metrics").text
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ends_at, numbers = time.monotonic() + DEADLINE_SECONDS, ""
    assert project.experience("resume", "all").returncode == 2  # nothing is held
    project.serving("worker", "--paused", "--integrations", "integrations", "--metrics", f"127.0.0.1:{port}")
    while "experience_held 1.0" not in numbers_at(port):
        assert time.monotonic() < ends_at
    told = 'experience_attempts_total{integration="leaks",outcome="'
    assert told not in numbers_at(port)
    assert project.experience("resume", "all").returncode == 0
    while told not in numbers:
        assert time.monotonic() < ends_at, numbers
        numbers = numbers_at(port)
    refused = project.experience("worker", "--metrics", "9464")

    lag = "experience_lag_seconds{held="
    assert f'{lag}"no_worker",integration="webhook"}}' in before
    assert f'{lag}"paused",integration="webhook"}}' in paused
    assert f'{lag}"no_worker",integration="leaks"}}' in paused
    assert f'{lag}"paused",integration="webhook"}}' in numbers
    assert "experience_workers 1.0" in numbers
    assert "_created" not in before + numbers
    assert refused.returncode == 2
    assert '"9464"' in refused.stderr
    named = {name.removesuffix("_total") for name in reference()}
    assert set(re.findall(r"^# HELP (\w+?)(?:_total)? ", numbers, re.MULTILINE)) == named


def test_a_second_server_serves_while_the_first_delivers(project: Project) -> None:
    first = project.serve()
    with first.client as client:
        assert client.get("/readyz").status_code == 200
    second = project.serve()

    with second.client as client:
        answers = [client.get("/readyz").status_code, client.get("/v1/executions").status_code]

    assert answers == [200, 200]
    assert second.end() == 0
    assert f"another worker (process {first.process.pid}) delivers" in second.log.read_text()


def test_a_port_that_is_taken_is_a_refusal(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = project.experience("serve", "--port", str(taken.getsockname()[1]))

    assert refused.returncode == 2
    assert "name another with --host or --port" in refused.stderr


def test_a_request_that_is_being_answered_is_finished(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other_side:
        other_side.settimeout(DEADLINE_SECONDS)
        settings = project.folder / "experience.toml"
        port = other_side.getsockname()[1]
        settings.write_text(settings.read_text().replace("http://127.0.0.1:9/", f"http://127.0.0.1:{port}/"))
        (project.folder / "drafts/waits.js").write_text(
            "module.exports = options => options.integration('webhook').execute({ body: 1 })"
        )
        served = project.serve()

        with ThreadPoolExecutor(1) as caller, served.client as client:
            answer = caller.submit(client.post, "/v1/experiences/waits/run", json={})
            call, _ = other_side.accept()  # the run waits for what comes back from here
            served.process.send_signal(signal.SIGTERM)
            with call:
                call.recv(65536)
                call.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            ran = answer.result(DEADLINE_SECONDS)

    assert (ran.status_code, ran.json()["outcome"]) == (200, "ran")
    assert [call["ok"] for call in ran.json()["calls"]] == [True]
    assert served.process.wait(DEADLINE_SECONDS) == 0
