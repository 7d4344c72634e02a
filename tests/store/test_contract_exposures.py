"""What every store keeps of who was shown what, and how it counts it."""

from dataclasses import replace
from datetime import datetime, timedelta

from experience_runtime.domain.traffic import Exposure, Tally
from experience_runtime.engine.pruning import PAUSE, REST
from experience_runtime.engine.stores import Store

from tests.support.executions import LATER, NOW, add, an_execution

DAY = timedelta(days=1)


def shown(
    store: Store, visitor: str, variation: str, *, at: datetime = NOW, experience: str = "offer"
) -> None:
    store.exposures.note(
        Exposure(experience=experience, visitor=visitor, variation=variation, at=at, release=3)
    )


def test_an_exposure_is_kept_once_and_is_the_persons(store: Store) -> None:
    shown(store, "phone", "101")
    shown(store, "phone", "101", at=LATER)
    shown(store, "phone", "202", experience="other")
    store.identify("phone", "ada", now=NOW)

    assert store.exposures.variation("offer", "phone") == "101"
    assert store.exposures.variation("offer", "ada") == "101"
    assert store.exposures.variation("offer", "ben") is None
    first = store.exposures.of("phone")[0]
    assert first == Exposure(experience="offer", visitor="phone", variation="101", at=NOW, release=3)
    shown(store, "ada", "202", at=LATER)  # the first has no share any more
    assert store.exposures.variation("offer", "phone") == "202"
    assert [(each.experience, each.variation) for each in store.exposures.of("phone")] == [("other", "202")]


def test_visitors_executions_and_conversions_count_from_the_exposure_on(store: Store) -> None:
    for visitor, variation in (("a", "101"), ("b", "101"), ("c", "101"), ("d", "control")):
        shown(store, visitor, variation, at=LATER)
    store.identify("a", "a at home", now=NOW)
    execution = replace(an_execution(1), experience="offer", visitor="a", created_at=LATER)
    add(store, execution, replace(execution, number=2, visitor="a at home"))
    add(store, replace(execution, number=3, created_at=NOW), replace(execution, number=4, experience="x"))
    for visitor, at in (("a at home", LATER), ("a", LATER + DAY), ("b", NOW), ("d", LATER), ("e", LATER)):
        store.convert(visitor, event="bought", now=at)

    control, first = store.exposures.tally("offer")

    assert control == Tally(variation="control", visitors=1, executions=0, converted=1)
    assert first == Tally(variation="101", visitors=3, executions=2, converted=1)
    assert store.exposures.tally("nothing") == []


def test_exposures_are_erased_with_the_person_and_go_with_the_events(store: Store) -> None:
    for visitor, at in (("ada", NOW), ("ben", NOW - 31 * DAY), ("eve", NOW - 32 * DAY), ("old", NOW)):
        shown(store, visitor, "101", at=at)

    store.erasing.erase("ada", now=NOW)
    assert store.exposures.of("ada") == []
    assert store.pruning.count("events", before=NOW - 30 * DAY) == 2
    removed = 0
    for _ in range(6):
        now = NOW + timedelta(hours=2 * _)
        pruned = store.pruning.step("events", before=NOW - 30 * DAY, now=now, limit=1, pause=PAUSE, rest=REST)
        removed += 0 if pruned is None else pruned.removed

    assert removed == 2
    assert [each.visitors for each in store.exposures.tally("offer")] == [1]
