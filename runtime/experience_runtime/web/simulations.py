"""Simulations that are served: the API's and the playground's have the same bounds."""

from collections.abc import Callable
from datetime import datetime

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.running.guest import Script
from experience_runtime.runtime import Runtime
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.web.guard.limits import AtOnce

MOST_AT_ONCE = 4
PATIENCE_SECONDS = 30.0
LONGEST_SECONDS = 30.0
MOST_STEPS = 200


class Simulations:
    """Plays what is asked for: so many at a time, the next waits a while, and none takes too long."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._room = AtOnce(MOST_AT_ONCE, "simulations", patience_seconds=PATIENCE_SECONDS)

    def play(
        self, request: PlayRequest, script: Script, *, progress: Callable[[datetime], None] | None = None
    ) -> Simulated:
        """See `simulation.play`. Throttled while others simulate, and none of them ends."""
        check_steps(request)
        with self._room:
            return self._runtime.play(request, script, seconds=LONGEST_SECONDS, progress=progress)

    def within(self, seconds: float = LONGEST_SECONDS) -> Callable[[PlayRequest, Script], Simulated]:
        """As `play`, for several: none begins once they have taken so long together."""
        ends_at = monotonic() + seconds

        def play(request: PlayRequest, script: Script) -> Simulated:
            if monotonic() > ends_at:
                raise InvalidParameter(
                    f"the stories before it took {seconds:g} s, all that a server gives to a release; "
                    "release with `experience release` where the database is"
                )
            return self.play(request, script)

        return play


def check_steps(request: PlayRequest) -> None:
    """Raise InvalidParameter for a story that is longer than a server plays."""
    steps = 0 if request.story is None else len(request.story.steps)
    if steps > MOST_STEPS:
        raise InvalidParameter(
            f"the story has {steps} steps; write at most {MOST_STEPS}, or use `experience simulate`"
        )
