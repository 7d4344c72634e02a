"""The journal: writes under an Idempotency-Key, each with what it came to, in one transaction."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from experience_runtime.domain.errors import (
    AlreadyScheduled,
    Conflict,
    ExperienceError,
    UnknownExecution,
    error_of,
)
from experience_runtime.domain.executions import Execution, execution_id
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.values import shown
from experience_runtime.engine.claims import Claim, claim_in_hand
from experience_runtime.engine.stores import Added, Adding, Cancelling, Done
from experience_runtime.store import rows
from experience_runtime.store.database import Database

T = TypeVar("T")
Act: TypeAlias = Adding | Cancelling | ExperienceError
_ASKED = "part of what was asked"


class Journal:
    """Carries writes out; under a claim, once each, however often the request is tried."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(
        self,
        verb: str,
        act: Callable[[], T],
        *,
        as_json: Callable[[T], Any] = lambda result: result,
        from_json: Callable[[Any], T] = lambda value: value,
        made: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """`Database.write`. The writes of a claim that was taken over are told again in their order.

        `made` tells whether anything was; what came to nothing is asked anew.
        """
        claim = claim_in_hand()
        if claim is None:
            return self._database.write(act)
        verb = claim.place + verb
        if claim.told < len(claim.acts):
            value = _tell(claim, verb)
            return self._database.read(lambda: from_json(value))
        return self._record(claim, act, lambda result: [(verb, as_json(result))] if made(result) else [])

    def carry_out(
        self,
        acts: Sequence[Act],
        act: Callable[[Sequence[Act]], list[Done]],
        *,
        verb_of: Callable[[Act], str] | None = None,
    ) -> list[Done]:
        """`Database.write` of several; under a claim each is told or recorded for itself."""
        verb_of = verb_of or _verb
        claim = claim_in_hand()
        if claim is None:
            return self._database.write(lambda: act(acts))
        values = [
            _tell(claim, verb_of(each)) for each, _ in zip(acts, claim.acts[claim.told :], strict=False)
        ]
        told = self._database.read(lambda: [self._done_from_json(value) for value in values])
        rest = acts[len(told) :]
        if not rest:
            return told
        return told + self._record(
            claim,
            lambda: act(rest),
            lambda done: [(verb_of(each), _as_json(what)) for each, what in zip(rest, done, strict=True)],
        )

    def carry_out_all(self, acts: Sequence[Act], act: Callable[[Sequence[Act]], list[Done]]) -> list[Done]:
        """The same where these are all that a request asks: told by their places, whatever they are now."""
        return self.carry_out(acts, act, verb_of=lambda _: _ASKED)

    def add(self, adding: Adding, act: Callable[[], Added]) -> Added:
        """`Database.write` of one."""
        return self.write(_verb(adding), act, as_json=_as_json, from_json=self._added_from_json)

    def _record(
        self, claim: Claim, act: Callable[[], T], recorded: Callable[[T], list[tuple[str, Any]]]
    ) -> T:
        asked_at: int | None = to_ms(claim.asked_at)

        def act_and_record() -> tuple[T, list[tuple[str, Any, int | None]]]:
            result = act()
            made = [(verb, value, asked_at) for verb, value in recorded(result)]
            if not made:
                return result, made
            bound = {
                "caller": claim.caller,
                "key": claim.key,
                "owner": claim.owner,
                "acts": json.dumps([*claim.acts, *made]),
            }
            if self._database.execute_counted("record_act", bound) == 0:
                raise Conflict(
                    f"the request with the Idempotency-Key {shown(claim.key)} took so long that another try "
                    "has taken it over; ask again for its answer"
                )
            return result, made

        result, made = self._database.write(act_and_record)
        claim.acts += made
        claim.told += len(made)
        return result

    def execution_from_json(self, number: int) -> Execution:
        """An execution, as it is now."""
        found = self._database.execute("execution", {"number": number})
        if not found:
            raise UnknownExecution(f"{execution_id(number)} was made, and is here no more")
        return rows.execution(found[0])

    def _added_from_json(self, value: Any) -> Added:
        done = self._done_from_json(value)
        if isinstance(done, ExperienceError):
            raise done
        assert isinstance(done, Added)
        return done

    def _done_from_json(self, value: Any) -> Done:
        match value:
            case {"refused": str(message), **more}:
                return error_of(str(more.get("code", AlreadyScheduled.code)), message)
            case dict():
                return Added(
                    execution=self.execution_from_json(value["number"]),
                    is_new=value["is_new"],
                    replaced=value["replaced"],
                    is_told_again=True,
                )
        return [str(id) for id in value]


def _tell(claim: Claim, verb: str) -> Any:
    """What the next write of a claim came to; Conflict when it was another one."""
    told_verb, value, _ = claim.acts[claim.told]
    if told_verb != verb:
        raise Conflict(
            f"the request with the Idempotency-Key {shown(claim.key)} was interrupted after it had made a "
            f"{told_verb}, and asked again it does something else ({verb}); "
            "look what there is, and send the rest under a new key"
        )
    claim.told += 1
    return value


def _verb(act: Act) -> str:
    match act:
        case Adding():
            return f"schedule of {act.execution.integration}"
        case Cancelling():
            return "cancel"
    return "refusal"


def _as_json(done: Done) -> Any:
    match done:
        case ExperienceError():
            return {"refused": done.message, "code": done.code}
        case Added():
            return {"number": done.execution.number, "is_new": done.is_new, "replaced": done.replaced}
    return done
