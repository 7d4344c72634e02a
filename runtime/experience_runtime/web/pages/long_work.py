"""Long work: what acts on many executions, in a thread of its own, with how far it is."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from experience_runtime.domain.errors import Conflict, ExperienceError
from experience_runtime.operations import Progress

MOST_KEPT = 50
MOST_AT_ONCE = 4

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Work:
    """One piece of work: `done` is None until it ended, then how many executions it changed."""

    id: str
    verb: str
    words: str
    query: str
    total: int
    seen: int = 0
    done: int | None = None
    error: ExperienceError | None = None

    @property
    def has_ended(self) -> bool:
        return self.done is not None or self.error is not None


class LongWork:
    """What was begun from this process's pages; the last MOST_KEPT are remembered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: dict[str, Work] = {}

    def begin(
        self, verb: str, act: Callable[[Progress], list[str]], *, words: str, query: str, total: int
    ) -> Work:
        """Begin, and return at once. Conflict while too much of it runs."""
        work = Work(id=secrets.token_hex(8), verb=verb, words=words, query=query, total=total)
        with self._lock:
            if sum(not each.has_ended for each in self._works.values()) >= MOST_AT_ONCE:
                raise Conflict(f"{MOST_AT_ONCE} such changes run already; wait until one has ended")
            self._works[work.id] = work
            for old in [each.id for each in self._works.values() if each.has_ended][:-MOST_KEPT]:
                del self._works[old]
        # daemon: it acts in batches, each a transaction, so a server that stops stops between two
        threading.Thread(target=_carry_out, args=(work, act), name=f"bulk {verb}", daemon=True).start()
        return work

    def find(self, id: str) -> Work | None:
        with self._lock:
            return self._works.get(id)


def _carry_out(work: Work, act: Callable[[Progress], list[str]]) -> None:
    def progress(seen: int) -> None:
        work.seen = seen

    try:
        work.done = len(act(progress))
    except ExperienceError as error:
        work.error = error
    except Exception:
        _logger.exception("a bulk %s ended early", work.verb)
        work.error = Conflict("it ended early, and the log says why; what it changed until then is changed")
