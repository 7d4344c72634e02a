"""The webhooks of a runtime: told on a thread of their own, while it serves or delivers."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from experience_runtime.domain.executions import Execution, Filter, Status
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


LOOKED_AT = 200
"""Calls of all webhooks together that are told apart by whom they told."""


def webhook_documents(runtime: Runtime) -> list[dict[str, Any]]:
    """Each webhook of the settings: of what it is told, how far it is, and how its latest calls went."""
    feed = runtime.store.feed if runtime.has_database else None
    end = None if feed is None else feed.position("")
    calls: dict[str, list[Execution]] = defaultdict(list)
    if feed is not None:
        latest = runtime.store.find(Filter(integration=STATE_CHANGES), cursor=None, limit=LOOKED_AT)
        for each in latest.executions:
            calls[json.loads(each.payload)["webhook"]].append(each)
    documents = []
    for webhook in runtime.settings.webhooks:
        position = None if feed is None else feed.position(webhook.name)
        documents.append(
            {
                "name": webhook.name,
                "on": list(webhook.on),
                "integrations": list(webhook.integrations),
                "behind": 0 if position is None or end is None else end - position,
                **_how_it_went(runtime, calls[webhook.name]),
            }
        )
    return documents


def _how_it_went(runtime: Runtime, calls: Sequence[Execution]) -> dict[str, Any]:
    def count(*statuses: Status) -> int:
        return sum(each.status in statuses for each in calls)

    last = next((each for each in calls if each.status in (Status.SUCCEEDED, Status.FAILED)), None)
    document = None
    if last is not None:
        tries = runtime.store.attempts(last.number)
        attempt = tries[-1] if tries else None
        error = None if attempt is None else attempt.error
        document = {
            "id": last.id,
            "status": last.status.value,
            "at": iso(last.created_at if attempt is None else attempt.ended_at or attempt.started_at),
            "error": None if error is None else runtime.settings.redact(error),
        }
    return {
        "last": document,
        "succeeded": count(Status.SUCCEEDED),
        "failed": count(Status.FAILED),
        "waiting": count(Status.PENDING, Status.RUNNING),
    }


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
