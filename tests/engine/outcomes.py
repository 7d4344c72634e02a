"""An integration that raises, and what came of each attempt."""

from typing import Any

from experience_runtime.domain.executions import Execution

from .conftest import World


def raising(error: BaseException) -> Any:
    def call(*_: object) -> Any:
        raise error

    return call


def outcomes(world: World, execution: Execution) -> list[str | None]:
    return [attempt.outcome for attempt in world.store.attempts(execution.number)]
