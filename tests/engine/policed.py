"""A world whose integrations are called as policies allow."""

import random
from collections.abc import Sequence
from datetime import datetime

from experience_runtime.domain.admission import Policies
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.ports import Delivery
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.stores import Store
from experience_runtime.integration import Answer, Http

from .conftest import World


class Policed(World):
    """A World with an operator: `sms` and `mail` answer what `http` does, and fail as that says."""

    def __init__(self, policies: Policies, store: Store | None = None, http: Http | None = None) -> None:
        self.policies = policies
        self.way_out = http
        super().__init__(store)
        for name in ("sms", "mail"):
            self.integrations.put(
                name, lambda payload, context: context.http.post("https://x/", json=payload).require_success()
            )
        self.scheduler = Scheduler(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            conversions=["bought"],
            policies=policies,
            source=random.Random(1),
        )
        self.operations = Operations(
            redact=str, store=self.store, clock=self.clock, integrations=self.integrations, policies=policies
        )

    def dispatcher_on(self, delivery: Delivery) -> Dispatcher:
        return Dispatcher(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            http=self.way_out or self.http,
            delivery=delivery,
            random=random.Random(1),
            policies=self.policies,
        )

    def answers(self, status: int, text: str = "") -> None:
        """What the other side says from now on."""
        self.http.answer = Answer(status, text=text)

    def due(self, count: int, integration: str = "sms") -> list[Execution]:
        """Schedule as many, due now."""
        return [self.schedule(integration=integration).execution for _ in range(count)]

    def now_is(self, executions: Sequence[Execution]) -> list[Status]:
        """The states they are in."""
        return [self.store.execution(each.number).status for each in executions]

    def begun(self, executions: Sequence[Execution]) -> list[datetime]:
        """When their attempts began."""
        return [at.started_at for each in executions for at in self.store.attempts(each.number)]

    def execute(self, integration: str = "sms") -> Execution:
        return self.scheduler.begin_execute(integration, "hello", key=None, visitor=None, experience=None)
