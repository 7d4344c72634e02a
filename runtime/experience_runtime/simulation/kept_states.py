"""What a story knows of its visitors: what it says of them, and what its runs were told to keep."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experience_runtime.domain.page_facts import PageFacts, kept_state
from experience_runtime.simulation.story import RunStep, Story


class KeptStates:
    """The state of each visitor of a story."""

    def __init__(self, story: Story) -> None:
        self._states: dict[str | None, Mapping[str, Any]] = {each.id: each.state for each in story.visitors}

    def facts(self, step: RunStep) -> PageFacts:
        """What the run of a step is told; its state is kept here where the step says so."""
        kept = self._states.get(step.visitor, {})
        if step.keep_state:
            self._states[step.visitor] = kept_state(kept, step.state)
        return replace(step.facts({**kept, **step.state}), keep_state=False)
