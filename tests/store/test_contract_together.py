"""Several acts in one transaction: in their order, and one that is refused is refused alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from experience_runtime.domain.errors import AlreadyScheduled
from experience_runtime.domain.executions import Execution, Filter, IfExists, Status
from experience_runtime.engine.stores import Added, Adding, Cancelling, Store

from tests.support.executions import KEY, NOW, add, an_execution, keyed, states

CANCEL = Cancelling(key_digest=KEY, key_owner="ada", reason="changed my mind", now=NOW)


def adding(execution: Execution, if_exists: IfExists = IfExists.REPLACE) -> Adding:
    return Adding(execution=execution, if_exists=if_exists)


def statuses(store: Store) -> dict[int, str]:
    return {each.number: each.status.value for each in store.find(Filter(), limit=100).executions}


def test_each_act_gives_what_it_would_have_given_alone(store: Store) -> None:
    add(store, keyed(1))

    done = store.carry_out(
        [
            adding(an_execution(2)),
            adding(keyed(3)),
            adding(keyed(4, owner="eve")),
            CANCEL,
            CANCEL,
            adding(keyed(5)),
        ]
    )

    assert done == [
        Added(execution=an_execution(2), is_new=True, replaced=None),
        Added(execution=keyed(3), is_new=True, replaced=keyed(1).id),
        Added(execution=keyed(4, owner="eve"), is_new=True, replaced=None),
        [keyed(3).id],
        [],
        Added(execution=keyed(5), is_new=True, replaced=None),
    ]
    assert statuses(store) == {
        1: "cancelled",
        2: "pending",
        3: "cancelled",
        4: "pending",
        5: "pending",
    }
    assert states(store.history(1)) == [(None, "pending", None), ("pending", "cancelled", "replaced")]
    assert states(store.history(3))[1:] == [("pending", "cancelled", "changed my mind")]


def test_of_one_key_the_last_stays(store: Store) -> None:
    done = store.carry_out([adding(keyed(number)) for number in range(1, 5)])

    assert [each.replaced for each in done if isinstance(each, Added)] == [
        None,
        *(keyed(number).id for number in range(1, 4)),
    ]
    assert statuses(store) == {1: "cancelled", 2: "cancelled", 3: "cancelled", 4: "pending"}


def test_one_that_is_refused_is_refused_alone(store: Store) -> None:
    first, refused, kept, last = store.carry_out(
        [
            adding(keyed(1)),
            adding(keyed(2), IfExists.REJECT),
            adding(keyed(3), IfExists.KEEP),
            adding(an_execution(4)),
        ]
    )

    assert isinstance(first, Added)
    assert isinstance(refused, AlreadyScheduled)
    assert keyed(1).id in str(refused)
    assert kept == Added(execution=keyed(1), is_new=False, replaced=None)
    assert isinstance(last, Added)
    assert statuses(store) == {1: "pending", 4: "pending"}


def test_numbers_that_are_taken_give_way_to_free_ones(store: Store) -> None:
    add(store, an_execution(2), an_execution(3))

    done = store.carry_out([adding(an_execution(number)) for number in (1, 2, 3)])

    numbers = [each.execution.number for each in done if isinstance(each, Added)]
    assert numbers[0] == 1
    assert sorted(numbers[1:]) == [4, 5]
    assert sorted(statuses(store)) == [1, 2, 3, 4, 5]


def test_what_raises_leaves_nothing_behind(store: Store) -> None:
    broken = replace(an_execution(2), retries=None)  # type: ignore[arg-type]  # no column holds it

    with pytest.raises(Exception, match="retries"):
        store.carry_out([adding(an_execution(1)), adding(broken)])

    assert statuses(store) == {}


def test_two_that_take_the_same_keys_in_other_orders_both_come_through(store: Store) -> None:
    def of(number: int, digest: int) -> Adding:
        return adding(replace(keyed(number), key_digest=bytes([digest]) * 16))

    batches = [
        [of(100 * turn + 10 * way + place, digest) for place, digest in enumerate(digests)]
        for turn in range(1, 11)
        for way, digests in enumerate(((1, 2, 3), (3, 2, 1)))
    ]

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(store.carry_out, batches))

    found = store.find(Filter(), limit=100).executions
    assert len(found) == 60
    assert sum(each.status is Status.PENDING for each in found) == 3
