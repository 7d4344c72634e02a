"""Inbox: what a guest is told with its next turn, and which views of the page run it again."""

from collections import deque
from typing import Any

from experience_runtime.domain.event_names import is_view

Item = dict[str, Any]
_RESTART: Item = {"kind": "restart"}


class Inbox:
    """Items in the order they came; answers come from other threads. It is true when one asks for a turn."""

    def __init__(self, *, page_was_viewed: bool) -> None:
        self._items: deque[Item] = deque()
        self._unheard: list[Item] = []  # events that nobody listened for, older than the items
        self._page_was_viewed = page_was_viewed
        self._has_own_view = False

    def __bool__(self) -> bool:
        return bool(self._items)

    def put(self, item: Item) -> None:
        """Add an item that asks for a turn."""
        self._items.append(item)

    def hear(self, event_type: str, data: Any, *, at_ms: int, listens: bool) -> bool:
        """Add an event from outside; say whether it asks for a turn.

        What nobody listens for is handed over with the next turn: until then no code of the guest's runs.
        """
        event = {"kind": "event", "type": event_type, "data": data, "at": at_ms}
        if self.is_later_view(event_type):
            self._items.extend((event, _RESTART))
        elif listens or self._items:
            self._items.append(event)
        else:
            self._unheard.append(event)
            return False
        return True

    def is_later_view(self, event_type: str) -> bool:
        """Whether this is a view that runs the experience again: a page's first one belongs to its load."""
        if not is_view(event_type):
            return False
        is_later, self._page_was_viewed = self._page_was_viewed, True
        return is_later

    def is_own_view_for_nothing(self, event_type: str) -> bool:
        """Whether this is a later view that the experience emitted itself, the first one in this run.

        It runs nothing again: each of those runs would emit the next.
        """
        is_first = self.is_later_view(event_type) and not self._has_own_view
        self._has_own_view = self._has_own_view or is_first
        return is_first

    def take(self) -> list[Item]:
        """Empty it: what came while nobody listened first."""
        items = [*self._unheard, *(self._items.popleft() for _ in range(len(self._items)))]
        self._unheard.clear()
        return items

    def clear(self) -> None:
        self._items.clear()
        self._unheard.clear()
