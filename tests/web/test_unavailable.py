"""A database that cannot be written to: new work is told when to come again, and all goes on by itself."""

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import apsw
import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Filter
from experience_runtime.runtime import Runtime
from experience_runtime.store.sqlite import file
from experience_runtime.web.server import make_web

from tests.support.serving import serving
from tests.system.faults.vfs import BreakingDisk, Fault
from tests.web.gateway_client import encoded

from .conftest import Token

NEVER = 1_000_000_000
CONVERSION = {"type": "ecBasketTransactionSummary"}
# What SQLite goes on without (a size hint, a checkpoint at the end), apsw tells as unraisable.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=[Fault.DISK_FULL, Fault.WRITE_ERROR])
def disk(request: pytest.FixtureRequest, runtime: Runtime) -> Iterator[BreakingDisk]:
    broken = BreakingDisk(request.param, nth=NEVER, lasting=NEVER)
    with broken.as_default():
        assert runtime.store.count(Filter()) == 0  # opened on that disk
        yield broken
        broken.mend()
        runtime.close()


@pytest.fixture
def client(disk: BreakingDisk, runtime: Runtime) -> Iterator[httpx.Client]:  # noqa: ARG001 - the runtime is on it
    runtime.for_serving()
    web = make_web(runtime, is_open=True, is_delivered=lambda: True)
    with (
        serving(web) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=120) as opened,
    ):
        yield opened


