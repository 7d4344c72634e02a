"""The journal: writes under an Idempotency-Key, each with what it came to, in one transaction."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from experience_runtime.domain.errors import AlreadyScheduled, Conflict, UnknownExecution
from experience_runtime.domain.executions import Execution, execution_id
from experience_runtime.domain.values import shown
from experience_runtime.engine.claims import claim_in_hand
from experience_runtime.engine.stores import Added
from experience_runtime.store import rows
from experience_runtime.store.database import Database

T = TypeVar("T")


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
    ) -> T:
        """`Database.write`. The writes of a claim that was taken over are told again in their order."""
        claim = claim_in_hand()
        if claim is None:
            return self._database.write(act)
        if claim.told < len(claim.acts):
            told_verb, value = claim.acts[claim.told]
            if told_verb != verb:
                raise Conflict(
                    f"the request with the Idempotency-Key {shown(claim.key)} was interrupted after it had "
                    f"made a {told_verb}, and asked again it does something else ({verb}); "
                    "look what there is, and send the rest under a new key"
                )
            claim.told += 1
            return self._database.read(lambda: from_json(value))

        def act_and_record() -> tuple[T, tuple[str, Any]]:
            result = act()
            made = verb, as_json(result)
            bound = {
                "caller": claim.caller,
                "key": claim.key,
                "owner": claim.owner,
                "acts": json.dumps([*claim.acts, made]),
            }
            if self._database.execute_counted("record_act", bound) == 0:
                raise Conflict(
                    f"the request with the Idempotency-Key {shown(claim.key)} took so long that another try "
                    "has taken it over; ask again for its answer"
                )
            return result, made

        result, made = self._database.write(act_and_record)
        claim.acts.append(made)
        claim.told += 1
        return result

    def execution_from_json(self, number: int) -> Execution:
        """An execution, as it is now."""
        found = self._database.execute("execution", {"number": number})
        if not found:
            raise UnknownExecution(f"{execution_id(number)} was made, and is here no more")
        return rows.execution(found[0])

    def added_from_json(self, value: Any) -> Added:
        return Added(
            execution=self.execution_from_json(value["number"]),
            is_new=value["is_new"],
            replaced=value["replaced"],
            is_told_again=True,
        )

    def done_from_json(self, value: Any) -> Added | AlreadyScheduled | list[str]:
        match value:
            case {"refused": str(message)}:
                return AlreadyScheduled(message)
            case dict():
                return self.added_from_json(value)
        return [str(id) for id in value]


def added_as_json(added: Added) -> Any:
    return {"number": added.execution.number, "is_new": added.is_new, "replaced": added.replaced}


def done_as_json(done: Added | AlreadyScheduled | list[str]) -> Any:
    match done:
        case AlreadyScheduled():
            return {"refused": done.message}
        case Added():
            return added_as_json(done)
    return done
