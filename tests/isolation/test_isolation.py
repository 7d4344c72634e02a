"""Isolation: a call runs in a process of its own, and that process can be ended."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from experience_runtime.domain.errors import NotConfigured
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.isolation.processes import Isolation
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings, load_settings

from tests.support.executions import an_execution

LONG = 120.0  # far more than a good call takes on a busy machine

FILE = """
import logging, os, signal, subprocess, threading
from pydantic import BaseModel
from experience_runtime.integration import Integration

class NeedsUrl(BaseModel):
    url: str

class Acts(Integration):
    name = "acts"
    timeout = 1.0
    def call(self, payload, context):
        match payload:
            case {"hang": path}:
                started = subprocess.Popen(["sleep", "600"])
                with open(path + ".new", "w") as told:
                    told.write(f"{os.getpid()} {started.pid}")
                os.rename(path + ".new", path)
                threading.Event().wait()
            case "die":
                os._exit(3)
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "raise":
                raise RuntimeError("the key s3cret-s3cret is wrong")
            case "say":
                context.logger.warning("it has %s in hand", "much")
                print("and prints")
        return {"pid": os.getpid(), "to": context.execution_id}

class Unset(Acts):
    name = "unset"
    settings = NeedsUrl
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "integrations"
    folder.mkdir()
    (folder / "acts.py").write_text(FILE)
    config = tmp_path / "experience.toml"
    config.write_text(
        f"database = 'sqlite:///{tmp_path}/e.db'\n"
        "[integrations.webhook]\nurl = 'https://x.example/?k=s3cret-s3cret'\n"
        "[delivery.acts]\nisolate = true\n"
    )
    return load_settings(config=config, integrations_dir=folder, environ={})


@pytest.fixture
def isolation(settings: Settings) -> Iterator[Isolation]:
    made = Isolation(lambda: settings)
    yield made
    made.close()


def calling(payload: str, integration: str = "acts") -> Execution:
    """An execution as it runs; the payload is JSON."""
    return replace(an_execution(1), integration=integration, payload=payload, begun=1, retries=5)


