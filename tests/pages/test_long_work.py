"""Long work: begun at once, told as it goes, and its end is kept, good or bad."""

import threading

import pytest
from experience_runtime.domain.errors import Conflict, InvalidParameter
from experience_runtime.operations import Progress
from experience_runtime.web.pages.long_work import MOST_AT_ONCE, LongWork, Work

DEADLINE_SECONDS = 10


def _ended(work: Work) -> Work:
    for thread in threading.enumerate():
        if thread.name.startswith("bulk"):
            thread.join(DEADLINE_SECONDS)
    return work


def test_it_tells_how_far_it_is_while_it_runs() -> None:
    works, told, go_on = LongWork(), threading.Event(), threading.Event()

    def act(progress: Progress) -> list[str]:
        progress(500)
        told.set()
        go_on.wait(DEADLINE_SECONDS)
        return ["ex_1"]

    work = works.begin("cancel", act, words="", query="", total=1000)
    assert told.wait(DEADLINE_SECONDS)

    assert (work.seen, work.has_ended) == (500, False)
    go_on.set()
    assert _ended(work).done == 1
    assert works.find(work.id) is work


def test_a_refusal_halfway_is_kept() -> None:
    def act(_: Progress) -> list[str]:
        raise InvalidParameter("no")

    work = _ended(LongWork().begin("replay", act, words="", query="", total=1))

    assert work.error is not None
    assert work.error.message == "no"


def test_too_much_at_once_is_refused() -> None:
    works, go_on = LongWork(), threading.Event()

    def act(_: Progress) -> list[str]:
        go_on.wait(DEADLINE_SECONDS)
        return []

    begun = [works.begin("cancel", act, words="", query="", total=1) for _ in range(MOST_AT_ONCE)]
    with pytest.raises(Conflict):
        works.begin("cancel", act, words="", query="", total=1)

    go_on.set()
    assert all(_ended(each).has_ended for each in begun)
