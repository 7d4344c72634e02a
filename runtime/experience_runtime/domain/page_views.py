"""Views: the events that say a visitor sees a new page, on which an experience runs again."""

import re

MOST_OWN_RESTARTS = 10
"""How often, after a view from outside, views that an experience emits itself run it again: each of those
runs may emit the next, for ever."""

_VIEW = re.compile(r"([^.]+\.)?[a-z]{2}View")


def is_view(event_type: str) -> bool:
    """Tell whether an event is a view, such as `ecView` or `shop.ecView`.

    Source: reference/triggers#later-views.
    """
    return _VIEW.fullmatch(event_type) is not None


def too_many_own_views(event_type: str) -> str:
    """Say that this view runs nothing again."""
    return (
        f"the experience emitted {event_type} itself, and ran again for {MOST_OWN_RESTARTS} views of its "
        "own; it does not again before a view from outside"
    )
