"""What every store does for releases: files kept as they were, changes in a row, and the way back."""

from dataclasses import replace
from typing import Any

import pytest
from experience_runtime.domain.errors import Conflict, UnknownRelease
from experience_runtime.domain.releases import Change, Files, Release
from experience_runtime.engine.stores import Store

from tests.support.executions import NOW

MADE = Change(experience="reminder", version=0, at=NOW, actor="ada", action="", active=None)


def put(
    store: Store, text: str = "1", *, experience: str = "reminder", share: int | None = None, **of: Any
) -> tuple[Release, Change]:
    files = Files(texts={"variation.js": text, "prices/of “today”.json": "{}"})
    release = Release(
        experience=experience,
        number=0,
        at=NOW,
        actor="ada",
        note="n",
        digest=files.digest,
        size=files.size,
        files=files.texts,
    )
    made = replace(MADE, experience=experience)
    return store.releases.put(release, made=made, share=share, expected=of.get("expected"))


def live(store: Store) -> dict[str, int | None]:
    return {each.experience: each.active for each in store.releases.live()}


def test_releases_are_numbered_by_experience_and_keep_their_files(store: Store) -> None:
    assert store.releases.version() == 0
    put(store, "first")
    second, change = put(store, "second – ünïcode")
    put(store, experience="other")

    kept = store.releases.release("reminder", 2)

    assert kept == second
    assert (kept.number, kept.files["variation.js"]) == (2, "second – ünïcode")
    assert change in store.releases.live()
    assert live(store) == {"reminder": 2, "other": 1}
    assert [each.number for each in store.releases.releases("reminder")] == [2, 1]
    assert store.releases.version() == 3
    with pytest.raises(UnknownRelease, match="release 3"):
        store.releases.release("reminder", 3)


def test_a_rollback_goes_back_one_change_and_the_next_goes_further(store: Store) -> None:
    for text in ("1", "2", "3"):
        put(store, text)

    seen = [store.releases.roll_back(made=MADE, expected=None).active for _ in range(2)]

    assert seen == [2, 1]
    with pytest.raises(Conflict, match="nothing to roll"):
        store.releases.roll_back(made=MADE, expected=None)
    store.releases.deactivate(made=MADE, expected=None)
    assert live(store) == {"reminder": None}
    with pytest.raises(Conflict, match="no release of reminder runs"):
        store.releases.deactivate(made=MADE, expected=None)
    assert store.releases.roll_back(made=MADE, expected=None).active == 1
    assert [each.action for each in store.releases.changes("reminder", limit=2)] == [
        "rollback",
        "deactivate",
    ]


def test_a_change_that_saw_another_state_is_refused_and_nothing_is_kept(store: Store) -> None:
    _, first = put(store, expected=0)

    for expected in (0, first.version + 1):
        with pytest.raises(Conflict, match="changed meanwhile"):
            put(store, "2", expected=expected)
        with pytest.raises(Conflict, match="changed meanwhile"):
            store.releases.roll_back(made=MADE, expected=expected)
    with pytest.raises(UnknownRelease):
        store.releases.activate(9, made=MADE, share=None, expected=first.version)

    assert [each.number for each in store.releases.releases("reminder")] == [1]
    assert store.releases.version() == first.version


def test_a_share_runs_beside_a_release_for_all_and_a_rollback_ends_it(store: Store) -> None:
    with pytest.raises(Conflict, match=r"for the other 90% of visitors"):
        put(store, share=1_000)
    put(store)
    _, change = put(store, "2", share=1_000)

    assert (change.active, change.partial, change.share) == (1, 2, 1_000)
    assert store.releases.roll_back(made=MADE, expected=None).partial is None
