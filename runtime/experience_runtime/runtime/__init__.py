"""The composition root: settings in, parts that fit together out. Nothing is made before it is asked for."""

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.admission import Policies
from experience_runtime.domain.executions import LEASE_SECONDS, SHARED_LEASE_SECONDS
from experience_runtime.engine.receivers import FRESH
from experience_runtime.engine.releases import Live
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.running.guest import Limits, Script
from experience_runtime.runtime.of_visitors import OfVisitors
from experience_runtime.settings.load import Settings
from experience_runtime.settings.on_disk import OnDisk
from experience_runtime.settings.stored import NOTHING_STORED, Stored
from experience_runtime.store import address

if TYPE_CHECKING:
    from experience_runtime.engine.dispatcher import Attempted, Dispatcher
    from experience_runtime.engine.kept_settings import KeptSettings
    from experience_runtime.engine.lookup import Lookup
    from experience_runtime.engine.operations import Operations
    from experience_runtime.engine.ports import Relay
    from experience_runtime.engine.recurring import Recurring
    from experience_runtime.plugins.registry import Registry
    from experience_runtime.running.report import Report
    from experience_runtime.running.run import Situation
    from experience_runtime.sandbox.pool import Pool
    from experience_runtime.scripts.bundle import Bundle
    from experience_runtime.scripts.check import Checked
    from experience_runtime.simulation.play import PlayRequest
    from experience_runtime.simulation.simulated import Simulated
    from experience_runtime.store.sql import SqlStore

T = TypeVar("T")

CONCURRENCY = 64
"""Calls at a time; of one integration half as many, unless its policy says otherwise."""

_LEAST_SILENCE = 5  # seconds; a list of a million takes some