def until(is_so: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(6000):
        if is_so():
            return
        waiting.wait(0.02)
    raise AssertionError("it never was")


def is_gone(process_id: int) -> bool:
    """Whether it has ended, also where nobody has waited for it."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_calls_of_one_integration_share_a_process_and_no_other_does(isolation: Isolation) -> None:
    first, second = (isolation.call(calling('"x"'), seconds=LONG) for _ in range(2))
    other = isolation.call(calling('"x"', "webhook"), seconds=LONG)

    assert first.answer["pid"] == second.answer["pid"] != os.getpid()
    assert first.answer["to"] == calling("1").id
    assert other.code is not None
    assert len(isolation.process_ids()) == 2


def test_what_runs_past_its_time_is_ended_and_the_next_call_has_another_process(
    isolation: Isolation, tmp_path: Path
) -> None:
    first = isolation.call(calling('"x"'), seconds=LONG)

    outcome = isolation.call(calling(f'{{"hang": "{tmp_path / "told"}"}}'), seconds=1)

    assert (outcome.code, outcome.may_pass, outcome.is_defect) == ("integration_timeout", True, False)
    assert outcome.error == "acts did not end within 1 s, its timeout, and was ended"
    assert is_gone(first.answer["pid"])
    assert isolation.process_ids() == []
    assert isolation.call(calling('"x"'), seconds=LONG).code is None


@pytest.mark.parametrize(("how", "status"), [("die", 3), ("crash", -signal.SIGSEGV)])
def test_a_process_that_ends_fails_its_attempt_and_no_other(
    isolation: Isolation, how: str, status: int
) -> None:
    outcome = isolation.call(calling(f'"{how}"'), seconds=LONG)

    assert outcome.error == f"the process of acts ended with status {status} before it had answered"
    assert (outcome.code, outcome.may_pass, outcome.is_defect) == ("integration_failed", True, True)
    assert not isolation.call(replace(calling(f'"{how}"'), begun=2), seconds=LONG).may_pass
    assert isolation.call(calling('"x"'), seconds=LONG).code is None


def test_what_refuses_a_call_is_the_same_refusal(isolation: Isolation) -> None:
    outcome = isolation.call(calling('"x"', "unset"), seconds=LONG)

    assert isinstance(outcome.refusal, NotConfigured)
    assert outcome.code == "not_configured"


def test_what_it_logs_is_logged_here_and_what_it_raises_holds_no_secret(
    isolation: Isolation, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        said = isolation.call(calling('"say"'), seconds=LONG)
    raised = isolation.call(calling('"raise"'), seconds=LONG)

    assert said.code is None
    assert ("experience.integration.acts", logging.WARNING, "it has much in hand") in caplog.record_tuples
    assert raised.error is not None
    assert (
        re.sub(r" at acts.py:\d+", "", raised.error)
        == "integration raised RuntimeError: the key [redacted] is wrong"
    )


def test_a_close_ends_a_process_that_is_in_a_call_and_what_it_has_started(
    isolation: Isolation, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    hanging = calling(f'{{"hang": "{told}"}}')
    thread = threading.Thread(target=isolation.call, args=(hanging,), kwargs={"seconds": LONG})
    thread.start()
    until(told.exists)

    isolation.close()

    thread.join(60)
    assert not thread.is_alive()
    until(lambda: all(is_gone(int(each)) for each in told.read_text().split()))


PARENT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from tests.isolation.test_isolation import calling, load_settings, Isolation
settings = load_settings(config=Path({config!r}), integrations_dir=Path({folder!r}), environ={{}})
Isolation(lambda: settings).call(calling('{{"hang": "{told}"}}'), seconds=600)
"""


def test_a_process_ends_with_the_worker_that_was_killed(settings: Settings, tmp_path: Path) -> None:
    told, config, folder = tmp_path / "told", str(settings.config), str(settings.integrations_dir)
    program = PARENT.format(path=sys.path, config=config, folder=folder, told=told)
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        until(told.exists)

        parent.kill()
        parent.wait()

    child, started = told.read_text().split()
    until(lambda: is_gone(int(child)))
    os.kill(int(started), signal.SIGKILL)  # its own: nobody was left to end it


def test_an_attempt_past_its_timeout_is_settled_and_nothing_is_stuck(
    settings: Settings, tmp_path: Path
) -> None:
    with Runtime(settings) as runtime:
        told = tmp_path / "told"
        held = runtime.scheduler.schedule("acts", {"hang": str(told)}, {"delay": 0}, visitor=None).execution

        def has_ended() -> bool:
            runtime.dispatcher.run_due()
            return bool(runtime.store.attempts(held.number)[:1]) and (
                runtime.store.execution(held.number).status is Status.PENDING
            )

        until(has_ended)
        (attempt,) = runtime.store.attempts(held.number)
        assert (attempt.outcome, attempt.error) == (
            "retry",
            "acts did not end within 1 s, its timeout, and was ended",
        )
        assert runtime.dispatcher.stuck() == []


def test_code_that_is_broken_since_the_start_is_tried_again_and_read_anew(
    settings: Settings, isolation: Isolation
) -> None:
    """`unset` stands in a file that has two names: none of them can be told while it is broken."""
    assert settings.integrations_dir is not None
    file = settings.integrations_dir / "acts.py"

    file.write_text(FILE + "\nx = = 1\n")
    broken = [isolation.call(calling("1", name), seconds=LONG) for name in ("acts", "unset")]
    file.write_text(FILE)

    assert [(each.code, each.may_pass) for each in broken] == [("not_configured", True)] * 2
    assert all("acts.py" in (each.error or "") for each in broken)
    until(lambda: isolation.call(calling("1"), seconds=LONG).code is None)
