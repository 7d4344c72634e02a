"""Holding everything at a start: several processes may begin at once, and each goes on."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from experience_runtime.cli.hold_all import hold_unless_held
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.admission import ALL
from experience_runtime.domain.errors import Conflict
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings


class Meanwhile(SystemClock):
    """A clock at whose every look another process has held everything."""

    def __init__(self, other: Runtime) -> None:
        self._other = other

    def now(self) -> datetime:
        with suppress(Conflict):
            self._other.operations.hold_all(reason="the first")
        return super().now()


def test_who_is_second_to_hold_everything_begins_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(database=f"sqlite:///{tmp_path}/experience.db", environ={})
    with Runtime(settings) as first, Runtime(settings) as second:
        monkeypatch.setattr(second, "clock", Meanwhile(first))

        hold_unless_held(second, reason="the second")

        assert second.store.integration_states.of(ALL).pause_reason == "the first"
        assert len(second.lookup.audit.of("deliveries", "")) == 1


def test_what_was_held_and_goes_on_waits_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Runtime(load_settings(database=f"sqlite:///{tmp_path}/experience.db", environ={})) as runtime:
        runtime.integrations.load_all()
        runtime.operations.hold_all()
        assert set(runtime.operations.holds()) == {ALL}

        runtime.operations.resume_all()

        assert runtime.operations.holds() == {}
