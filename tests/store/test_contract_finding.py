"""What every store does to find executions: by text, by when they are due and ended, in either order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Filter, Sort, execution_id
from experience_runtime.engine.stores import Store

from tests.support.executions import FAILED, LATER, NOW, SUCCEEDED, add, an_execution, keyed, running, settle

MINUTE = timedelta(minutes=1)
NUMBER = 0x123456789ABCDEF


def _numbers(store: Store, filter: Filter) -> list[int]:
    found = [each.number for each in store.find(filter).executions]
    assert store.count(filter) == len(found)
    assert store.count_up_to(filter, 9, walks=1000) == (len(found), True)
    return found


def test_a_text_is_a_part_of_a_person_a_key_or_an_id_in_any_case(store: Store) -> None:
    ada = replace(keyed(1, owner="Ada Lovelace"), payload='{"note":"ÉCOLE"}')
    add(store, ada, keyed(2, owner="Élodie"), replace(an_execution(3), visitor="v3"))
    add(store, an_execution(NUMBER))
    store.identify("v3", "ada@Example.org", now=NOW)
    whole = execution_id(NUMBER)
    cases = {
        execution_id(2): [2],
        "ada": [3, 1],  # the one by its visitor, the other by who was identified
        "LOVE": [1],
        "éLO": [2],
        "example.ORG": [3],
        "da%": [],
        "ada_": [],
        '"A":1': [2, 1],
        whole: [NUMBER],
        whole.upper(): [NUMBER],
        whole[5:13]: [NUMBER],
        whole[-6:]: [NUMBER],
        whole[-7:-1]: [NUMBER],
        "ex_zzzzzzzzzzzzz": [],
        "école": [],  # that of a payload is searched where it is asked for
    }

    found = {text: _numbers(store, Filter(text=text)) for text in cases}

    assert found == cases
    assert _numbers(store, Filter(payload="école")) == [1]
    assert _numbers(store, Filter(payload="école", text="élodie")) == []
    hidden = Filter(text="ada", of_experiences=True)
    assert _numbers(store, hidden) == _numbers(store, replace(hidden, text=None, payload="école")) == []


def test_executions_are_found_by_when_they_are_due(store: Store) -> None:
    add(store, *(replace(an_execution(n), due_at=NOW + n * MINUTE) for n in (1, 2, 3)))

    assert _numbers(store, Filter(due_from=NOW + 2 * MINUTE, due_until=NOW + 3 * MINUTE)) == [2]


def test_what_failed_since_is_found_by_when_it_failed_whatever_came_after(store: Store) -> None:
    for number, settlement, at in ((1, FAILED, NOW), (2, FAILED, LATER), (3, SUCCEEDED, LATER)):
        claimed = running(store, an_execution(number))
        settle(store, number, claimed.attempt, settlement, now=at)
    add(store, an_execution(4))
    store.cancel(4, reason=None, now=LATER)
    store.replay(2, reason="again", now=LATER + MINUTE)
    add(store, an_execution(5))

    assert _numbers(store, Filter(failed_from=LATER)) == [2]
    assert _numbers(store, Filter(failed_until=LATER)) == [1]
    assert _numbers(store, Filter(failed_from=NOW, failed_until=LATER + MINUTE)) == [2, 1]
    assert _numbers(store, Filter(failed_from=LATER + MINUTE)) == []
    assert _numbers(store, Filter(finished_from=LATER)) == [4, 3, 2]
    assert _numbers(store, Filter(finished_until=LATER)) == [1]


@pytest.mark.parametrize("integration", [None, "slack-update"])
def test_those_due_first_come_first_page_by_page(store: Store, integration: str | None) -> None:
    due = {1: 5, 2: 3, 3: 3, 4: 1, 5: 9, 6: 3}
    add(store, *(replace(an_execution(n), due_at=NOW + minutes * MINUTE) for n, minutes in due.items()))
    add(store, replace(an_execution(7), integration="webhook", due_at=NOW + 60 * MINUTE))
    filter = Filter(integration=integration, due_from=NOW + MINUTE, due_until=NOW + 10 * MINUTE)

    def walk(cursor: str | None = None) -> list[int]:
        page = store.find(filter, sort=Sort.DUE, cursor=cursor, limit=2)
        numbers = [each.number for each in page.executions]
        return numbers + (walk(page.next) if page.next else [])

    assert walk() == [4, 2, 3, 6, 1, 5]


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        (Sort.DUE, lambda page: page.executions[0].id),
        (Sort.NEWEST, lambda page: f"{10**12}.{page.executions[0].id}"),
        (Sort.DUE, lambda _: f"{10**12}.ex_x"),
        (Sort.DUE, lambda _: f"{10**30}.{execution_id(1)}"),
    ],
)
def test_a_cursor_of_another_order_is_refused(store: Store, sort: Sort, cursor: Callable[..., str]) -> None:
    add(store, an_execution(1))
    page = store.find(Filter())

    with pytest.raises(InvalidParameter, match="not a cursor"):
        store.find(Filter(), sort=sort, cursor=cursor(page))


def test_the_others_of_a_visitors_key_are_told_the_newest_first(store: Store) -> None:
    ada = [keyed(n) for n in (1, 2, 3)]
    ada[0] = replace(ada[0], experience="shop")
    add(store, *ada, keyed(4, owner="ben"), replace(keyed(5), key_digest=b"o" * 16), keyed(6, owner=""))

    assert [each.number for each in store.same_key(ada[1], limit=5)] == [3, 1]
    assert [each.number for each in store.same_key(ada[1], limit=1)] == [3]
    assert [each.number for each in store.same_key(ada[1], limit=5, of_experiences=True)] == [1]
    assert store.same_key(keyed(6, owner=""), limit=5) == store.same_key(an_execution(7), limit=5) == []


def test_a_count_goes_no_further_than_it_is_asked_to(store: Store) -> None:
    add(store, *(an_execution(n) for n in range(1, 6)))

    assert store.count_up_to(Filter(), 3, walks=9) == (3, False)
