"""Played: the registered integrations, with their other side played by a story."""

import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Execution, execution_number
from experience_runtime.domain.keys import canonical_key
from experience_runtime.engine.attempt import GivenUp
from experience_runtime.engine.ports import Integrations
from experience_runtime.integration import Answer, Cache, Context, Http, Integration, IntegrationFailed
from experience_runtime.simulation.expected import ScriptedAnswer


class Executions(Protocol):
    """What is asked of a store: whose call it is."""

    def execution(self, number: int) -> Execution: ...


class Played:
    """A `ports.Integrations` whose integrations answer what the story scripts, and then succeed."""

    def __init__(
        self, real: Integrations, answers: Mapping[str, Sequence[ScriptedAnswer]], store: Executions
    ) -> None:
        self._real = real
        self._store = store
        self._answers = {
            name: [(each, None if each.key is None else canonical_key(each.key)) for each in scripted]
            for name, scripted in answers.items()
        }
        self._made: dict[str, Integration[Any, Any]] = {}

    def names(self) -> Sequence[str]:
        return self._real.names()

    def get(self, name: str) -> Integration[Any, Any]:
        if name not in self._made:
            real = self._real.get(name)
            self._made[name] = _player(real, self._answers.get(name, []), self._store)
        return self._made[name]

    def settings(self, name: str) -> Any:
        self._real.get(name)

    def parse_payload(self, name: str, payload: Any) -> Any:
        return self._real.parse_payload(name, payload)

    def shown(self, name: str, payload: str) -> str:
        return self._real.shown(name, payload)

    def cache(self, name: str) -> Cache:
        return self._real.cache(name)


_Scripted = list[tuple[ScriptedAnswer, str | None]]


def _player(real: Integration[Any, Any], scripted: _Scripted, store: Executions) -> Integration[Any, Any]:
    def next_answer(execution_id: str) -> ScriptedAnswer | None:
        keyed = any(key is not None for _, key in scripted)
        own = store.execution(execution_number(execution_id)).key if keyed else None
        for index, (answer, key) in enumerate(scripted):
            if key is None or key == own:
                del scripted[index]
                return answer
        return None

    class Player(Integration[Any, Any]):
        def pace_key(self, payload: Any, settings: Any) -> str | None:
            return real.pace_key(payload, settings)

        def call(self, payload: Any, context: Context[Any]) -> Any:  # noqa: ARG002 - the SDK's
            answer = next_answer(context.execution_id)
            if answer is None:
                return {"simulated": True}
            if answer.failure == "timeout":
                raise GivenUp(f"{real.name} did not answer in time, as the story has it")
            if answer.failure == "network":
                raise IntegrationFailed(f"{real.name} cannot be reached, as the story has it", may_pass=True)
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            Answer(status=answer.status, text=text, retry_after=answer.retry_after).require_success()
            return answer.body

    Player.name = real.name
    Player.retries = real.retries
    Player.backoff = real.backoff
    Player.pace = real.pace
    return Player()


class NoHttp(Http):
    """`Http` of a simulation: nothing leaves."""

    def send(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002
        raise InternalError("a simulation sends nothing")

    def connect(self, host: str, port: int) -> socket.socket:  # noqa: ARG002 - the SDK's names
        raise InternalError("a simulation connects to nothing")
