"""Names of events: a name, after any number of namespaces. The one rule is `([^.]+\\.)*name`."""

import re

_VIEW = re.compile(r"(?:[^.]+\.)*[a-z]{2}View")


def is_named(event_type: str, name: str) -> bool:
    """Tell whether an event has this name, such as `my-shop.uk.ecView` has `ecView`."""
    if not event_type.endswith(name):
        return False
    namespaces = event_type[: len(event_type) - len(name)]
    return not namespaces or (namespaces[-1] == "." and all(namespaces[:-1].split(".")))


def is_view(event_type: str) -> bool:
    """Tell whether an event is a view, such as `ecView` or `shop.ecView`.

    Source: reference/triggers#later-views.
    """
    return _VIEW.fullmatch(event_type) is not None
