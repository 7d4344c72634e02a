"""How a runtime's database and what delivers from it stand."""

from dataclasses import dataclass

from experience_runtime.engine.standing import Standing, read_standing
from experience_runtime.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """How this process stands: its stuck calls, and the processes of its sandbox, None where it has none."""

    stuck: int
    sandboxes: tuple[int, int] | None


def process_of(runtime: Runtime) -> Process:
    """Look at its parts; none is made for that."""
    made = runtime.has_sandbox
    return Process(stuck=len(runtime.dispatcher.stuck()), sandboxes=runtime.sandbox.sizes() if made else None)


def standing_of(runtime: Runtime) -> Standing:
    """Read it now."""
    return read_standing(
        runtime.store,
        now=runtime.clock.now(),
        operations=runtime.operations,
        policies=runtime.policies,
        integrations=runtime.integrations,
    )
