"""Alerts, in virtual time: what is told, how seldom, by how many processes, and that it is over."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.admission import NO_POLICIES, IntegrationState
from experience_runtime.domain.alerts import Rule
from experience_runtime.domain.errors import DatabaseUnavailable, InvalidPayload, UnknownIntegration
from experience_runtime.domain.workers import WorkerInfo
from experience_runtime.engine.alerting import Alerting, Room, check_rule
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.standing import read_standing
from experience_runtime.integration import IntegrationFailed
from experience_runtime.settings.alerts import read_alert

from .conftest import World

SECRET = "https://hooks.example.com/?token=s3cret"
ALL = ["execution_failed", "breaker_opened", "run_failed > 5/min", "lag > 60 s", "no_worker", "disk"]
MIB = 1 << 20


class Told:
    """Several processes with one rule on one store, and what arrives at the receiver of the alarms."""

    def __init__(self, world: World, *on: str, processes: int = 1, every: str = "15 min") -> None:
        self.world = world
        self.texts: list[str] = []
        self.fails = False
        self.room = Room(free=4000 * MIB, whole=10_000 * MIB)
        world.integrations.put("ops-chat", self._take)
        self.rule = read_alert("ops", {"integration": "ops-chat", "on": list(on), "every": every}, where="x")
        self.processes = [self.process(self.rule) for _ in range(processes)]

    def process(self, rule: Rule) -> Alerting:
        return Alerting(
            [rule],
            store=self.world.store,
            clock=self.world.clock,
            integrations=self.world.integrations,
            http=self.world.http,
            redact=lambda text: text.replace("s3cret", "[redacted]"),
            standing=lambda: read_standing(
                self.world.store,
                now=self.world.clock.now(),
                operations=Operations(
                    store=self.world.store,
                    clock=self.world.clock,
                    integrations=self.world.integrations,
                    redact=str,
                ),
                policies=NO_POLICIES,
                integrations=self.world.integrations,
            ),
            room=lambda: self.room,
            public_url="https://runtime.example",
        )

    def after(self, **ahead: float) -> list[str]:
        """Look every 5 s until then; what arrived meanwhile, its first line left out."""
        ends_at = self.world.clock.now() + timedelta(**ahead)
        while self.world.clock.now() < ends_at:
            self.world.advance(seconds=5)
            for each in self.processes:
                each.step()
        return self.taken()

    def taken(self) -> list[str]:
        taken, self.texts = self.texts, []
        return taken

    def _take(self, payload: Any, _: Any) -> Any:
        if self.fails:
            raise IntegrationFailed(f"no answer from {SECRET}", may_pass=True)
        self.texts.append(payload)
        return "ok"


def fail(world: World, *names: str) -> None:
    """Let an execution of each integration fail for good, its payload a secret of somebody."""
    for name in names:
        world.integrations.put(name, _refuse, retries=0)
        world.schedule(integration=name, payload={"card": "4111"})
    world.run_all()


def _refuse(*_: Any) -> Any:
    raise IntegrationFailed("the receiver said no to 4111", may_pass=False)


def open_breaker(world: World, name: str) -> None:
    opened = IntegrationState(integration=name, failures=20, opened_at=world.clock.now())
    world.store.integration_states.change(name, lambda _: opened)


def worker(world: World) -> None:
    now = world.clock.now()
    world.store.workers.beat(
        WorkerInfo(
            id="w", host="here", pid=1, version="1", concurrency=1, integrations=None,
            started_at=now, beat_at=now,
        )
    )  # fmt: skip


def test_what_failed_is_told_once_by_several_processes_and_then_that_it_is_over(world: World) -> None:
    told = Told(world, *ALL[:1], processes=3)
    assert told.after(seconds=20) == []
    fail(world, "sms", "sms", "webhook")

    (alarm,) = told.after(seconds=10)
    again = told.after(minutes=14)
    (over,) = told.after(minutes=2)

    assert alarm.splitlines() == [
        "Alarm (ops)",
        "- 2 executions of sms failed in the last 15 min (integration_failed 2)"
        " https://runtime.example/executions?status=failed&integration=sms",
        "- 1 execution of webhook failed in the last 15 min (integration_failed 1)"
        " https://runtime.example/executions?status=failed&integration=webhook",
    ]
    assert again == []
    assert over.splitlines()[0] == "Resolved (ops)"
    assert "over after 15 min: 2 executions of sms failed" in over
    assert not [text for text in (alarm, over) if "4111" in text or "ada" in text]


def test_what_goes_on_is_repeated_and_what_is_new_does_not_wait_for_that(world: World) -> None:
    told = Told(world, "breaker_opened", every="5 min")
    open_breaker(world, "sms")
    (first,) = told.after(seconds=5)
    open_breaker(world, "webhook")

    within_a_minute = told.after(seconds=50)
    (second,) = told.after(seconds=10)
    repeated = told.after(minutes=5)
    world.store.integration_states.change("sms", lambda _: IntegrationState(integration="sms"))
    (over,) = told.after(seconds=5)
    open_breaker(world, "sms")
    flapping = told.after(seconds=60)

    assert "breaker of sms" in first
    assert within_a_minute == []
    assert "breaker of webhook" in second
    assert "breaker of sms" not in second
    assert ["sms" in each for each in repeated] == [True, False]
    assert "Resolved" in over
    assert "webhook" not in over
    assert flapping == []


def test_a_worker_that_is_started_anew_is_no_alarm_and_one_that_is_missing_is(world: World) -> None:
    told = Told(world, "no_worker")

    briefly = told.after(seconds=15)
    worker(world)
    there = told.after(seconds=15)
    (alarm,) = told.after(seconds=20)
    worker(world)
    (over,) = told.after(seconds=5)

    assert briefly == there == []
    assert "- no worker delivers https://runtime.example/" in alarm
    assert "over after 1 min: no worker delivers" in over


def test_what_is_late_is_told_with_what_holds_it_but_not_what_was_paused(world: World) -> None:
    told = Told(world, "lag > 60 s")
    world.schedule(integration="slack-update")
    world.integrations.put("sms", _refuse)
    world.schedule(integration="sms")
    paused = IntegrationState(integration="sms", paused_at=world.clock.now())
    world.store.integration_states.change("sms", lambda _: paused)

    early = told.after(seconds=60)
    (alarm,) = told.after(seconds=5)
    world.run_all()
    (over,) = told.after(seconds=5)

    assert early == []
    assert (
        "- slack-update is 1 min 5 s late, held by no_worker; 1 are due https://runtime.example/exec" in alarm
    )
    assert "sms" not in alarm
    assert "over after 1 min" in over


def test_a_rate_counts_what_is_above_it(world: World) -> None:
    told = Told(world, "execution_failed > 2/min")
    fail(world, "sms", "webhook")
    few = told.after(seconds=10)
    fail(world, "sms")

    (alarm,) = told.after(seconds=5)
    (over,) = told.after(seconds=60)

    assert few == []
    assert "2 executions of sms failed in the last 1 min" in alarm
    assert "Resolved" in over


def test_a_disk_is_told_of_while_it_can_still_be_written_and_after(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(world, "disk")
    told.room = Room(free=100 * MIB, whole=10_000 * MIB)
    (short,) = told.after(seconds=5)

    def full(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("the disk of s3cret is full")

    with monkeypatch.context() as broken:
        broken.setattr(world.store.alerts, "take", full)
        (alarm,) = told.after(minutes=10)
    told.room = Room(free=5000 * MIB, whole=10_000 * MIB)
    (over,) = told.after(seconds=5)

    assert "only 100 MiB free of 10,000 MiB" in short
    assert "the database cannot be used: the disk of [redacted] is full" in alarm
    assert over.count("over after") == 2


def test_what_could_not_be_told_is_told_when_it_can_be(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(world, "breaker_opened")
    open_breaker(world, "sms")
    told.fails = True
    silent = told.after(seconds=60)
    kept = world.store.alerts.all()["ops"]
    told.fails = False

    (alarm,) = told.after(seconds=30)

    assert silent == []
    assert kept.error == "no answer from https://hooks.example.com/?token=[redacted]"
    assert "could not be told by ops-chat: no answer" in caplog.text
    assert "s3cret" not in caplog.text
    assert "breaker of sms" in alarm
    assert world.store.alerts.all()["ops"].error is None


def test_the_text_stands_where_the_payload_says(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    payload = {"to": "+15550100", "body": "Runtime: {text}", "parts": ["{text}", 1]}
    table = {"integration": "sms", "on": ["disk"], "payload": payload}
    rule = read_alert("night", table, where="x")
    world.integrations.put("sms", lambda payload, _: payload)
    answer = Told(world, "disk").process(rule).test(rule).answer

    assert answer["body"] == "Runtime: Test (night)\n- this is how an alarm arrives; nothing is wrong"
    assert answer["parts"][0].startswith("Test (night)")
    check_rule(rule, world.integrations)
    with pytest.raises(UnknownIntegration, match=r"alerts\.night: "):
        check_rule(read_alert("night", {**table, "integration": "smss"}, where="x"), world.integrations)
    refused = read_alert("night", {**table, "payload": {"refused": "{text}"}}, where="x")
    with pytest.raises(InvalidPayload, match=r"alerts\.night: payload\.refused"):
        check_rule(refused, world.integrations)


def test_a_process_that_dies_while_it_tells_is_followed_by_another(world: World) -> None:
    told = Told(world, "breaker_opened")
    open_breaker(world, "sms")
    now = world.clock.now()
    assert world.store.alerts.take("ops", now=now, until=now + timedelta(minutes=2)) is not None

    meanwhile = told.after(seconds=115)
    (alarm,) = told.after(seconds=10)

    assert meanwhile == []
    assert "breaker of sms" in alarm