class Runtime(OfVisitors):
    """One process's parts, on one Settings. Close it, or use it as a context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        concurrency: int = CONCURRENCY,
        only: frozenset[str] | None = None,
        lease_seconds: int | None = None,
        attempted: "Attempted | None" = None,
        idle_sandboxes: int | None = None,
        to_look: bool = False,
        upgrades: bool = False,
    ) -> None:
        """`only`: the integrations whose executions are delivered here, where there are other workers.

        `attempted` hears of each attempt that was settled here; `idle_sandboxes`: see `Pool.most_idle`.
        `to_look`: a SQLite file that cannot be written is read. `upgrades`: one of an older version is
        upgraded, with a copy beside it.
        """
        self.settings = settings
        self._idle_sandboxes = idle_sandboxes
        self._attempted = attempted
        self.clock = SystemClock()
        self.concurrency = concurrency
        self.only = only
        self._lease_seconds = lease_seconds
        self._to_look = to_look
        self._upgrades = upgrades
        self._made: list[Any] = []
        self._settings_of: tuple[Stored, Settings] | None = None
        self.on_disk: OnDisk | None = None  # of what serves: what the files of the settings held at the start

    @property
    def is_shared(self) -> bool:
        """Whether the database is a server's, which many workers share."""
        return address.is_server(self.settings.database)

    @property
    def database_name(self) -> str:
        """The database as people may see it; InvalidParameter for one of another kind."""
        return address.shown(self.settings.database)

    @property
    def database_path(self) -> str:
        """The SQLite file; InvalidParameter for a database of another kind."""
        return address.file_of(self.settings.database)

    @property
    def has_database(self) -> bool:
        """Whether there is one yet; opening the store of a file would make it."""
        return self.is_shared or os.path.exists(self.database_path)

    @cached_property
    def store(self) -> "SqlStore[Any]":
        from experience_runtime.store.opening import open_postgres, open_sqlite

        def shown(name: str, payload: str) -> str:  # integrations are looked for when that is needed
            return self.integrations.shown(name, payload)

        redact = self.settings.redact
        if self.is_shared:
            silence = None if self._lease_seconds is None else max(_LEAST_SILENCE, self._lease_seconds)
            return self._keep(
                open_postgres(self.settings.database, silence_seconds=silence, redact=redact, shown=shown)
            )
        return self._keep(
            open_sqlite(
                self.database_path,
                to_look=self._to_look,
                upgrades=self._upgrades,
                redact=redact,
                shown=shown,
            )
        )

    @cached_property
    def integrations(self) -> "Registry":
        from experience_runtime.plugins.registry import Registry

        return Registry(self.settings, stored=self.stored_settings)

    @cached_property
    def kept_settings(self) -> "KeptSettings":
        """The settings of integrations that stand in the database."""
        from experience_runtime.engine.kept_settings import KeptSettings

        keys, learned = self.settings.settings_keys, self.settings.learned
        return KeptSettings(self.store.integration_settings, self.clock, keys=keys, learned=learned)

    def stored_settings(self) -> Stored:
        """Those of now, where the settings file says that they stand in the database."""
        if not self.settings.served.settings_in_database:
            return NOTHING_STORED
        return self.kept_settings.now() if self.has_database else Stored(is_used=True)

    def require_settings(self) -> None:
        """Raise InvalidParameter where settings stand in the database, and there is no key to open them."""
        if self.settings.served.settings_in_database:
            _ = self.kept_settings.keys
            self.stored_settings()

    def settings_of_now(self) -> Settings:
        """All settings with what stands in the database now, for a process that asks none."""
        stored = self.stored_settings()
        if not stored.is_used:
            return self.settings
        before, settings = self._settings_of or (None, self.settings)
        if before is not stored:
            settings = self.settings.with_stored(stored)
            self._settings_of = stored, settings
        return settings

    @cached_property
    def scheduler(self) -> Scheduler:
        return Scheduler(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            conversions=self.settings.conversions,
            policies=self.policies,
        )

    @cached_property
    def live(self) -> Live:
        """What is released, and what of it runs."""
        return Live(self.store.releases, self.clock)

    @cached_property
    def operations(self) -> "Operations":
        return self._operations(self.store)

    @cached_property
    def lookup(self) -> "Lookup":
        return self._lookup(self.store)

    @property
    def lookup_without_database(self) -> "Lookup":
        """The same while there is no database yet, and none is to be made: an empty one answers."""
        from experience_runtime.store.opening import open_sqlite

        return self.lookup if self.has_database else self._lookup(self._keep(open_sqlite(":memory:")))

    def _lookup(self, store: "SqlStore[Any]") -> "Lookup":
        from experience_runtime.engine.lookup import Lookup
        from experience_runtime.engine.recurring import Recurring

        return Lookup(
            store=store,
            catalogue=self.integrations,
            operations=self._operations(store),
            recurring=Recurring(store=store.schedules, clock=self.clock, integrations=self.integrations),
            policies=self.policies,
            is_for_sites=self.settings.is_for_sites,
            redact=self.settings.redact,
        )

    def _operations(self, store: "SqlStore[Any]") -> "Operations":
        from experience_runtime.engine.operations import Operations

        return Operations(
            store=store,
            clock=self.clock,
            integrations=self.integrations,
            policies=self.policies,
            redact=self.settings.redact,
        )

    @cached_property
    def recurring(self) -> "Recurring":
        from experience_runtime.engine.recurring import Recurring

        return Recurring(store=self.store.schedules, clock=self.clock, integrations=self.integrations)

    @cached_property
    def policies(self) -> Policies:
        """How each integration may be called; one that is broken, or not here, may not be."""
        return Policies(by_name=self.settings.policies(), broken=self.integrations.unusable)

    @cached_property
    def dispatcher(self) -> "Dispatcher":
        from experience_runtime.engine.delivery import ThreadDelivery
        from experience_runtime.engine.dispatcher import Dispatcher
        from experience_runtime.isolation.processes import Isolation
        from experience_runtime.plugins.http import Outbound

        outbound = self._keep(Outbound(now=self.clock.now, allow_private=self.settings.allow_private))
        return self._keep(
            Dispatcher(
                store=self.store,
                clock=self.clock,
                integrations=self.integrations,
                http=outbound,
                delivery=ThreadDelivery(self.concurrency),
                redact=self.settings.redact,
                policies=self.delivery_policies,
                lease_seconds=self.lease_seconds,
                relay=self._relay(),
                attempted=self._attempted or (lambda *_: None),
                isolation=self._keep(
                    Isolation(self.settings_of_now)
                ),  # closed after it: calls have their time
            )
        )

    @property
    def delivery_policies(self) -> Policies:
        """The policies of what is due: one integration has at most half of the calls."""
        return replace(self.policies, share=max(1, self.concurrency // 2), fresh=FRESH)

    @property
    def lease_seconds(self) -> int:
        """How long a worker that says nothing keeps what it has claimed."""
        return self._lease_seconds or (SHARED_LEASE_SECONDS if self.is_shared else LEASE_SECONDS)

    def _relay(self) -> "Relay | None":
        if not self.is_shared:
            return None
        from experience_runtime.store.postgres.relay import ProcrastinateRelay

        return ProcrastinateRelay(
            self.store.database,
            self.settings.database,
            serves=self._served,
            stalled_seconds=self.lease_seconds,
        )

    def _served(self) -> Collection[str]:
        """What is taken here of what is claimed: one that is broken or not here may be whole elsewhere."""
        whole = self.integrations.whole()
        return whole if self.only is None else self.only & set(whole)

    @property
    def has_sandbox(self) -> bool:
        """Whether it was made; asking for it makes it."""
        return "sandbox" in self.__dict__

    @cached_property
    def sandbox(self) -> "Pool":
        from experience_runtime.sandbox.pool import Pool

        return self._keep(Pool(spares=1, most_idle=self._idle_sandboxes))

    def for_serving(self) -> "Runtime":
        """The same, with every part made now: later, two threads that ask first would each make one."""
        self.on_disk = OnDisk(self.settings.config, self.settings.integrations_dir)
        self.require_settings()
        self.integrations.load_all()
        self._parts = [self.store, self.scheduler, self.operations, self.recurring, self.lookup]
        self._parts += [self.live, self.dispatcher, self.sandbox]
        return self

    def for_delivering(self) -> None:
        """Make the parts that a worker and its numbers share, before two threads ask for them."""
        self._shared = self.store, self.operations, self.dispatcher

    def check(self, make: "Callable[[], Bundle]") -> "Checked":
        """See `scripts.check.check_script`."""
        from experience_runtime.scripts.check import check_script

        return check_script(make, sandbox=self.sandbox, integrations=self.integrations, now=self.clock.now())

    def play(
        self,
        request: "PlayRequest",
        script: Script,
        *,
        seconds: float | None = None,
        progress: Callable[[datetime], None] | None = None,
    ) -> "Simulated":
        """Simulate: see `simulation.play`. Nothing leaves, and nothing is stored."""
        from experience_runtime.simulation.play import Stage, play

        stage = Stage(
            sandbox=self.sandbox,
            integrations=self.integrations,
            conversions=self.settings.conversions,
            client=self.settings.client,
            redact=self.settings.redact,
        )
        return play(request, script, stage, seconds=seconds, progress=progress)

    def run(
        self,
        script: Script,
        situation: "Situation",
        limits: Limits | None = None,
        *,
        notes_exposure: bool = True,
    ) -> "Report":
        """Run an experience for real, into the store, to its end."""
        from experience_runtime.running.driving import drive
        from experience_runtime.running.exposing import assigned, note_exposure
        from experience_runtime.running.opening import open_run

        began_at, exposures = self.clock.now(), self.store.exposures
        script, is_shown_before = assigned(script, situation.visitor.id, exposures)
        with ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="execute") as executor:
            run = open_run(
                script,
                situation,
                sandbox=self.sandbox,
                scheduler=self.scheduler,
                events=self.store.events,
                integrations=self.integrations,
                clock=self.clock,
                call_now=lambda execution, seconds: self.dispatcher.call_now(execution, seconds),
                executor=executor,
                limits=limits,
                client=self.settings.client,
            )
            report = drive(run, self.clock)
        if notes_exposure and not is_shown_before:
            note_exposure(script, report, exposures, at=began_at)
        return report

    def close(self) -> None:
        """Close what was made, the last first."""
        while self._made:
            self._made.pop().close()

    def __enter__(self) -> "Runtime":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self, part: T) -> T:
        self._made.append(part)
        return part
