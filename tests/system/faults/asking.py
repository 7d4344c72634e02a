"""What a trial asks for while workers are killed, and when each of it was acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.scheduler import Scheduler

CONVERSIONS = ("bought",)
_CONVERTS_AFTER = 3  # executions later, so that some were delivered by then, some are in flight, some wait


@dataclass
class Told:
    """What was acknowledged: ids, and the instants by which their cancelling or conversion was."""

    scheduled: set[str] = field(default_factory=set)
    withdrawn: dict[str, datetime] = field(default_factory=dict)  # replaced or cancelled
    converted: dict[str, datetime] = field(default_factory=dict)  # those that a conversion was to cancel

    def hear(self, line: str) -> None:
        """Take one line of `ask`."""
        match line.split():
            case ["scheduled", execution_id]:
                self.scheduled.add(execution_id)
            case ["withdrawn", execution_id, at]:
                self.withdrawn[execution_id] = from_ms(int(at))
            case ["converted", execution_id, at]:
                self.converted[execution_id] = from_ms(int(at))
            case _:
                raise AssertionError(f"not a line of the trial: {line!r}")


class Asking:
    """Schedules one after the other; says a line for each thing that was acknowledged, and when."""

    def __init__(self, scheduler: Scheduler, integration: str, say: Callable[[str], None]) -> None:
        self._scheduler = scheduler
        self._integration = integration
        self._say = say
        self._to_convert: list[tuple[int, str, str]] = []  # the number, the visitor, the execution

    def ask(self, number: int, payload: object) -> None:
        """Every fifth replaces the one before it, every seventh is cancelled again, every ninth converted.

        Every thirteenth has a window that is closed, or that closes as its minute ends.
        """
        name = f"visitor {number}" if number % 5 else f"visitor {number - 1}"
        visitor = Visitor(id=name)
        options: dict[str, object] = {"delay": number % 4 * 10, "key": "order"}
        if number % 9 == 0:
            options["cancelOnConversion"] = True
        if number % 13 in (2, 8):
            opens = SystemClock().now() + timedelta(hours=2 if number % 13 == 2 else 0)
            options["window"] = {"time": f"{opens:%H:%M}-{opens:%H:%M}", "timezone": "UTC"}
        scheduled = self._scheduler.schedule(self._integration, payload, options, visitor=visitor)
        self._say(f"scheduled {scheduled.execution.id}")
        if scheduled.replaced:
            self._say(f"withdrawn {scheduled.replaced} {_now()}")
        if number % 7 == 0:
            cancel = {"key": "order", "reason": "test"}
            ids = self._scheduler.cancel(self._integration, cancel, visitor=visitor).ids
            for cancelled in ids:
                self._say(f"withdrawn {cancelled} {_now()}")
        if number % 9 == 0:
            self._to_convert.append((number, name, scheduled.execution.id))
        if self._to_convert and self._to_convert[0][0] + _CONVERTS_AFTER <= number:
            _, bought, execution_id = self._to_convert.pop(0)
            self._scheduler.convert(bought, event=CONVERSIONS[0])
            self._say(f"converted {execution_id} {_now()}")


def _now() -> int:
    return to_ms(SystemClock().now())
