"""Prepared: calls that have passed every rule, and wait to be put on disk together."""

from dataclasses import dataclass

from experience_runtime.domain.executions import Execution
from experience_runtime.domain.planning import Plan
from experience_runtime.engine.stores import Cancelling


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSchedule:
    """A `schedule` that has passed every rule, and is not on disk yet."""

    execution: Execution
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCancel:
    """A `cancel` that has passed every rule, and is not on disk yet."""

    cancelling: Cancelling
    warnings: tuple[str, ...]
