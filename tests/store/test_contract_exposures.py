"""What every store keeps of who was shown what, and how it counts it."""

import random
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import apsw
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.traffic import Exposure, Tally, tallied
from experience_runtime.engine.pruning import PAUSE, REST
from experience_runtime.engine.stores import Store
from experience_runtime.store.opening import open_sqlite
from experience_runtime.store.sqlite.file import Upgrade, open_database

from tests.support.executions import LATER, NOW, add, add_together, an_execution

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


VISITORS = tuple(f"visitor {number}" for number in range(12))


def counted_by_hand(store: Store, experience: str) -> list[Tally]:
    """The tallies by what is kept of each visitor, without any count that the store keeps."""
    executions = store.find(Filter(experience=experience), limit=1000).executions
    visitors, made, converted = Counter[str](), Counter[str](), Counter[str]()
    for each in [each for visitor in VISITORS for each in store.exposures.of(visitor)]:
        if each.experience != experience:
            continue
        ids = store.ids_of_person(each.visitor)
        of_person = [conversion.at for id in ids for conversion in store.events.conversions(id, limit=100)]
        visitors[each.variation] += 1
        made[each.variation] += sum(e.visitor in ids and e.created_at >= each.at for e in executions)
        converted[each.variation] += any(at >= each.at for at in of_person)
    return list(
        tallied(
            Tally(variation=name, visitors=count, executions=made[name], converted=converted[name])
            for name, count in visitors.items()
        )
    )


def test_whatever_happens_the_tallies_are_what_counting_by_hand_gives(store: Store) -> None:
    chance = random.Random(23)
    seen: Counter[str] = Counter()
    for number in range(1, 241):
        visitor, experience = chance.choice(VISITORS), chance.choice(("offer", "other"))
        at = NOW + timedelta(hours=chance.randrange(240))
        made = replace(an_execution(2 * number), experience=experience, visitor=visitor, created_at=at)
        match chance.choices(range(7), (8, 10, 4, 1, 1, 2, 1))[0]:
            case 0:
                shown(store, visitor, chance.choice(("101", "202", "control")), at=at, experience=experience)
            case 1:
                other = replace(made, number=made.number + 1, visitor=chance.choice((*VISITORS, None)))
                add_together(store, [made, other])
                store.cancel(chance.choice((made, other)).number, reason=None, now=at)
            case 2:
                store.convert(visitor, event="bought", now=NOW, at=at)
            case 3:
                store.identify(visitor, chance.choice(VISITORS), now=at)
            case 4:
                store.erasing.erase(visitor, now=at)
            case 5:
                seen["executions"] += store.pruning.remove("cancelled", before=at, now=at, limit=5)
            case 6:
                before = NOW + timedelta(hours=chance.randrange(1, 100))
                seen["events"] += store.pruning.remove("events", before=before, now=at, limit=5)
        if number % 5 == 0:
            for each in ("offer", "other"):
                tallies = counted_by_hand(store, each)
                assert list(store.exposures.tally(each)) == tallies, number
                seen["made"] += sum(tally.executions for tally in tallies)
                seen["converted"] += sum(tally.converted for tally in tallies)

    assert all(seen[what] > 10 for what in ("executions", "events", "made", "converted")), seen


def test_what_a_file_of_an_older_version_holds_is_counted_when_it_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    store = open_sqlite(str(path))
    add(store, replace(an_execution(1), experience="offer", visitor="ada"))
    store.convert("phone", event="bought", now=NOW)
    shown(store, "phone", "101")
    store.identify("phone", "ada", now=NOW)
    store.close()
    with closing(apsw.Connection(str(path))) as connection:
        made = connection.execute(
            "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view', 'index') "
            "AND sql IS NOT NULL AND (sql LIKE '%exposures%converted%' OR sql LIKE '%UPDATE exposures%')"
        )
        for kind, name in made.fetchall():
            connection.execute(f"DROP {kind} {name}")
        connection.execute("ALTER TABLE exposures DROP COLUMN executions")
        connection.execute("ALTER TABLE exposures DROP COLUMN converted")
        connection.execute("PRAGMA user_version = 32")

    open_database(str(path), upgrade=Upgrade.WITH_COPY).close()

    store = open_sqlite(str(path))

    assert store.exposures.tally("offer") == [Tally(variation="101", visitors=1, executions=1, converted=1)]
    store.close()