def test_work_is_refused_with_when_to_come_again_and_goes_on_by_itself(
    client: httpx.Client, disk: BreakingDisk, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/readyz").status_code == 200
    disk.break_now()

    refused = [client.post("/v1/visitors/ada/events", json=CONVERSION) for _ in range(20)]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {
        (503, "database_unavailable")
    }
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert runtime.database_path not in refused[0].text
    assert caplog.text.count("refused an operation") == 1
    assert "Traceback" not in caplog.text
    disk.mend()
    assert client.post("/v1/visitors/ada/events", json=CONVERSION).status_code < 300


def test_it_is_not_ready_while_nothing_can_be_stored(client: httpx.Client, disk: BreakingDisk) -> None:
    disk.break_now()

    broken = client.get("/readyz")
    disk.mend()
    mended = client.get("/readyz")

    assert (broken.status_code, broken.json()["store"], broken.headers["retry-after"]) == (503, False, "5")
    assert (mended.status_code, mended.json()["store"]) == (200, True)


def test_it_is_not_ready_while_nothing_can_be_claimed(client: httpx.Client, runtime: Runtime) -> None:
    """A write succeeds, and the way of a claim is barred."""
    own = apsw.Connection(runtime.database_path)
    own.execute(
        "CREATE TRIGGER barred BEFORE UPDATE OF lease_until ON executions"
        " BEGIN SELECT RAISE(FAIL, 'barred'); END"
    )

    barred = client.get("/readyz")
    own.execute("DROP TRIGGER barred")
    own.close()
    mended = client.get("/readyz")

    assert (barred.status_code, barred.json()["store"], barred.json()["claim"]) == (503, True, False)
    assert barred.json()["problems"] == ["nothing that is due can be claimed"]
    assert mended.status_code == 200
    assert runtime.store.count(Filter()) == 0


DAILY = {"integration": "webhook", "payload": {"body": 1}, "daily": "09:00", "timezone": "UTC"}
WEBHOOK = encoded("webhook")
WRITES = [
    ("POST", "/v1/experiences/reminder/run", {"visitor": "v1"}),
    ("POST", "/v1/executions/{pending}/cancel", {}),
    ("POST", "/v1/executions/{ended}/replay", {}),
    ("POST", "/v1/bulk/cancel", {"everything": True}),
    ("POST", "/v1/bulk/replay", {"everything": True}),
    ("PUT", "/v1/schedules/another", DAILY),
    ("DELETE", "/v1/schedules/daily", None),
    ("POST", "/v1/schedules/daily/pause", {}),
    ("POST", "/v1/schedules/paused/resume", {}),
    ("POST", "/v1/schedules/daily/run", {}),
    ("POST", "/v1/integrations/webhook/call", {"payload": {"body": 1}}),
    ("POST", "/v1/integrations/webhook/pause", {}),
    ("POST", "/v1/integrations/broadcast/resume", {}),
    ("DELETE", "/v1/visitors/v1", None),
    ("PUT", "/v1/visitors/v1", {"timezone": "Europe/Paris"}),
    ("POST", "/v1/visitors/v1/events", CONVERSION),
    ("POST", "/v1/visitors/v1/convert", {}),
    ("POST", "/v1/visitors/v1/identify", {"person": "p1"}),
    ("POST", "/visitors/events", {"visitor": "v1", "type": "ecView"}),
    ("POST", "/visitors/events", {"visitor": "v1", "items": [{"key": "k" * 20, "type": "ecView"}]}),
    ("POST", "/visitors/run/reminder", {"visitor": "v1", "timezone": "Europe/Paris"}),
    ("POST", "/integrations/conversion", {"visitorId": "v1"}),
    ("POST", f"/integrations/defer/{WEBHOOK}", {"data": {"body": 1}, "delay": "1 day", "key": {"n": 1}}),
    ("POST", f"/integrations/cancel/{WEBHOOK}", {"key": {"n": 0}}),
    ("POST", f"/integrations/{WEBHOOK}", {"data": {"body": 1}, "key": {"n": 1}}),
    (
        "POST",
        "/csml/apps",
        {
            "function_id": "utils/scheduler",
            "data": {"action": "webhook", "url": "https://example.com/", "delay": "2h"},
            "client": {"bot_id": "b", "channel_id": "c", "user_id": "u"},
        },
    ),
]

TAB = "/settings/integrations/webhook"
FORMS = [
    ("/executions/{pending}/cancel", {}),
    ("/executions/{pending}/move", {"time": "later"}),
    ("/executions/{pending}/run", {}),
    ("/executions/{ended}/replay", {}),
    ("/executions/{cancelled}/restore", {}),
    ("/executions/bulk/cancel", {"counted": "99"}),
    ("/executions/bulk/replay", {"counted": "99"}),
    ("/hold", {"reason": "look"}),
    (f"{TAB}/pause", {}),
    ("/settings/integrations/broadcast/resume", {}),
    (f"{TAB}/call", {"payload": '{"body": 1}'}),
    (
        f"{TAB}/schedule",
        {"name": "new", "kind": "daily", "daily_time": "09:00", "timezone": "UTC", "payload": '{"body": 1}'},
    ),
    *((f"{TAB}/schedule/daily/{verb}", {}) for verb in ("pause", "run", "remove")),
    (f"{TAB}/schedule/paused/resume", {}),
    ("/visitors", {"id": "v1", "event": "ecBasketTransactionSummary"}),
    ("/visitors/erase", {"id": "v1", "sure": "v1"}),
    ("/experiences/reminder/releases/ask/deactivate", {"version": "1"}),
    ("/login", {"token": "token"}),
]


def test_while_another_process_keeps_the_database_locked_every_write_is_told_when_to_come_again(
    runtime: Runtime, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "BUSY_TIMEOUT_MS", 50)  # of ten seconds
    assert runtime.store.count(Filter()) == 0
    runtime.for_serving()
    web = make_web(runtime, is_open=True, is_delivered=lambda: True)
    with (
        serving(web) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=120) as client,
        contextlib.closing(apsw.Connection(runtime.database_path)) as another,
        ThreadPoolExecutor(8) as pool,
    ):
        made = client.post(
            f"/integrations/defer/{WEBHOOK}", json={"data": {"body": 1}, "delay": "1 day", "key": {"n": 0}}
        ).json()
        client.post("/v1/integrations/webhook/call", json={"payload": {"body": 1}})
        client.post("/v1/integrations/broadcast/pause", json={})
        for name in ("daily", "paused"):
            assert client.put(f"/v1/schedules/{name}", json=DAILY).status_code < 300
        client.post("/v1/schedules/paused/pause", json={})
        failed = client.get("/v1/executions?status=failed").json()["executions"][0]["id"]
        cancelled = client.post(
            f"/integrations/defer/{WEBHOOK}", json={"data": {"body": 1}, "delay": "1 day", "key": {"n": 2}}
        ).json()["data"]["id"]
        client.post(f"/v1/executions/{cancelled}/cancel", json={})
        client.post("/v1/experiences/reminder/releases", json={"path": "released/reminder"})
        named = {"pending": made["data"]["id"], "ended": failed, "cancelled": cancelled}
        named["later"] = (runtime.clock.now() + timedelta(days=2)).isoformat()
        client.headers["authorization"] = f"Bearer {(secret := token(Scope.OPERATOR))}"
        named["token"] = secret
        own = {"form_token": re.findall(r'name="form_token" value="(\w+)"', client.get(TAB).text)[0]}
        another.execute("BEGIN IMMEDIATE")

        def ask(asked: tuple[str, str, object]) -> tuple[str, int, str, str | None]:
            method, path, body = asked
            path = path.format(**named)
            answer = client.request(method, path, json=body)
            return path, answer.status_code, answer.text, answer.headers.get("retry-after")

        answers = list(pool.map(ask, WRITES))

        def send(form: tuple[str, dict[str, str]]) -> tuple[str, int, str, str | None]:
            path, fields = form[0].format(**named), form[1]
            answer = client.post(
                path,
                data={**{name: named.get(value, value) for name, value in fields.items()}, **own},
                headers={"accept": "text/html"},
            )
            return path, answer.status_code, answer.text, answer.headers.get("retry-after")

        pages = list(pool.map(send, FORMS))
        read = [client.get(path).status_code for path in ("/v1/executions", "/", "/healthz")]
        another.execute("ROLLBACK")
        after = client.post("/v1/visitors/v1/convert", json={}).status_code

    wrong = [
        each for each in answers if each[1] != 503 or "database_unavailable" not in each[2] or not each[3]
    ]
    assert wrong == []
    assert [page for page in pages if (page[1], page[3]) != (503, "5") or "</html>" not in page[2]] == []
    assert read == [200, 200, 200]
    assert after == 200
