"""The webhooks of a runtime: told on a thread of their own, while it serves or delivers."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from experience_runtime.domain.instants import iso
from experience_runtime.domain.state_changes import STATE_CHANGES, Webhook
from experience_runtime.domain.zones import UTC
from experience_runtime.engine.attempt import Outcome, call
from experience_runtime.engine.numbering import ExecutionNumbers
from experience_runtime.engine.prepared import Wanted, new_execution
from experience_runtime.engine.telling import LOOK, Telling
from experience_runtime.plugins.http import Outbound
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.looking import looking


def call_to_test(runtime: Runtime, webhook: Webhook, http: Outbound) -> Outcome:
    """Call a webhook now with an event of the type `test`; nothing is stored."""
    now = runtime.clock.now()
    event = {"type": "test", "timestamp": iso(now), "data": {}}
    wanted = Wanted(
        integration=STATE_CHANGES,
        payload=json.dumps({"webhook": webhook.name, "event": event}),
        pace_key=webhook.name,
        retries=0,
        at=now,
    )
    number = ExecutionNumbers(random.SystemRandom()).next(now)
    execution = replace(new_execution(wanted, number, (UTC, "default")), attempt=1, begun=1)
    return call(
        execution,
        clock=runtime.clock,
        integrations=runtime.integrations,
        http=http,
        redact=runtime.settings.redact,
    )


def make_telling(runtime: Runtime) -> Telling:
    """Make what tells the webhooks of the settings."""
    return Telling(
        runtime.settings.webhooks,
        feed=runtime.store.feed,
        clock=runtime.clock,
        retries=runtime.integrations.get(STATE_CHANGES).retries,
        redact=runtime.settings.redact,
        shown=runtime.integrations.shown,
        told=runtime.dispatcher.wake.set,
    )


@contextmanager
def telling(runtime: Runtime) -> Iterator[None]:
    """Tell the webhooks meanwhile, if there are any: from what changes after this has begun."""
    if not runtime.settings.webhooks:
        yield
        return
    told = make_telling(runtime)
    told.begin()
    with looking(runtime, told.step, name="webhooks", every=LOOK):
        yield
