"""A lab: experiences as files, run in real worker processes, on a store in memory and a clock that jumps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock, monotonic
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.running.guest import Limits, Problem
from experience_runtime.running.opening import open_run
from experience_runtime.running.report import Report
from experience_runtime.running.run import ExperienceRun, Situation
from experience_runtime.sandbox.pool import Pool
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience
from experience_runtime.settings.load import Settings
from experience_runtime.store.opening import SqliteStore, open_sqlite

from tests.support.suite import pytest_collection_modifyitems, pytest_configure

__all__ = ["pytest_collection_modifyitems", "pytest_configure"]

NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)  # a Friday, 17:30 at UTC+1
ADA = Visitor(id="ada", timezone="Europe/Paris")

_INTEGRATIONS = """
from experience_runtime.integration import Integration, IntegrationFailed


class Echo(Integration):
    name = "echo"

    def call(self, payload, context):
        return {"echo": payload}


class Broken(Integration):
    name = "broken"

    def call(self, payload, context):
        raise IntegrationFailed("the receiver answered 503", may_pass=True, status=503)


class Slow(Integration):
    name = "slow"

    def call(self, payload, context):
        import threading
        threading.Event().wait(payload)
"""


@dataclass
class Lab:
    """Runs experiences. `files` are the texts of a folder; a text alone is `variation.js`."""

    pool: Pool
    folder: Path
    registry: Registry
    clock: VirtualClock
    store: SqliteStore
    scheduler: Scheduler
    dispatcher: Dispatcher
    visitor: Visitor = ADA
    limits: Limits = field(default_factory=Limits)

    def bundle(self, files: str | Mapping[str, str], *, repair: bool = False) -> Bundle:
        """Write the files and read them back as an experience."""
        for old in self.folder.iterdir():
            old.unlink()
        for name, text in ({"variation.js": files} if isinstance(files, str) else files).items():
            (self.folder / name).write_text(text, encoding="utf-8")
        return Bundle(load_experience(self.folder), repair=repair)

    def open(self, files: str | Mapping[str, str] | Bundle, **situation: Any) -> ExperienceRun:
        """Make a run that has not begun."""
        return open_run(
            files if isinstance(files, Bundle) else self.bundle(files),
            replace(Situation(visitor=self.visitor, seed=1), **situation),
            sandbox=self.pool,
            scheduler=self.scheduler,
            events=self.store.events,
            integrations=self.registry,
            clock=self.clock,
            call_now=self.dispatcher.call_now,
            limits=self.limits,
        )

    def run(self, files: str | Mapping[str, str] | Bundle, **situation: Any) -> Report:
        """ExperienceRun to the end; the clock jumps from timer to timer."""
        run = self.open(files, **situation)
        ends_at = monotonic() + self.limits.wall_seconds
        run.start()
        while not run.is_over:
            run.real_seconds_left = ends_at - monotonic()
            if not run.has_answers and run.wake_at is not None:
                self.clock.advance_to(run.wake_at)
            run.advance()
        return run.finish()

    def does(self, body: str, **situation: Any) -> Report:
        """Run a variation with this body; `options` is its parameter, and `schedule` a linked integration."""
        head = (
            "module.exports = async function variation (options) { const echo = options.integration('echo')\n"
        )
        return self.run(head + body + "\n}", **situation)

    def says(self, body: str, **situation: Any) -> list[str]:
        """The messages such a variation logs with `options.log`; it must run to its end."""
        report = self.does(body, **situation)
        assert report.outcome == "ran", report.error
        return [line["message"] for line in report.log if line["logger"] == "variation"]

    def fails(self, files: str | Mapping[str, str] | Bundle, **situation: Any) -> Problem:
        """The problem that ends a run."""
        report = self.run(files, **situation)
        assert report.outcome == "failed"
        assert report.error is not None
        return report.error

    def executions(self) -> Sequence[Execution]:
        """Everything stored, oldest first."""
        page = self.store.find(Filter(), limit=500)
        found = list(page.executions)
        while page.next is not None:
            page = self.store.find(Filter(), cursor=page.next, limit=500)
            found.extend(page.executions)
        return found[::-1]


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    opened = Pool(spares=1)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("integrations")
    (folder / "parts.py").write_text(_INTEGRATIONS, encoding="utf-8")
    return Registry(Settings(integrations_dir=folder))


@pytest.fixture
def lab(pool: Pool, registry: Registry, tmp_path: Path) -> Iterator[Lab]:
    folder = tmp_path / "experience"
    folder.mkdir()
    clock = VirtualClock(NOW)
    store = open_sqlite(":memory:")
    conversions = ("ecBasketTransactionSummary",)
    scheduler = Scheduler(store=store, clock=clock, integrations=registry, conversions=conversions)
    outbound = Outbound(now=clock.now)
    delivery = InlineDelivery()
    dispatcher = Dispatcher(store=store, clock=clock, integrations=registry, http=outbound, delivery=delivery)
    yield Lab(pool, folder, registry, clock, store, scheduler, dispatcher)
    dispatcher.close()
    outbound.close()
    store.close()
