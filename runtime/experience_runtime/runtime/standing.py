"""How a runtime's database and what delivers from it stand."""

from experience_runtime.engine.standing import Standing, read_standing
from experience_runtime.runtime import Runtime


def standing_of(runtime: Runtime) -> Standing:
    """Read it now."""
    return read_standing(
        runtime.store,
        now=runtime.clock.now(),
        operations=runtime.operations,
        policies=runtime.policies,
        integrations=runtime.integrations,
    )
