"""What every store does: it counts what a site's key has left, by kind and day."""

from typing import Any

from experience_runtime.store.sql import SqlStore


def rows(store: SqlStore[Any]) -> int:
    kinds = [("shop", "events"), ("shop", "visitors"), ("other", "events")]
    bounds = [{"site": site, "kind": kind, "day": day} for site, kind in kinds for day in (1, 2)]
    execute = store.database.execute
    found: list[object] = store.database.read(
        lambda: [row for each in bounds for row in execute("used", each)]
    )
    return len(found)


def test_a_day_has_its_share_of_each_kind_and_site_and_yesterday_is_forgotten(store: SqlStore[Any]) -> None:
    def take(site: str, kind: str, day: int) -> int:
        return store.usage.take(site, kind, day=day, share=3, quota=5)

    assert [take("shop", "events", 1) for _ in range(3)] == [3, 2, 0]
    assert [take("shop", "visitors", 1), take("other", "events", 1)] == [3, 3]
    assert rows(store) == 3

    assert [take("shop", "events", 2) for _ in range(3)] == [3, 2, 0]

    assert rows(store) == 3  # of the other two, it is still the day before
    assert [take("shop", "visitors", 1) for _ in range(2)] == [2, 0]
