"""What every store does about old releases: they go where nothing needs them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import UnknownRelease
from experience_runtime.domain.releases import Change, Files, Release
from experience_runtime.domain.retention import RELEASES_KEPT, Pruned
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.engine.pruning import PAUSE, REST
from experience_runtime.engine.stores import Store

from tests.support.executions import NOW

from .test_contract_runs import a_run

DAY = timedelta(days=1)
FILES = Files(texts={"variation.js": "1"})
MADE = Change(experience="reminder", version=0, at=NOW, actor="ada", action="", active=None)


def made(days_ago: float) -> Change:
    return replace(MADE, at=NOW - days_ago * DAY)


def released(store: Store, count: int, *, share: int | None = None) -> None:
    """Releases of 100 days ago and before, one a day."""
    for number in range(count):
        change = made(100 + count - number)
        release = Release(
            experience="reminder",
            number=0,
            at=change.at,
            actor="ada",
            note="",
            digest=FILES.digest,
            size=FILES.size,
            files=FILES.texts,
        )
        store.releases.put(release, made=change, share=share, expected=None)


def numbers(store: Store) -> list[int]:
    return [each.number for each in store.releases.releases("reminder", limit=100)]


def test_an_old_release_goes_unless_it_runs_or_ran_lately_or_a_run_names_it(store: Store) -> None:
    released(store, RELEASES_KEPT + 6)
    for days_ago, number, share in ((50, 5, None), (20, 2, None), (9, 3, 5000), (8, 4, None)):
        store.releases.activate(number, made=made(days_ago), share=share, expected=None)
    run = replace(a_run(first_number_of(NOW)), experience="reminder", release=6)
    store.runs.keep(run)
    before = NOW - 30 * DAY

    assert store.pruning.count("releases", before=before) == 1
    step = store.pruning.step("releases", before=before, now=NOW, limit=9, pause=PAUSE, rest=REST)

    # 2, 3 (for a share) and 5 ran in the last 30 days, 4 runs, a run that is kept names 6
    assert step == Pruned(removed=1, is_over=True)
    assert numbers(store) == list(range(RELEASES_KEPT + 6, 1, -1))

    assert store.pruning.remove("releases", before=NOW, now=NOW, limit=1) == 3
    assert numbers(store) == [*range(RELEASES_KEPT + 6, 5, -1), 4]
    with pytest.raises(UnknownRelease, match="release 2 of"):  # it ran before 4 did
        store.releases.roll_back(made=MADE, expected=None)
    assert [each.active for each in store.releases.live()] == [4]


def test_releases_are_numbered_on_when_old_ones_are_gone(store: Store) -> None:
    released(store, RELEASES_KEPT + 1)
    assert store.pruning.remove("releases", before=NOW, now=NOW, limit=9) == 1

    released(store, 1)

    assert numbers(store)[0] == RELEASES_KEPT + 2
