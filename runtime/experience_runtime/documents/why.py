"""Explain: why an execution runs at this instant, in sentences for people."""

from datetime import datetime, timedelta

from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.instants import GRACE_MS, iso
from experience_runtime.domain.values import shown
from experience_runtime.domain.windows import DAYS, Window, parse_window_text
from experience_runtime.domain.zones import Zone, parse_zone

_ZONE_FROM = {
    "window": "the window's own zone",
    "visitor_zone": "the visitor's zone",
    "visitor_offset": "the visitor's offset",
    "default": "no zone is known",
}
_DAYS = [day.capitalize() for day in DAYS]
_NOTICED = timedelta(seconds=1)  # a recurring schedule fires some milliseconds after its instant


def why(
    *,
    created_at: datetime,
    requested_at: datetime,
    due_at: datetime,
    asked: str,
    window: Window | None,
    zone: Zone,
    zone_from: str,
) -> list[str]:
    """Tell how the request became the due instant, in the order it was decided.

    `asked` quotes the author; "" when nobody wrote a delay or time. A `due_at` later than the plan's own
    (a retry, an outage) gets a sentence.
    """
    start_at = max(created_at, requested_at)
    sentences = [_request(created_at, requested_at, asked, zone)]
    late = created_at - requested_at
    if late > timedelta(milliseconds=GRACE_MS):  # a recurring schedule's, after an outage
        sentences.append("that was missed, so it runs as soon as it may")
    elif late >= _NOTICED:
        sentences.append("that is within the last 60 s, so it runs as soon as it may")
    planned_at = start_at
    if window is not None:
        planned_at = window.next_inside(start_at)
        sentences.append(_window_sentence(window, start_at, planned_at, _ZONE_FROM.get(zone_from, zone_from)))
    if due_at != planned_at:
        sentences.append(f"moved since: due at {iso(due_at)} ({_dated(due_at, zone)}, {zone.name})")
    return sentences


def why_planned(execution: Execution) -> list[str]:
    """Tell why an execution was planned for its instant, leaving out what has happened to it since."""
    window = _window_of(execution)
    start_at = max(execution.created_at, execution.requested_at)
    return _why(execution, window, due_at=start_at if window is None else window.next_inside(start_at))


def why_execution(execution: Execution) -> list[str]:
    """Tell why a stored execution runs when it does, and how it stands when it was tried or ended."""
    try:
        sentences = _why(execution, _window_of(execution), due_at=execution.due_at)
    except InvalidWindow as refusal:  # a zone that this machine's list lacks
        sentences = [f"cannot be told: {refusal.message}"]
    outcome = _outcome(execution)
    return [*sentences, outcome] if outcome else sentences


def _why(execution: Execution, window: Window | None, *, due_at: datetime) -> list[str]:
    return why(
        created_at=execution.created_at,
        requested_at=execution.requested_at,
        due_at=due_at,
        asked=execution.asked,
        window=window,
        zone=parse_zone(execution.zone),
        zone_from=execution.zone_from,
    )


def _window_of(execution: Execution) -> Window | None:
    return (
        None if execution.window is None else parse_window_text(execution.window, parse_zone(execution.zone))
    )


def _request(created_at: datetime, requested_at: datetime, asked: str, zone: Zone) -> str:
    instant = f"{iso(requested_at)} ({_clock(requested_at, zone)}, {zone.name})"
    if asked:
        return f"asked for {asked} at {iso(created_at)}: {instant}"
    return f"asked to run at {instant}"


def _window_sentence(window: Window, start_at: datetime, opening_at: datetime, zone_from: str) -> str:
    named = f"the window {window.text} ({window.zone.name}, {zone_from})"
    if start_at == opening_at:
        return f"inside {named}"
    return (
        f"moved by {named}: {_clock(start_at, window.zone)} is outside; "
        f"the next opening is {_dated(opening_at, window.zone)}"
    )


def _outcome(execution: Execution) -> str | None:
    because = f": {shown(execution.reason, 300)[1:-1]}" if execution.reason else ""
    tries = "1 attempt" if execution.begun == 1 else f"{execution.begun} attempts"
    if execution.held_at is not None and execution.status in (
        Status.PENDING,
        Status.RUNNING,
        Status.SUCCEEDED,
    ):
        return f"held by pace since {iso(execution.held_at)}: its receiver is called as fast as it allows"
    match execution.status:
        case Status.CANCELLED:
            return f"cancelled{because}"
        case Status.FAILED:
            return f"failed after {tries}{because}"
        case Status.PENDING if execution.begun:
            return f"waits for another try after {tries}{because}"
        case _:
            return None


def _clock(at: datetime, zone: Zone) -> str:
    """Spell the local day and minute: `Friday 18:10`."""
    local = zone.local(at)  # the day from DAYS: strftime's %A follows the machine's locale
    return f"{_DAYS[local.weekday()]} {local.hour:02}:{local.minute:02}"


def _dated(at: datetime, zone: Zone) -> str:
    local = zone.local(at)
    return f"{_DAYS[local.weekday()]} {local.date()} {local.hour:02}:{local.minute:02}"
