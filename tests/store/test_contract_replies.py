"""Answers under an Idempotency-Key: a request happens once, though a process ends in the middle of it."""

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.admission import IntegrationState
from experience_runtime.domain.errors import AlreadyScheduled, Conflict
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.domain.jobs import Job
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.engine.claims import Claim, in_hand
from experience_runtime.engine.keeping import Reply
from experience_runtime.engine.stores import Added, Adding, Store
from experience_runtime.store.replies import SqlReplies
from experience_runtime.store.sql import SqlStore

from tests.support.executions import KEY, NOW, add, an_execution, keyed

from .test_contract_releases import MADE
from .test_contract_releases import put as released
from .test_contract_schedules import a_schedule

REPLY = Reply(status=200, media_type="application/json", body=b'{"a":"\xc3\xa9"}')
SECOND = timedelta(seconds=1)


def claimed(store: Store, *, by: str | None = None, now: datetime = NOW, request: bytes = b"r") -> Claim:
    """The claim that a process of this name, or this one, gets."""
    assert isinstance(store, SqlStore)
    replies = store.replies if by is None else SqlReplies(store.database, by)
    claim = replies.claim(caller="shop", key="k", request=request, now=now)
    assert isinstance(claim, Claim)
    return claim


def asked(store: Store, *, now: datetime = NOW, request: bytes = b"r") -> Reply | Claim:
    return store.replies.claim(caller="shop", key="k", request=request, now=now)


