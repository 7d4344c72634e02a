"""Views: the events that say a visitor sees a new page, on which an experience runs again."""

MOST_OWN_RESTARTS = 10
"""How often, after a view from outside, views that an experience emits itself run it again: each of those
runs may emit the next, for ever."""


def too_many_own_views(event_type: str) -> str:
    """Say that this view runs nothing again."""
    return (
        f"the experience emitted {event_type} itself, and ran again for {MOST_OWN_RESTARTS} views of its "
        "own; it does not again before a view from outside"
    )
