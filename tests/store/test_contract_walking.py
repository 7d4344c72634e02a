"""What every store does where no index answers: it walks in bounded looks, and tells each execution once."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Execution, Filter, Sort, Status, execution_id
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.engine.stores import Store
from experience_runtime.store import walking

from tests.support.executions import FAILED, NOW, SUCCEEDED, add, an_execution, keyed, settle

DAY = timedelta(days=1)
ROWS = 18
AD = ("ada", "adam")


def _fill(store: Store) -> list[Execution]:
    """Executions of three visitors, one a day, a third ended; the first has a second id."""
    for n in sorted(
        range(1, ROWS + 1), key=lambda n: n % 3 != 0
    ):  # what ends first: nothing else is due then
        made_at = NOW + n * DAY
        made = replace(
            keyed(n, owner=("ada", "adam", "v3")[n % 3]),
            number=first_number_of(made_at),
            key_digest=n.to_bytes(16, "big"),
            integration="email" if n % 4 else "webhook",
            experience="shop" if n % 2 else None,
            created_at=made_at,
            requested_at=made_at,
            due_at=made_at + (n * 7 % 5 if n % 3 else 0) * DAY,
            payload=f'{{"note":"{n}"}}',
        )
        add(store, made)
        if n % 3 == 0:
            (claimed,) = store.claim_due(now=made_at, lease_until=made_at + DAY, limit=5)
            store.start_all([(made.number, claimed.attempt)], now=made_at, lease_until=made_at + DAY)
            settle(store, made.number, claimed.attempt, SUCCEEDED if n % 2 else FAILED, now=made_at)
    store.identify("ada", "ada@example.org", now=NOW)
    return [each for page in _pages(store, Filter()) for each in page]


def _pages(store: Store, filter: Filter, **how: object) -> list[list[Execution]]:
    """Every page as a program reads them: on and on with `next`."""
    pages, cursor = [], None
    for _ in range(4 * ROWS):
        page = store.find(filter, cursor=cursor, **{"limit": 4, "most": 5, **how})  # type: ignore[arg-type]
        pages.append(list(page.executions))
        cursor = page.next
        if cursor is None:
            return pages
    raise AssertionError(f"no end of {filter}")


def _ended(*statuses: Status) -> Callable[[Execution], bool]:
    return lambda each: each.status in statuses


ASKED: dict[str, tuple[Filter, Callable[[Execution], bool]]] = {
    "everything": (Filter(), lambda _: True),
    "of an experience": (Filter(experience="shop"), lambda each: each.experience == "shop"),
    "of nobody": (Filter(experience="none"), lambda _: False),
    "of a visitor": (Filter(visitor="ada"), lambda each: each.visitor == "ada"),
    "of two": (
        Filter(visitor="ada", integration="email"),
        lambda each: each.visitor == "ada" and each.integration == "email",
    ),
    "pending": (Filter(statuses=[Status.PENDING]), _ended(Status.PENDING)),
    "pending of one": (
        Filter(statuses=[Status.PENDING], integration="webhook"),
        lambda each: each.status is Status.PENDING and each.integration == "webhook",
    ),
    "failed": (Filter(statuses=[Status.FAILED]), _ended(Status.FAILED)),
    "ended": (Filter(statuses=[Status.FAILED, Status.SUCCEEDED]), _ended(Status.FAILED, Status.SUCCEEDED)),
    "made in days": (
        Filter(created_from=NOW + 8 * DAY, created_until=NOW + 15 * DAY),
        lambda each: NOW + 8 * DAY <= each.created_at < NOW + 15 * DAY,
    ),
    "due in days": (
        Filter(due_from=NOW + 8 * DAY, due_until=NOW + 15 * DAY),
        lambda each: NOW + 8 * DAY <= each.due_at < NOW + 15 * DAY,
    ),
    "failed in days": (
        Filter(failed_from=NOW + 4 * DAY, failed_until=NOW + 15 * DAY),
        lambda each: each.status is Status.FAILED and NOW + 4 * DAY <= each.created_at < NOW + 15 * DAY,
    ),
    "ended in days, of one": (
        Filter(finished_from=NOW + 4 * DAY, integration="email"),
        lambda each: (
            each.status is not Status.PENDING
            and each.created_at >= NOW + 4 * DAY
            and each.integration == "email"
        ),
    ),
    "a text": (Filter(text="DA"), lambda each: each.visitor in AD),
    "a whole id": (Filter(text="adam"), lambda each: each.visitor == "adam"),
    "another id": (Filter(text="ada@example.org"), lambda each: each.visitor == "ada"),
    "a text and a state": (
        Filter(text="ada", statuses=[Status.PENDING]),
        lambda each: each.visitor in AD and each.status is Status.PENDING,
    ),
    "a payload": (Filter(payload='"1'), lambda each: '"1' in each.payload),
}


@pytest.mark.parametrize("few", [0, 4, 5_000], ids=["nothing is few", "four are few", "all are few"])
def test_whatever_is_asked_each_is_told_once_in_its_order(
    store: Store, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "MOST_SORTED", few)
    monkeypatch.setattr(walking, "MOST_LOOKED_THROUGH", few)
    monkeypatch.setattr(walking, "_STEP", 2)
    monkeypatch.setattr(walking, "_FIRST_STEP", 1)
    everything = _fill(store)
    assert len(everything) == ROWS

    for (name, (filter, means)), sort in itertools.product(ASKED.items(), Sort):
        meant = [each.number for each in everything if means(each)]
        found = [each for page in _pages(store, filter, sort=sort) for each in page]
        if sort is Sort.DUE:
            found_in_order = sorted(found, key=lambda each: (each.due_at, each.number))
            assert found == found_in_order, name
        elif filter.text is None:
            assert [each.number for each in found] == meant, name
        assert sorted(each.number for each in found) == sorted(meant), (name, sort)
        whole = store.find(filter, sort=sort, limit=ROWS).executions  # walked through in one look
        assert sorted(each.number for each in whole) == sorted(meant), (name, sort)
        count, is_all = store.count_up_to(filter, 7, walks=9)
        assert count <= len(meant), name
        assert not is_all or count == len(meant), name


def test_a_search_says_how_far_it_came_and_what_an_index_knows_beyond(store: Store) -> None:
    everything = _fill(store)
    newest, oldest = everything[0], everything[-1]

    page = store.find(Filter(text="v3"), limit=50, most=4)  # a text costs twice
    nothing = store.find(Filter(payload="nowhere"), limit=50, most=5)
    by_id = store.find(Filter(text=oldest.id), limit=50, most=4)
    by_due = store.find(Filter(payload="nowhere"), sort=Sort.DUE, limit=50, most=5)

    of_v3 = [each.id for each in everything if each.visitor == "v3"]
    assert ([each.id for each in page.executions], page.searched_to) == (of_v3, newest.created_at - DAY)
    assert (nothing.executions, nothing.searched_to) == ([], newest.created_at - 4 * DAY)
    assert [each.id for each in by_id.executions] == [oldest.id]
    assert by_due.searched_to == sorted(each.due_at for each in everything)[4]
    rest = [store.find(Filter(text="v3"), cursor=page.after(each, Sort.NEWEST)) for each in page.executions]
    assert [len(each.executions) for each in rest] == list(reversed(range(len(of_v3))))


def test_a_day_long_ago_is_not_walked_to(store: Store) -> None:
    """The numbers tell when an execution was made."""
    everything = _fill(store)

    def found(until: datetime) -> list[str]:
        page = store.find(Filter(created_until=until, experience="shop"), limit=1, most=4)
        return [each.id for each in page.executions]

    assert found(NOW + 6 * DAY) == [everything[-5].id]


@pytest.mark.parametrize(
    "cursor", [f"{execution_id(7)}.p", f"{execution_id(7)}.x", f"{execution_id(7)}.e.ex_!"]
)
def test_a_cursor_of_a_search_is_none_of_a_list(store: Store, cursor: str) -> None:
    add(store, an_execution(1))

    with pytest.raises(InvalidParameter, match="cursor"):
        store.find(Filter(), cursor=cursor)


def test_what_is_hidden_changes_no_page_and_no_count(store: Store) -> None:
    def seen() -> list[object]:
        filters = [replace(filter, of_experiences=True) for filter, _ in ASKED.values()]
        pages = [
            store.find(each, sort=sort, limit=2, most=5)
            for each in filters
            for sort in (Sort.NEWEST, Sort.DUE)
        ]
        told = [([one.id for one in page.executions], page.next, page.searched_to) for page in pages]
        return [*told, *(store.count_up_to(each, 100, walks=5) for each in filters)]

    for n in range(1, 5):
        made_at = NOW + n * DAY
        number = first_number_of(made_at)
        add(store, replace(an_execution(number), experience="shop", visitor="ada", created_at=made_at))
    without = seen()

    for n in range(1, 40):
        made_at = NOW + n * DAY + timedelta(hours=1)
        add(store, replace(an_execution(first_number_of(made_at)), visitor="ada", created_at=made_at))

    assert seen() == without
