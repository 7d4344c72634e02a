"""Played: the registered integrations, with their other side played by a story."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from experience_runtime.domain.errors import InternalError
from experience_runtime.engine.ports import Integrations
from experience_runtime.integration import Answer, Context, Integration
from experience_runtime.simulation.story import ScriptedAnswer


class Played:
    """A `ports.Integrations` whose integrations answer what the story scripts, and then succeed."""

    def __init__(self, real: Integrations, answers: Mapping[str, Sequence[ScriptedAnswer]]) -> None:
        self._real = real
        self._answers = {name: list(scripted) for name, scripted in answers.items()}
        self._made: dict[str, Integration[Any, Any]] = {}

    def names(self) -> Sequence[str]:
        return self._real.names()

    def get(self, name: str) -> Integration[Any, Any]:
        if name not in self._made:
            real = self._real.get(name)
            self._made[name] = _player(real, self._answers.get(name, []))
        return self._made[name]

    def settings(self, name: str) -> Any:
        self._real.get(name)

    def parse_payload(self, name: str, payload: Any) -> Any:
        return self._real.parse_payload(name, payload)


def _player(real: Integration[Any, Any], scripted: list[ScriptedAnswer]) -> Integration[Any, Any]:
    class Player(Integration[Any, Any]):
        def pace_key(self, payload: Any, settings: Any) -> str | None:
            return real.pace_key(payload, settings)

        def call(self, payload: Any, context: Context[Any]) -> Any:  # noqa: ARG002 - the SDK's
            if not scripted:
                return {"simulated": True}
            answer = scripted.pop(0)
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            Answer(status=answer.status, text=text, retry_after=answer.retry_after).require_success()
            return answer.body

    Player.name = real.name
    Player.retries = real.retries
    Player.backoff = real.backoff
    Player.pace = real.pace
    return Player()


class NoHttp:
    """`Http` of a simulation: nothing leaves."""

    def post(self, *_: Any, **__: Any) -> Answer:
        raise InternalError("a simulation sends nothing")

    request = post
