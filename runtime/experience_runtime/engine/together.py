"""Together: what several calls come to that are put on disk in one transaction, in their order."""

from collections.abc import Sequence

from experience_runtime.domain.errors import ExperienceError
from experience_runtime.engine.key_types import key_doubts
from experience_runtime.engine.prepared import Cancelled, PreparedCancel, PreparedSchedule, Scheduled
from experience_runtime.engine.stores import Added, Adding, Cancelling, Done, SchedulerStore

Asked = PreparedSchedule | PreparedCancel | ExperienceError
"""One call of several: it has passed every rule, or was refused."""


def carried_out(
    store: SchedulerStore, asked: Sequence[Asked], *, are_all: bool = False
) -> list[tuple[Asked, Done, str | None]]:
    """Each with what it came to, and what was meant perhaps. `are_all`: see `Store.carry_out_all`."""
    if not asked:
        return []
    if are_all:
        answers = store.carry_out_all([_act(each) for each in asked])
    else:
        acts = [act for each in asked if not isinstance(act := _act(each), ExperienceError)]
        answers = store.carry_out(acts)
    passed = {at: each for at, each in enumerate(asked) if not isinstance(each, ExperienceError)}
    doubts = dict(
        zip(passed, key_doubts(store, list(passed.values()), [answers[at] for at in passed]), strict=True)
    )
    return [(asked[at], answer, doubts.get(at)) for at, answer in enumerate(answers)]


def told_again(done: Done) -> Scheduled | Cancelled | ExperienceError:
    """What an earlier try of the request made of a call that would be refused now; or its refusal."""
    match done:
        case Added():
            return Scheduled(
                execution=done.execution, is_new=done.is_new, replaced=done.replaced, warnings=(), notes=()
            )
        case list():
            return Cancelled(ids=tuple(done), elsewhere=False)
    return done


def _act(asked: Asked) -> Adding | Cancelling | ExperienceError:
    match asked:
        case PreparedSchedule():
            return Adding(execution=asked.execution, if_exists=asked.plan.if_exists)
        case PreparedCancel():
            return asked.cancelling
    return asked
