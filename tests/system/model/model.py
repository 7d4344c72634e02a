"""The model: what must wait until when, what must have been called, and in which state each execution is.

Instants are milliseconds since a Monday, 00:00 UTC. It knows nothing of the runtime.
"""

from dataclasses import dataclass, field

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
LEASE = 120 * SECOND

Window = tuple[tuple[int, ...], int, int, int]  # weekdays from Monday = 0; first, last minute; zone's minutes
Key = tuple[str, str, str]  # integration, key, owner


@dataclass
class Row:
    """An execution. `token` counts claims; `calls` are (token, instant, outcome)."""

    id: str
    integration: str
    due: int
    retries: int
    key: Key | None
    visitor: str | None
    window: Window | None
    converts: int  # 1: a conversion cancels it; 2: one came while it ran
    made_at: int
    state: str = "pending"
    reason: str | None = None
    begun: int = 0
    token: int = 0
    lease: int | None = None
    walk: list[tuple[str, str | None]] = field(default_factory=lambda: [("pending", None)])
    calls: list[tuple[int, int, str | None]] = field(default_factory=list)

    def go(self, state: str, reason: str | None) -> None:
        self.state, self.reason, self.lease = state, reason, None
        self.walk.append((state, reason))


def opening(window: Window | None, at: int) -> int:
    """The first instant inside, not before `at`: `at` itself, or a midnight, or a start."""
    if window is None:
        return at
    days, first, last, offset = window

    def inside(instant: int) -> bool:
        day, minute = divmod((instant + offset * MINUTE) // MINUTE, 24 * 60)
        in_time = first <= minute <= last if first <= last else minute >= first or minute <= last
        return day % 7 in days and in_time

    midnight = (at + offset * MINUTE) // DAY * DAY - offset * MINUTE
    starts = [midnight + day * DAY + minute * MINUTE for day in range(9) for minute in (0, first)]
    return min(instant for instant in (at, *starts) if instant >= at and inside(instant))


def backoff(begun: int, jitter: float, retry_after: int | None) -> int:
    """How long to wait after so many attempts; `retry_after` is in seconds."""
    wait = round(jitter * min(3600, int(15 * 4 ** (begun - 1))) * SECOND)
    return min(max(wait, (retry_after or 0) * SECOND), DAY)


class Model:
    """Every verb, the obvious way."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.paused: set[str] = set()
        self.conversions: list[tuple[str, int]] = []

    def pending(self) -> list[Row]:
        return [row for row in self.rows.values() if row.state == "pending"]

    def pending_under(self, key: Key | None) -> Row | None:
        return next((row for row in self.pending() if key and row.key == key), None)

    def waiting(self) -> list[Row]:
        return [row for row in self.pending() if row.lease is None and row.integration not in self.paused]

    def next_wake(self) -> int | None:
        leases = [row.lease for row in self.rows.values() if row.lease is not None]
        return min([*leases, *(row.due for row in self.waiting())], default=None)

    def add(self, row: Row) -> None:
        if twin := self.pending_under(row.key):
            twin.go("cancelled", "replaced")
        self.rows[row.id] = row

    def cancel(self, rows: list[Row], reason: str | None) -> list[str]:
        cancelled = [row for row in rows if row.state == "pending"]
        for row in cancelled:
            row.go("cancelled", reason)
        return sorted(row.id for row in cancelled)

    def convert(self, visitor: str, now: int) -> list[str]:
        self.conversions.append((visitor, now))
        asked = [row for row in self.rows.values() if row.visitor == visitor and row.converts]
        for row in asked:
            row.converts = 2 if row.state == "running" else row.converts
        return self.cancel(asked, "conversion")

    def replay(self, row: Row, now: int) -> bool:
        bought = any(who == row.visitor and at >= row.made_at for who, at in self.conversions)
        if (
            row.state not in ("failed", "succeeded")
            or self.pending_under(row.key)
            or (row.converts and bought)
        ):
            return False
        row.go("pending", "replayed")
        row.begun, row.due = 0, now
        return True

    def claim(self, row: Row, now: int) -> None:
        row.token, row.lease = row.token + 1, now + LEASE

    def begin(self, row: Row, token: int, now: int) -> bool:
        if row.state != "pending" or row.token != token or row.lease is None:
            return False
        row.lease, opens = None, opening(row.window, now)
        if opens != now or row.integration in self.paused:
            row.due = opens if opens != now else row.due
            return False
        row.go("running", None)
        row.begun, row.lease = row.begun + 1, now + LEASE
        row.calls.append((token, now, None))
        return True

    def end(self, row: Row, token: int, outcome: str, again_at: int) -> None:
        if row.state != "running" or row.token != token:
            return
        again = outcome in ("may pass", "lost") and row.begun <= row.retries
        told = outcome if outcome in ("succeeded", "lost") else "retry" if again else "failed"
        reason = {"succeeded": None, "lost": "lost"}.get(outcome, "integration_failed")
        row.calls[-1] = (*row.calls[-1][:2], told)
        if not again:
            row.go("succeeded" if outcome == "succeeded" else "failed", reason)
            return
        row.due = again_at
        row.go("pending", reason)
        if self.gives_way(row):
            row.go("cancelled", "replaced")
            return
        if row.converts == 2:
            row.go("cancelled", "conversion")

    def gives_way(self, row: Row) -> bool:
        """Whether something took the key while this ran: one waits under it, or a newer one runs.

        What waits was asked for later whatever its id says: of two processes that give out ids in one
        millisecond, the second may give the smaller one.
        """
        rivals = [each for each in self.rows.values() if row.key and each.key == row.key and each is not row]
        return any(
            each.state == "pending" or (each.state == "running" and each.id > row.id) for each in rivals
        )

    def give_back(self, now: int, *, everything: bool = False) -> None:
        for row in self.rows.values():
            mine = everything and (row.state == "pending" or row.retries > 0)
            if row.lease is not None and (row.lease <= now or mine):
                if row.state == "pending":
                    row.lease = None
                else:
                    self.end(row, row.token, "lost", row.due)
