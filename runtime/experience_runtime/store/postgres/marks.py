"""Commit marks: how a transaction is found again whose COMMIT got no answer.

The server's own number of a transaction does not tell: a crash, or a standby that was behind, gives numbers
that never reached the disk out again, and somebody else's transaction would answer for ours. So the last
statement of every transaction that writes leaves a mark: it is there when the transaction is, and only then.
"""

import itertools
import uuid
import weakref

from experience_runtime.store.postgres.connecting import Connection
from experience_runtime.store.rows import Values

FORGOTTEN_AFTER = 1_000_000
"""How many transactions ago a mark was left that nobody asks for any more: a question comes in seconds."""


class CommitMarks:
    """Gives out the marks of one program: a place for each session, and numbers that only go up."""

    def __init__(self) -> None:
        self.owner = uuid.uuid4()
        self._seq = itertools.count(1)
        self._places = itertools.count()
        self._free: list[int] = []

    def next(self, connection: Connection) -> Values:
        """The mark of the next transaction on this connection."""
        place: int | None = getattr(connection, "mark_place", None)
        if place is None:
            place = self._free.pop() if self._free else next(self._places)
            connection.mark_place = place  # type: ignore[attr-defined]
            # free when nobody holds the connection, and so nobody asks about a transaction on it
            weakref.finalize(connection, self._free.append, place)
        return {"owner": self.owner, "session": place, "seq": next(self._seq)}

    def question(self, mark: Values) -> Values:
        """What `decide_commit` binds, to ask what became of the transaction with this mark."""
        return mark | {"later": next(self._seq)}
