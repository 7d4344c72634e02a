"""A database that cannot be written to: new work is told when to come again, and all goes on by itself."""

from collections.abc import Iterator

import httpx
import pytest
from experience_runtime.domain.executions import Filter
from experience_runtime.runtime import Runtime
from experience_runtime.web.server import make_web

from tests.support.serving import serving
from tests.system.faults.vfs import BreakingDisk, Fault

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