def ended_process() -> str:
    """The name of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{socket.gethostname()} {process.pid} 0123456789abcdef"


# --- answers


def test_the_same_request_gets_the_answer_it_got(store: Store) -> None:
    store.replies.keep(REPLY, claimed(store))

    assert asked(store, now=NOW + 60 * SECOND) == REPLY
    assert isinstance(store.replies.claim(caller="ops", key="k", request=b"other", now=NOW), Claim)


def test_another_request_under_the_key_is_a_conflict(store: Store) -> None:
    claim = claimed(store)

    with pytest.raises(Conflict, match="another request"):
        asked(store, request=b"other")
    store.replies.keep(REPLY, claim)
    with pytest.raises(Conflict, match="another request"):
        asked(store, request=b"other")


def test_a_released_key_can_be_taken_again_and_a_kept_answer_is_not_released(store: Store) -> None:
    store.replies.release(claimed(store))

    again = claimed(store, request=b"other")
    store.replies.keep(REPLY, again)
    store.replies.release(again)

    assert asked(store, request=b"other") == REPLY


def test_an_answer_is_kept_until_it_is_pruned(store: Store) -> None:
    store.replies.keep(REPLY, claimed(store))

    assert asked(store, now=NOW + timedelta(days=6)) == REPLY


def test_of_many_at_once_one_takes_the_key(store: Store) -> None:
    begin, taken = threading.Barrier(8), []

    def take() -> None:
        begin.wait()
        try:
            taken.append(asked(store))
        except Conflict:
            taken.append(REPLY)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(each, Claim) for each in taken) == 1


# --- whoever answers ends


@pytest.mark.parametrize(
    "alive",
    [f"{socket.gethostname()} {os.getppid()} 0123456789abcdef", "another-machine 1 0123456789abcdef"],
)
def test_a_request_that_is_being_answered_is_a_conflict_for_a_minute(store: Store, alive: str) -> None:
    claimed(store, by=alive)

    with pytest.raises(Conflict, match="still being answered"):
        asked(store, now=NOW + 59 * SECOND)
    assert isinstance(asked(store, now=NOW + 60 * SECOND), Claim)
    with pytest.raises(Conflict, match="still being answered"):
        asked(store, now=NOW + 61 * SECOND)


@pytest.mark.parametrize("ended", ["gone", "of this number"])
def test_what_a_process_that_has_ended_was_answering_is_taken_over_at_once(store: Store, ended: str) -> None:
    before = f"{socket.gethostname()} {os.getpid()} 0123456789abcdef"  # as in a container: always number 1

    claimed(store, by=ended_process() if ended == "gone" else before)

    assert isinstance(asked(store), Claim)


VERBS: dict[str, Any] = {
    "schedule": lambda store: store.add(an_execution(10), IfExists.REPLACE),
    "schedule with a key": lambda store: store.add(keyed(10), IfExists.REPLACE),
    "schedule what is kept": lambda store: store.add(keyed(10), IfExists.KEEP),
    "several": lambda store: store.carry_out(
        [
            Adding(execution=an_execution(10), if_exists=IfExists.REPLACE),
            Adding(execution=keyed(11), if_exists=IfExists.REJECT),
        ]
    ),
    "cancel": lambda store: store.cancel_key(key_digest=KEY, key_owner="ada", reason=None, now=NOW),
    "cancel one": lambda store: store.cancel(1, reason=None, now=NOW),
    "cancel each": lambda store: store.cancel_each([1, 2], reason=None, now=NOW),
    "convert": lambda store: store.convert("ada", event="bought", now=NOW),
    "execute": lambda store: store.allow_execute(key_digest=KEY, key_owner="ada", now=NOW, per_seconds=60),
    "new schedule": lambda store: store.schedules.put(a_schedule(), replacing=None),
    "changed schedule": lambda store: store.schedules.put(
        replace(a_schedule("kept"), payload='"new"', version=2), replacing=a_schedule("kept")
    ),
    "no schedule": lambda store: store.schedules.remove("kept", now=NOW),
    "pause": lambda store: store.integration_states.change_by_hand("pause", "slack-update", paused, now=NOW),
    "event": lambda store: store.events.record(
        VisitorEvent(visitor="ada", type="t", data="{}", at=NOW, received_at=NOW)
    ),
    "job": lambda store: store.jobs.begin(
        Job(id="job_1", verb="cancel", filter=Filter(), reason=None, matching=1, begun_at=NOW)
    ),
    "release": lambda store: released(store),
    "no release": lambda store: store.releases.deactivate(
        made=replace(MADE, experience="active"), expected=None
    ),
}


def paused(state: IntegrationState) -> IntegrationState:
    assert state.paused_at is None  # it is refused a second time
    return replace(state, paused_at=NOW)


def everything(store: Store) -> Any:
    found = store.find(Filter(), limit=100).executions
    seen = store.events.of("ada", limit=10), store.events.conversions("ada", limit=10)
    schedules, states = store.schedules.schedules(), store.integration_states.all()
    releases = store.releases.live(), store.releases.version()
    return releases, schedules, states, found, [store.history(each.number) for each in found], seen


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_made_before_the_end_is_told_again_and_not_made_again(store: Store, verb: str) -> None:
    add(store, replace(keyed(1), cancel_on_conversion=True))
    assert store.schedules.put(a_schedule("kept"), replacing=None)
    released(store, experience="active")
    act = VERBS[verb]
    with in_hand(claimed(store, by=ended_process())):
        first = act(store)
    after = everything(store)

    with in_hand(claimed(store)):
        again = act(store)

    assert told(again) == told(first)
    assert everything(store) == after


def told(result: Any) -> Any:
    """A result without what only says that it was told again."""
    match result:
        case Added():
            return replace(result, is_told_again=False)
        case [*several]:
            return [told(each) for each in several]
        case AlreadyScheduled():
            return str(result)
    return result


def test_after_what_was_made_the_rest_is_made(store: Store) -> None:
    with in_hand(claimed(store, by=ended_process())):
        store.add(an_execution(1), IfExists.REPLACE)

    with in_hand(claimed(store)):
        store.add(an_execution(7), IfExists.REPLACE)
        store.add(an_execution(2), IfExists.REPLACE)

    assert [each.number for each in store.find(Filter()).executions] == [2, 1]


def test_what_was_made_is_told_wherever_a_turn_ends_the_second_time(store: Store) -> None:
    def turn(*numbers: int) -> list[Any]:
        return list(
            store.carry_out(
                [Adding(execution=an_execution(number), if_exists=IfExists.REPLACE) for number in numbers]
            )
        )

    with in_hand(claimed(store, by=ended_process())):
        turn(1, 2)
        store.add(an_execution(3), IfExists.REPLACE)

    with in_hand(claimed(store)):
        first = store.add(an_execution(11), IfExists.REPLACE)
        others = turn(12, 13, 14)

    assert [each.execution.number for each in (first, *others)] == [1, 2, 3, 14]
    assert sorted(each.number for each in store.find(Filter()).executions) == [1, 2, 3, 14]


def test_another_act_than_the_one_that_was_made_is_refused(store: Store) -> None:
    with in_hand(claimed(store, by=ended_process())):
        store.add(an_execution(1), IfExists.REPLACE)

    claim = claimed(store)
    with in_hand(claim), pytest.raises(Conflict, match="interrupted after it had made a schedule of slack"):
        store.cancel(1, reason=None, now=NOW)
    with in_hand(claim), pytest.raises(Conflict, match="it does something else"):
        store.add(replace(an_execution(2), integration="webhook"), IfExists.REPLACE)

    assert store.execution(1).status == "pending"


def test_an_execute_whose_key_was_taken_may_be_made_by_the_same_request_later(store: Store) -> None:
    def take(seconds: int) -> bool:
        now = NOW + seconds * SECOND
        return store.allow_execute(key_digest=KEY, key_owner="ada", now=now, per_seconds=60)

    assert take(0)
    claim = claimed(store)
    with in_hand(claim):
        assert not take(1)
    store.replies.release(claim)

    with in_hand(claimed(store)):
        assert take(60)


def test_whoever_was_taken_over_makes_nothing_more(store: Store) -> None:
    stalled = claimed(store)
    claimed(store, by="another-machine 1 0123456789abcdef", now=NOW + 60 * SECOND)

    with in_hand(stalled), pytest.raises(Conflict, match="taken it over"):
        store.add(an_execution(1), IfExists.REPLACE)
    store.replies.keep(REPLY, stalled)
    store.replies.release(stalled)

    assert store.find(Filter()).executions == []
    with pytest.raises(Conflict, match="still being answered"):
        asked(store, now=NOW + 61 * SECOND)


def test_a_request_that_does_not_know_what_it_made_goes_on_from_there(store: Store) -> None:
    claim = claimed(store)
    with in_hand(claim):
        store.add(an_execution(1), IfExists.REPLACE)
    claim.acts.clear()  # as when the answer to its COMMIT was lost
    store.replies.release(claim)

    with in_hand(claimed(store)):
        again = store.add(an_execution(7), IfExists.REPLACE)

    assert (again.execution.number, again.is_told_again) == (1, True)


def test_a_request_that_failed_after_it_had_made_something_goes_on_from_there(store: Store) -> None:
    claim = claimed(store)
    with in_hand(claim):
        store.add(an_execution(1), IfExists.REPLACE)
    store.replies.release(claim)

    with in_hand(claimed(store)):
        again = store.add(an_execution(7), IfExists.REPLACE)

    assert (again.execution.number, again.is_told_again) == (1, True)
    assert store.count(Filter()) == 1


@pytest.mark.parametrize("act", ["keep", "release", "give up", "make", "take over"])
def test_what_becomes_of_one_request_becomes_of_no_other(store: Store, act: str) -> None:
    assert isinstance(store, SqlStore)
    gone = SqlReplies(store.database, ended_process())
    one, *others = (
        gone.claim(caller=caller, key=key, request=b"r", now=NOW)
        for caller, key in (("shop", "k"), ("shop", "l"), ("site", "k"))
    )
    assert isinstance(one, Claim)

    match act:
        case "keep":
            gone.keep(REPLY, one)
        case "release":
            gone.release(one)
        case "take over":
            claimed(store)
        case _:
            with in_hand(one):
                store.add(an_execution(1), IfExists.REPLACE)
            if act == "give up":
                gone.release(one)

    for number, other in enumerate(others, 2):
        assert isinstance(other, Claim)
        with in_hand(other):  # it is still whose it was
            store.add(an_execution(number), IfExists.REPLACE)
    for number, key, caller in ((2, "l", "shop"), (3, "k", "site"), (1, "k", "shop")):
        if number > 1 or act in ("make", "give up"):
            again = store.replies.claim(caller=caller, key=key, request=b"r", now=NOW)
            assert isinstance(again, Claim)
            with in_hand(again):  # and is told what it has made itself
                assert store.add(an_execution(9), IfExists.REPLACE).execution.number == number


def test_an_answer_that_is_kept_stays(store: Store) -> None:
    claim = claimed(store)
    store.replies.keep(REPLY, claim)

    store.replies.keep(replace(REPLY, body=b"another"), claim)
    store.replies.release(claim)

    assert asked(store) == REPLY
